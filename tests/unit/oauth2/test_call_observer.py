"""What is told of each exchange with an authorization server."""

import asyncio
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from extauthz.model.errors import Unavailable
from extauthz.oauth2.bounded_http import BoundedHttp, HttpLimits

STATUSES = {200: "ok", 204: "status_2xx", 302: "status_3xx", 401: "status_4xx", 503: "status_5xx"}


@dataclass(frozen=True, slots=True)
class Issuer:
    server: BaseTestServer
    asked: asyncio.Event
    """Set once somebody waits for an answer."""

    def at(self, path):
        return str(self.server.make_url(path))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def server():
    asked = asyncio.Event()

    async def answer(request):
        return web.Response(status=int(request.match_info["status"]), body=b"x")

    async def large(_request):
        return web.Response(body=b"x" * 2000)

    async def silent(_request):
        asked.set()
        await asyncio.Event().wait()

    app = web.Application()
    app.add_routes([web.get("/status/{status}", answer), web.get("/large", large), web.get("/silent", silent)])
    async with TestServer(app) as running:
        yield Issuer(running, asked)


@pytest.fixture
async def session():
    async with ClientSession() as opened:
        yield opened


def observed(session, told, *, timeout_seconds=30.0):
    def observe(outcome, seconds):
        assert seconds >= 0
        told.append(outcome)

    limits = HttpLimits(timeout_seconds=timeout_seconds, max_bytes=1000)
    return BoundedHttp(session, component="issuer", limits=limits, observe=observe)


@pytest.mark.parametrize("status", STATUSES)
async def test_an_answer_is_told_by_its_status(server, session, told, status):
    await observed(session, told).get(server.at(f"/status/{status}"))
    assert told == [STATUSES[status]]


async def test_an_answer_that_is_too_large_is_told(server, session, told):
    with pytest.raises(Unavailable):
        await observed(session, told).get(server.at("/large"))
    assert told == ["too_large"]


async def test_an_answer_that_does_not_come_in_time_is_told(server, session, told):
    with pytest.raises(Unavailable):
        await observed(session, told, timeout_seconds=0.05).get(server.at("/silent"))
    assert told == ["timeout"]


async def test_an_answer_that_nobody_waits_for_any_longer_is_told(server, session, told):
    asking = asyncio.create_task(observed(session, told).get(server.at("/silent")))
    await server.asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert told == ["timeout"]


async def test_a_connection_that_cannot_be_made_is_told(session, told):
    with pytest.raises(Unavailable):
        await observed(session, told).get("http://127.0.0.1:9/")
    assert told == ["connection"]
