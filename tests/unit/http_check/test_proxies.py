"""What each proxy says becomes the same question; what it does not say as documented is refused."""

import pytest
from support.deciders import Answers, allow, open_allow
from support.http_check import ENVOY, LINES, NGINX, TARGETS, TRAEFIK, Asked, ask, check_port

PROXIES = tuple(TARGETS)


def http(asked):
    (request,) = asked.requests
    return request.attributes.request.http


def without(lines, name):
    return [line for line in lines if line[0].lower() != name.lower()]


@pytest.mark.parametrize("proxy", PROXIES)
async def test_the_original_request_is_what_is_decided_on(proxy):
    asked = Asked(Answers(allow()))
    async with check_port(asked, proxy) as port:
        lines = (*LINES[proxy], ("Authorization", "Bearer abc"), ("X-Thing", "one"), ("x-thing", "two"))
        assert (await ask(port, TARGETS[proxy], lines)).status == 200
    found = http(asked)
    assert (found.method, found.host, found.path) == ("GET", "api.example.com", "/petstore/v1/pets?limit=1")
    assert found.scheme == "https"
    assert found.headers["authorization"] == "Bearer abc"
    assert found.headers["x-thing"] == "one,two"
    assert "host" not in found.headers


@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_repeated_authorization_is_joined_and_never_the_first_one(proxy):
    asked = Asked(Answers(allow()))
    async with check_port(asked, proxy) as port:
        await ask(port, TARGETS[proxy], (*LINES[proxy], ("Authorization", "Bearer a"), ("authorization", "Bearer b")))
    assert http(asked).headers["authorization"] == "Bearer a,Bearer b"


async def test_the_method_of_envoys_own_request_is_the_original_one():
    asked = Asked(Answers(allow()))
    async with check_port(asked, "envoy") as port:
        await ask(port, "/check/petstore/v1/pets", ENVOY, method="DELETE")
    assert http(asked).method == "DELETE"


@pytest.mark.parametrize(("proxy", "lines"), [("nginx", NGINX), ("traefik", TRAEFIK)])
async def test_the_last_address_is_that_of_the_client_of_the_proxy(proxy, lines):
    asked = Asked(Answers(allow()))
    async with check_port(asked, proxy) as port:
        await ask(port, "/check", lines)
    assert asked.requests[0].attributes.source.address.socket_address.address == "192.0.2.1"


async def test_envoys_http_service_does_not_say_where_the_client_is():
    asked = Asked(Answers(allow()))
    async with check_port(asked, "envoy") as port:
        await ask(port, TARGETS["envoy"], (*ENVOY, ("x-forwarded-for", "192.0.2.1")))
    assert not asked.requests[0].attributes.HasField("source")


EVERY_LINE = [
    (proxy, name) for proxy, lines in LINES.items() for name, _ in lines if (proxy, name) != ("traefik", "Host")
]


@pytest.mark.parametrize(("proxy", "name"), EVERY_LINE)
@pytest.mark.parametrize("how", ["missing", "twice", "empty", "not ASCII"])
async def test_a_line_that_the_proxy_does_not_send_once_refuses(proxy, name, how):
    """A header that the proxy does not write is one that a client can."""
    lines = {
        "missing": without(LINES[proxy], name),
        "twice": [*LINES[proxy], *(line for line in LINES[proxy] if line[0] == name)],
        "empty": [*without(LINES[proxy], name), (name, "")],
        "not ASCII": [*without(LINES[proxy], name), (name, "/\xe9")],
    }[how]
    asked = Asked(Answers(open_allow()))
    async with check_port(asked, proxy) as port:
        assert (await ask(port, TARGETS[proxy], lines, version="1.0")).status == 400
    assert asked.requests == []


@pytest.mark.parametrize("value", ["wss", "HTTPS", "https,http", "ftp"])
@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_scheme_that_no_proxy_says_refuses(proxy, value):
    lines = [*without(LINES[proxy], "x-forwarded-proto"), ("x-forwarded-proto", value)]
    async with check_port(Asked(Answers(open_allow())), proxy) as port:
        assert (await ask(port, TARGETS[proxy], lines)).status == 400


@pytest.mark.parametrize(
    ("proxy", "target"),
    [
        ("envoy", "/checkout/petstore"), ("envoy", "/petstore/v1/pets"), ("envoy", "/check"), ("envoy", "/check*"),
        ("envoy", "http://api.example.com/check/petstore/v1/pets"), ("envoy", "/check/\xe9"), ("envoy", "*"),
        ("nginx", "/check/petstore/v1/pets"), ("nginx", "/check?x=1"), ("nginx", "/"), ("traefik", "/check/"),
    ],
)  # fmt: skip
async def test_a_question_at_another_place_refuses(proxy, target):
    async with check_port(Asked(Answers(open_allow())), proxy) as port:
        assert (await ask(port, target, LINES[proxy], method="OPTIONS")).status == 400


@pytest.mark.parametrize(("proxy", "name"), [("nginx", "X-Original-URI"), ("traefik", "X-Forwarded-Uri")])
@pytest.mark.parametrize("value", ["petstore/v1/pets", "*", "http://api.example.com/petstore/v1/pets"])
async def test_an_original_path_that_is_no_path_refuses(proxy, name, value):
    async with check_port(Asked(Answers(open_allow())), proxy) as port:
        assert (await ask(port, "/check", [*without(LINES[proxy], name), (name, value)])).status == 400


@pytest.mark.parametrize("asks", PROXIES)
@pytest.mark.parametrize("told", PROXIES)
async def test_a_client_cannot_speak_for_another_kind_of_proxy(asks, told):
    """The headers of the others are a client's own, and count for nothing."""
    asked = Asked(Answers(open_allow()))
    elsewhere = {
        "nginx": (("X-Original-Method", "DELETE"), ("X-Original-URI", "/open")),
        "traefik": (("X-Forwarded-Method", "DELETE"), ("X-Forwarded-Uri", "/open"), ("X-Forwarded-Host", "evil")),
        "envoy": (("x-envoy-original-path", "/open"),),
    }
    if asks == told:
        return
    async with check_port(asked, told) as port:
        await ask(port, TARGETS[told], (*LINES[told], *elsewhere[asks]))
    found = http(asked)
    assert (found.method, found.host, found.path) == ("GET", "api.example.com", "/petstore/v1/pets?limit=1")


@pytest.mark.parametrize(("proxy", "believed"), [("envoy", True), ("nginx", False), ("traefik", False)])
@pytest.mark.parametrize("name", ["x-forwarded-client-cert", "X_Forwarded-Client_Cert"])
async def test_a_certificate_in_a_header_is_envoys_alone_to_say(proxy, believed, name):
    asked = Asked(Answers(open_allow()))
    async with check_port(asked, proxy) as port:
        await ask(port, TARGETS[proxy], (*LINES[proxy], (name, "Hash=ab")))
    assert (name.lower() in http(asked).headers) is believed
