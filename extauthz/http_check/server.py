"""The port for proxies that ask by HTTP/1.1."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from extauthz.http_check.answer import HttpAnswer, for_nginx, http_answer
from extauthz.http_check.asked import NotUnderstood, Question
from extauthz.http_check.proxies import PROXIES
from extauthz.model.host_port import host_and_port
from extauthz.telemetry.sampling import Sampler

Check = Callable[[bytes], Awaitable[bytes]]
"""A serialized CheckResponse for a serialized CheckRequest; whatever it raises is answered with 500."""

_MAX_TARGET_BYTES = 32 * 1024
_MAX_FIELD_BYTES = 72 * 1024
"""The longest token that the settings can allow has 64 KiB."""
_MAX_HEADERS = 128
_BACKLOG = 1024
_STILL_ASKED_ONE_IN = 1000

_log = structlog.get_logger(__name__)


class HttpCheckServer:
    """Asks `check` what each request to the port asks. Whoever can reach it is believed, so only the proxy may.

    Reads no body. What it cannot read is answered with 400, and a failure with 500: no proxy takes either for consent.
    """

    def __init__(self, check: Check, *, listen: str, path_prefix: str, proxy: str, reuse_port: bool = False) -> None:
        """`listen` as `host:port`, where port 0 lets the kernel choose; `proxy` is one of `PROXIES`.

        With `reuse_port`, other processes that want it as well may listen there too.

        Raises:
            KeyError: no such proxy.
        """
        self._address = host_and_port(listen)
        self._reuse_port = reuse_port or None
        self._check = check
        self._prefix = path_prefix
        self._asked = PROXIES[proxy]
        self._told: Callable[[HttpAnswer], HttpAnswer] = for_nginx if proxy == "nginx" else lambda answer: answer
        self._not_understood = Sampler(first=1, one_in=_STILL_ASKED_ONE_IN, monotonic=time.monotonic)
        self._listener: asyncio.Server | None = None
        self._connections: web.Server | None = None

    async def start(self) -> int:
        """Listens, and returns the port.

        Raises:
            OSError: the address cannot be had.
        """
        loop, (host, port) = asyncio.get_running_loop(), self._address
        connections = self._connections = web.Server(self._answered)
        self._listener = await loop.create_server(
            lambda: _connection(connections, loop), host, port, backlog=_BACKLOG, reuse_port=self._reuse_port
        )
        chosen: int = self._listener.sockets[0].getsockname()[1]
        return chosen

    async def stop(self, grace_seconds: float) -> None:
        """Listens no more, and gives what is in flight some time. Nothing happens on a server that does not run."""
        if self._listener is None or self._connections is None:
            return
        self._listener.close()
        self._connections.pre_shutdown()
        await self._connections.shutdown(grace_seconds)
        self._listener = self._connections = None

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            question = Question(request.method, request.raw_path, request.raw_headers)
            check_request = self._asked(question, self._prefix).check_request()
        except NotUnderstood as problem:
            if stands_for := self._not_understood.take():
                _log.warning("http_check_not_understood", problem=str(problem), stands_for=stands_for)
            return _response(HttpAnswer(status=HTTPStatus.BAD_REQUEST, headers={}))
        return _response(self._told(http_answer(await self._check(check_request))))


class _Connection(web.RequestHandler):
    """aiohttp's, but for what it says of mistakes: its own words would quote the client, in answers and in the log."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's signature
    ) -> web.StreamResponse:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("http_check_failed", error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        response = _response(HttpAnswer(status=status, headers={}))
        response.force_close()
        return response


def _connection(connections: web.Server, loop: asyncio.AbstractEventLoop) -> _Connection:
    unheard = _unheard()
    return _Connection(
        connections,
        loop=loop,
        logger=unheard,
        access_log=unheard,
        max_line_size=_MAX_TARGET_BYTES,
        max_field_size=_MAX_FIELD_BYTES,
        max_headers=_MAX_HEADERS,
        lingering_time=0,  # a body that nobody reads is no reason to wait
        auto_decompress=False,
    )


def _unheard() -> logging.Logger:
    """A log that nobody reads: its lines would quote what a client sent."""
    unheard = logging.getLogger("extauthz.http_check.unheard")
    unheard.setLevel(logging.CRITICAL + 1)
    return unheard


def _response(answer: HttpAnswer) -> web.Response:
    # Proxies may hand everything on to the client: aiohttp would name itself.
    headers = {"server": "extauthz"} | answer.headers
    body = answer.body.encode() if answer.body else None
    return web.Response(status=answer.status, headers=headers, body=body)
