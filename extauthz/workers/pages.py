"""The port for operators of all workers: some pages are of all of them, and the others of any."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from multidict import CIMultiDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from extauthz.model.errors import Unavailable
from extauthz.operations.refused import RefusedError, problem
from extauthz.operations.request_body import bounded_body
from extauthz.workers.exposition import one_exposition
from extauthz.workers.own_pages import NotAskedError, OwnPages, Question, Told
from extauthz.workers.readiness import all_ready

_READINESS_SECONDS = 0.5
"""For each worker, all at once: a probe of Kubernetes waits for 1 s by itself."""
_READINESS = frozenset({HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE})
_MAX_BODY_BYTES = 128 * 1024
"""More than any page takes: the worker has the last word on what is too long."""
_PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class Member(Protocol):
    """One of the workers."""

    number: int
    listening: bool
    """Whether it takes connections of Envoy."""
    pages: OwnPages


class OperationsOfAll:
    """An ASGI application, whose credentials the workers look at."""

    def __init__(self, workers: Sequence[Member], *, draining: Callable[[], bool]) -> None:
        self._workers = workers
        self._turns = deque(workers)
        self._draining = draining
        own = (Route("/healthz", self._healthz), Route("/readyz", self._readyz), Route("/metrics", self._metrics))
        self._app = Starlette(routes=[*own, Mount("/", app=self._any)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        await self._app(scope, receive, send)

    async def _healthz(self, _request: Request) -> Response:
        # A worker that fails is started again: no reason to end the others.
        return await self._report(lambda _ready: HTTPStatus.OK)

    async def _readyz(self, _request: Request) -> Response:
        return await self._report(lambda ready: HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _report(self, status: Callable[[bool], HTTPStatus]) -> Response:
        said = await self._all(Question(target="/readyz", seconds=_READINESS_SECONDS))
        document = all_ready(
            {number: _readiness(told) for number, told in said.items()},
            listening=frozenset(worker.number for worker in self._workers if worker.listening),
            draining=self._draining(),
        )
        return JSONResponse(document, status_code=status(document["ready"]), headers={"Cache-Control": "no-store"})

    async def _metrics(self, request: Request) -> Response:
        accept = CIMultiDict({"Accept": request.headers.get("accept", "")})
        answers = await self._all(Question(target="/metrics", headers=accept))
        said = {number: told if told and told.status == HTTPStatus.OK else None for number, told in answers.items()}
        media_type = next((told.headers.get("Content-Type", _PLAIN) for told in said.values() if told), _PLAIN)
        page = one_exposition({number: told.body.decode() if told else None for number, told in said.items()})
        return Response(page, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    async def _any(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            told = await self._told(await _question(request))
            response = Response(told.body, status_code=told.status, headers=told.headers)
        except RefusedError as refused:
            response = problem(refused)
        await response(scope, receive, send)

    async def _told(self, question: Question) -> Told:
        """What the first worker says that can be reached. Nothing is sent to a second one."""
        # One that does not listen may have been started a moment ago; one that gave no answer may never give any.
        for worker in sorted(self._turns, key=lambda each: not each.listening):
            try:
                return await worker.pages.ask(question)
            except NotAskedError:
                continue
            except Unavailable as error:
                self._turns.remove(worker)
                self._turns.append(worker)
                raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the worker gave no answer") from error
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "no worker runs")

    async def _all(self, question: Question) -> Mapping[int, Told | None]:
        answers = await asyncio.gather(*(_answer(worker, question) for worker in self._workers))
        return {worker.number: told for worker, told in zip(self._workers, answers, strict=True)}


async def _answer(worker: Member, question: Question) -> Told | None:
    try:
        return await worker.pages.ask(question)
    except (NotAskedError, Unavailable):
        return None


def _readiness(told: Told | None) -> Any:
    """The document of a worker; None: what it gave is none."""
    if told is None or told.status not in _READINESS:
        return None
    try:
        document = json.loads(told.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.keys() >= {"ready", "components"} else None


async def _question(request: Request) -> Question:
    target = request.scope["raw_path"].decode("ascii")
    if not target.startswith("/"):
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")
    if query := request.scope["query_string"].decode("latin-1"):
        target += f"?{query}"
    if "#" in target:  # RFC 9112 §3.2: a target has no fragment
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the target has a fragment")
    headers, body = CIMultiDict(request.headers.items()), await bounded_body(request, max_bytes=_MAX_BODY_BYTES)
    return Question(method=request.method, target=target, headers=headers, body=body, seconds=30.0)
