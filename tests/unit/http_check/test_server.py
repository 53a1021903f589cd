"""Every answer in HTTP: 200 for a request that passes, and for no other; and nothing odd gets through."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs
from support.deciders import Answers, Held, Raises, allow, open_allow
from support.http_check import ENVOY, LINES, NGINX, TARGETS, Asked, ask, check_port, send_bytes

from extauthz.envoy.refusals import REFUSALS
from extauthz.http_check.answer import http_answer
from extauthz.http_check.server import HttpCheckServer
from extauthz.model.check import Deny
from extauthz.model.errors import Reason

PROXIES = tuple(TARGETS)


async def reply_to(decision, proxy="envoy", lines=(), **policy):
    async with check_port(Asked(Answers(decision), **policy), proxy) as port:
        return await ask(port, TARGETS[proxy], (*LINES[proxy], *lines))


@pytest.mark.parametrize("proxy", PROXIES)
async def test_who_passes_takes_the_backend_jwt_along_and_what_to_remove(proxy):
    reply = await reply_to(allow(), proxy)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["x-jwt-assertion"] == "aaa.bbb.ccc"
    removed = reply.headers["x-envoy-auth-headers-to-remove"].split(",")
    assert {"authorization", "dpop", "x_jwt_assertion"} <= set(removed)
    assert "x-jwt-assertion" not in removed


async def test_on_an_open_resource_what_is_ours_is_removed():
    reply = await reply_to(open_allow())
    assert reply.status == 200
    assert "x-jwt-assertion" not in reply.headers
    assert "x-jwt-assertion" in reply.headers["x-envoy-auth-headers-to-remove"].split(",")


@pytest.mark.parametrize("proxy", ["envoy", "traefik"])
@pytest.mark.parametrize("reason", Reason)
async def test_a_refusal_has_its_status_headers_and_body(proxy, reason):
    reply = await reply_to(Deny(reason=reason), proxy)
    assert reply.status == REFUSALS[reason].status
    assert json.loads(reply.body)["code"] == REFUSALS[reason].code
    assert reply.headers["content-type"] == "application/json"
    assert ("www-authenticate" in reply.headers) is REFUSALS[reason].challenge


@pytest.mark.parametrize("reason", Reason)
async def test_nginx_is_told_nothing_that_it_would_take_for_a_fault(reason):
    reply = await reply_to(Deny(reason=reason), "nginx")
    status = REFUSALS[reason].status
    assert reply.status == (status if status in {401, 500, 503} else 403)
    assert json.loads(reply.body)["code"] == REFUSALS[reason].code


async def test_an_internal_failure_refuses():
    async with check_port(Asked(Raises(RuntimeError("secret"))), "envoy") as port:
        assert (await ask(port, TARGETS["envoy"], ENVOY)).status == 500


@pytest.mark.parametrize("answer", [b"\xff", RuntimeError("the token eyJ")])
async def test_an_answer_that_is_none_refuses_and_quotes_nothing(answer):
    async def check(_request):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with capture_logs() as logs:
        async with check_port(check, "envoy") as port:
            reply = await ask(port, TARGETS["envoy"], ENVOY)
    assert (reply.status, reply.body) == (500, b"")
    assert [line["event"] for line in logs] == ["http_check_failed"]
    assert "eyJ" not in str(logs)


def test_a_refusal_whose_status_would_let_it_through_is_a_403():
    # denied_response { status { code: 200 } } beside status { code: 7 }
    assert http_answer(bytes.fromhex("0a02080712050a0308c801")).status == 403
    assert http_answer(bytes.fromhex("0a020807")).status == 403


TOKEN = "eyJ-the-token"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /check/petstore/v1/pets HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer " + b"a\x00b\r\n\r\n",
        b"GET /check/petstore/v1/pets HTTP/1.1\r\nHost: api.example.com\r\nAuthorization : Bearer x\r\n\r\n",
        b"GET /check/" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        b"GET /check/a HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: " + b"a" * 80_000 + b"\r\n\r\n",
        b"GET /check/a HTTP/1.1\r\nHost: api.example.com\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"BREW /check/a HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        b"GET /check/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_of_a_proxy_refuses_and_is_quoted_nowhere(octets, caplog):
    asked = Asked(Answers(open_allow()))
    with capture_logs() as logs:
        async with check_port(asked, "envoy") as port:
            reply = await send_bytes(port, octets.replace(b"Bearer ", f"Bearer {TOKEN}".encode()))
    assert (reply.status, reply.body) == (400, b"")
    assert asked.requests == []
    assert TOKEN not in str(logs) + caplog.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_body_is_not_waited_for(method):
    lines = (*ENVOY, ("Content-Length", "1000000"), ("Expect", "100-continue"))
    async with check_port(Asked(Answers(allow())), "envoy") as port:
        assert (await ask(port, TARGETS["envoy"], lines, method=method)).status == 200


async def test_a_head_request_is_answered_without_a_body():
    async with check_port(Asked(Answers(Deny(reason=Reason.INVALID_TOKEN))), "envoy") as port:
        reply = await ask(port, TARGETS["envoy"], ENVOY, method="HEAD")
    assert (reply.status, reply.body) == (401, b"")


async def test_the_longest_token_of_the_settings_fits():
    async with check_port(Asked(Answers(allow())), "nginx") as port:
        assert (await ask(port, "/check", (*NGINX, ("Authorization", f"Bearer {'a' * 65_536}")))).status == 200


async def test_nginx_asks_by_http_1_0():
    async with check_port(Asked(Answers(allow())), "nginx") as port:
        assert (await ask(port, "/check", NGINX, version="1.0")).status == 200


async def test_only_the_first_odd_question_of_many_is_in_the_log():
    with capture_logs() as logs:
        async with check_port(Asked(Answers(allow())), "nginx") as port:
            for _ in range(20):
                await ask(port, "/check", [("Host", "api.example.com")])
    told = [line for line in logs if line["event"] == "http_check_not_understood"]
    assert 1 <= len(told) < 20
    assert told[0]["problem"] == "x-original-method must be there, once"


async def test_what_is_in_flight_is_answered_before_it_stops():
    held = Held(allow())
    server = HttpCheckServer(Asked(held), listen="127.0.0.1:0", path_prefix="/check", proxy="envoy")
    port = await server.start()
    asking = asyncio.create_task(ask(port, TARGETS["envoy"], ENVOY))
    await held.reached.wait()
    stopping = asyncio.create_task(server.stop(grace_seconds=20))
    held.release.set()
    assert (await asking).status == 200
    await stopping
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_an_address_that_is_taken_is_said_at_the_start():
    async with check_port(Asked(Answers(allow())), "envoy") as port:
        other = HttpCheckServer(
            Asked(Answers(allow())), listen=f"127.0.0.1:{port}", path_prefix="/check", proxy="envoy"
        )
        with pytest.raises(OSError, match="in use"):
            await other.start()
        await other.stop(grace_seconds=0)


async def test_servers_that_both_want_to_may_share_a_port():
    first, port = await sharing_a_port("127.0.0.1:0")
    second, same = await sharing_a_port(f"127.0.0.1:{port}")
    assert same == port
    await first.stop(grace_seconds=0)
    assert (await ask(port, TARGETS["envoy"], ENVOY)).status == 200
    await second.stop(grace_seconds=0)


async def sharing_a_port(listen):
    server = HttpCheckServer(
        Asked(Answers(allow())), listen=listen, path_prefix="/check", proxy="envoy", reuse_port=True
    )
    return server, await server.start()
