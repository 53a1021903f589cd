"""What operators see of several workers, and what reaches which of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from multidict import CIMultiDict
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from yarl import URL

from extauthz.operations.server import OperationsServer
from extauthz.workers.own_pages import OwnPages, Question
from extauthz.workers.pages import OperationsOfAll

READY = {"ready": True, "draining": False, "components": {}}


@dataclass
class Stand:
    """What a worker has behind its socket."""

    number: int
    pages: OwnPages
    listening: bool = True
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    """Values of `X-Twice`, which came last."""
    before: Callable[[], Awaitable[object]] | None = None
    """What its readiness waits for."""
    readyz: Response = field(default_factory=lambda: JSONResponse(READY))
    metrics_status: int = 200

    async def any(self, scope, receive, send):
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        target = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
        self.repeated = [value.decode() for name, value in scope["headers"] if name == b"x-twice"]
        self.asked.append((scope["method"], target, headers, body))
        if target == "/dies?":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            return
        told = Response(f"worker {self.number}", 299, {"X-Own": "yes"}, "application/odd")
        told.raw_headers += [(b"x-again", b"1"), (b"x-again", b"2"), (b"connection", b"x-hop"), (b"x-hop", b"1")]
        await told(scope, receive, send)

    def app(self):
        async def readyz(_request):
            if self.before is not None:
                await self.before()
            return self.readyz

        def metrics(request):
            if self.metrics_status != 200:
                return Response("odd", self.metrics_status)
            page = f"# HELP accepted Them.\n# TYPE accepted gauge\naccepted {len(request.headers['accept'])}\n"
            return Response(page, headers={"Content-Type": "text/plain; version=0.0.4"})

        return Starlette(routes=[Route("/readyz", readyz), Route("/metrics", metrics), Mount("/", app=self.any)])


@dataclass
class World:
    stands: list[Stand]
    servers: list[OperationsServer]
    port: int
    draining: bool = False

    async def ask(self, path, method="GET", **options):
        url = URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
        async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
            return response.status, response.headers, await response.text()


@pytest.fixture
async def world(tmp_path):
    async with running(tmp_path) as made:
        yield made


@asynccontextmanager
async def running(folder):
    stands = [Stand(number, OwnPages(folder / f"{number}.sock")) for number in (1, 2)]
    async with AsyncExitStack() as stack:
        servers = [OperationsServer(stand.app(), path=folder / f"{stand.number}.sock") for stand in stands]
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        front = OperationsServer(OperationsOfAll(stands, draining=lambda: made.draining), host="127.0.0.1", port=0)
        made = World(stands, servers, await front.start())
        stack.push_async_callback(front.stop)
        yield made


async def test_a_request_reaches_one_worker_as_it_came(world):
    sent = {"Authorization": "Bearer secret", "Content-Type": "application/json", "X-Odd": "1"}
    status, headers, text = await world.ask(
        "/revocations/%2e%2e/a%20b?list=apis&after=%26", "POST", headers=sent, data=b'{"a": 1}'
    )
    assert (status, text, headers["X-Own"], headers["Content-Type"]) == (
        299,
        "worker 1",
        "yes",
        "application/odd",
    )
    assert len(headers.getall("Date")) == 1
    ((method, target, seen, body),) = world.stands[0].asked
    assert (method, target, body) == ("POST", "/revocations/%2e%2e/a%20b?list=apis&after=%26", b'{"a": 1}')
    assert {name: seen[name.lower()] for name in sent} == sent
    assert world.stands[1].asked == []


async def test_the_next_one_is_asked_if_the_first_cannot_be_reached(world):
    await world.servers[0].stop()
    assert (await world.ask("/config"))[2] == "worker 2"
    await world.servers[1].stop()
    status, headers, text = await world.ask("/config")
    assert (status, json.loads(text)["description"], headers["Retry-After"]) == (503, "no worker runs", "1")


async def test_what_one_worker_may_have_done_is_not_asked_of_another(world):
    """A revocation would be noted twice; whoever sent it knows that it may repeat it."""
    status, headers, _ = await world.ask("/dies", "POST", data=b"{}")
    assert (status, headers["Retry-After"]) == (503, "1")
    assert [len(stand.asked) for stand in world.stands] == [1, 0]


async def test_one_that_gave_no_answer_is_asked_last_from_then_on(world):
    """It may hang, and each request would wait for it."""
    assert (await world.ask("/dies"))[0] == 503
    assert [(await world.ask("/config"))[2] for _ in range(2)] == ["worker 2", "worker 2"]
    assert (await world.ask("/dies"))[0] == 503
    assert (await world.ask("/config"))[2] == "worker 1"


async def test_one_that_listens_is_asked_before_one_that_does_not(world):
    world.stands[0].listening = False
    assert (await world.ask("/config"))[2] == "worker 2"
    await world.servers[1].stop()
    assert (await world.ask("/config"))[2] == "worker 1"


async def test_fields_that_come_twice_are_handed_on_twice(world):
    sent = CIMultiDict([("X-Twice", "1"), ("X-Twice", "2")])
    _, headers, _ = await world.ask("/config", headers=sent)
    assert world.stands[0].repeated == ["1", "2"]
    assert headers.getall("X-Again") == ["1", "2"]


async def test_fields_of_one_connection_are_not_handed_on(world):
    sent = {"Connection": "close, X-Hop", "X-hop": "1", "X-Other": "1", "TE": "trailers"}
    _, headers, _ = await world.ask("/config", headers=sent)
    ((_, _, seen, _),) = world.stands[0].asked
    assert "x-other" in seen
    assert not {"x-hop", "te"} & seen.keys()
    assert "X-Hop" not in headers


async def test_fields_of_an_answer_are_found_in_any_case(world):
    told = await world.stands[0].pages.ask(Question(target="/config"))
    assert {told.headers[name] for name in ("content-type", "Content-Type", "CONTENT-TYPE")} == {"application/odd"}


@pytest.mark.parametrize("target", ["/config#b", "/config?a=b#c", "/config#"])
async def test_a_target_with_a_fragment_is_refused(world, target):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    await writer.wait_closed()
    assert world.stands[0].asked == []


async def test_a_body_that_no_page_takes_is_not_handed_on(world):
    assert (await world.ask("/revocations", "POST", data=b"x" * (128 * 1024)))[0] == 299
    assert (await world.ask("/revocations", "POST", data=b"x" * (128 * 1024 + 1)))[0] == 413
    assert len(world.stands[0].asked) == 1


async def test_a_target_that_is_no_path_is_not_found(world):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()
    await writer.wait_closed()
    assert world.stands[0].asked == []


async def test_metrics_are_of_all_in_the_form_that_is_asked_for(world):
    _, headers, page = await world.ask("/metrics", headers={"Accept": "text/plain"})
    assert headers["Content-Type"] == "text/plain; version=0.0.4"
    assert page.splitlines()[2:] == ['accepted{worker="1"} 10', 'accepted{worker="2"} 10']
    for server in world.servers:
        await server.stop()
    _, headers, page = await world.ask("/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert page.splitlines()[2:] == ['extauthz_ready{worker="1"} 0.0', 'extauthz_ready{worker="2"} 0.0']


async def test_readiness_needs_all_of_them(world):
    status, headers, text = await world.ask("/readyz")
    assert (status, headers["Cache-Control"], json.loads(text)["ready"]) == (200, "no-store", True)
    world.stands[1].listening = False
    assert (await world.ask("/readyz"))[0] == 503
    world.stands[1].listening = True
    await world.servers[0].stop()
    status, _, text = await world.ask("/readyz")
    assert (status, json.loads(text)["workers"]) == (503, {"1": None, "2": READY})
    assert (await world.ask("/healthz"))[0] == 200


async def test_a_page_that_is_no_metrics_counts_as_none(world):
    world.stands[0].metrics_status = 500
    status, headers, page = await world.ask("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4")
    assert {'extauthz_ready{worker="1"} 0.0', 'accepted{worker="2"} 3'} <= set(page.splitlines())


@pytest.mark.parametrize(
    "odd",
    [
        Response("Internal Server Error", 500),
        JSONResponse(READY, 500),
        Response("{"),
        JSONResponse([]),
        JSONResponse({}),
    ],
)
async def test_what_is_no_document_of_readiness_counts_as_no_answer(world, odd):
    world.stands[0].readyz = odd
    for path, expected in (("/readyz", 503), ("/healthz", 200)):
        status, _, text = await world.ask(path)
        assert (status, json.loads(text)["workers"]) == (expected, {"1": None, "2": READY})


async def test_workers_that_hang_do_not_hold_a_probe(world):
    """Kubernetes waits for a second by itself."""
    end = asyncio.Event()
    for stand in world.stands:
        stand.before = end.wait
    status, _, text = await world.ask("/readyz")
    assert (status, json.loads(text)["workers"]) == (503, {"1": None, "2": None})
    end.set()


async def test_all_are_asked_at_the_same_time(world):
    barrier = asyncio.Barrier(2)
    for stand in world.stands:
        stand.before = barrier.wait
    assert (await world.ask("/readyz"))[0] == 200


async def test_readiness_ends_with_the_drain(world):
    world.draining = True
    status, _, text = await world.ask("/readyz")
    assert (status, json.loads(text)["draining"]) == (503, True)
    assert (await world.ask("/healthz"))[0] == 200
