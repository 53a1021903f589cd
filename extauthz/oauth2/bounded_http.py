"""Requests to an authorization server that can neither hang, nor flood, nor lead elsewhere."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import aiohttp
from yarl import URL

from extauthz.model.errors import Unavailable

_CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What one exchange may cost."""

    timeout_seconds: float = 2.0
    """For everything: connection, headers and body."""
    connect_seconds: float | None = None
    """For a new connection, name look-up and TLS handshake included; None: as long as everything."""
    max_bytes: int
    """Of the body, after decompression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A complete answer within the limits, of any status."""

    status: int
    content_type: str
    """In lower case, without parameters."""
    body: bytes = field(repr=False)


class ConnectionLost(Unavailable):
    """The connection failed or was closed before an answer came, typically a kept one that the other side has closed.

    Asking again may help, unless the request changes something.
    """


class AnswerTooLarge(Unavailable):
    """An answer with status 200 of more bytes than the limit."""


class CallObserver(Protocol):
    """Told of each exchange when it is over."""

    def __call__(self, outcome: str, seconds: float, /) -> None:
        """It took `seconds`; `outcome` is `ok`, `status_3xx` to `status_5xx`, or `connection`, `timeout`, `too_large`.

        `timeout` is also an answer for which nobody waited any longer. Must not block and must not raise.
        """
        ...


def unobserved(_outcome: str, _seconds: float, /) -> None:
    """Tells nobody."""


class BoundedHttp:
    """Asks one component under limits; redirects are not followed.

    The session is the caller's; it should have a `DummyCookieJar`, because cookies of an authorization server mean
    nothing here. `tls` None: certificates are verified with the authorities of the system.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        component: str,
        limits: HttpLimits,
        tls: ssl.SSLContext | None = None,
        observe: CallObserver = unobserved,
    ) -> None:
        self._observe = observe
        self._session = session
        self._component = component
        self._limits = limits
        # The pool keeps connections of different contexts apart.
        self._tls: ssl.SSLContext | bool = True if tls is None else tls
        # One deadline covers the whole exchange, so aiohttp's own (five minutes) are off.
        self._timeout = aiohttp.ClientTimeout(connect=limits.connect_seconds)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """The answer to a GET that asks for JSON unless `headers` accept another.

        Raises:
            ConnectionLost, AnswerTooLarge: see there.
            Unavailable: no complete answer within the limits.
        """
        return await self._exchange("GET", url, form=None, headers=headers or {})

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        """The answer to a POST of `application/x-www-form-urlencoded`; asks for JSON unless `headers` accept another.

        Raises:
            ConnectionLost, AnswerTooLarge: see there.
            Unavailable: no complete answer within the limits.
        """
        return await self._exchange("POST", url, form=form, headers=headers)

    def require_ok(self, url: str, answer: HttpAnswer) -> bytes:
        """The body of an answer with status 200.

        Raises:
            Unavailable: another status.
        """
        if answer.status != HTTPStatus.OK:
            raise self.unavailable(url, f"HTTP status {answer.status}")
        return answer.body

    def unavailable(self, url: str, detail: str) -> Unavailable:
        """The failure of this component; names the host only, since the rest of a URL may hold a secret."""
        return Unavailable(self._component, _at(url, detail))

    async def _exchange(
        self, method: str, url: str, *, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> HttpAnswer:
        if self._session.closed:
            raise self.unavailable(url, "the session is closed")
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                return await self._observed(method, url, form, headers)
        except aiohttp.ConnectionTimeoutError as exc:
            raise self.unavailable(url, f"no connection within {self._limits.connect_seconds} s") from exc
        except TimeoutError as exc:
            raise self.unavailable(url, f"no answer within {self._limits.timeout_seconds} s") from exc
        # Only the type of an error is told: aiohttp's carry the request, and that the credentials.
        except aiohttp.ClientConnectionError as exc:
            raise ConnectionLost(self._component, _at(url, type(exc).__name__)) from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise self.unavailable(url, type(exc).__name__) from exc

    async def _observed(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> HttpAnswer:
        outcome, began = "connection", time.perf_counter()
        try:
            answer = await self._attempt(method, url, form, headers)
            outcome = f"status_{answer.status // 100}xx" if answer.status != HTTPStatus.OK else "ok"
        except (TimeoutError, asyncio.CancelledError):
            outcome = "timeout"
            raise
        except Unavailable:
            outcome = "too_large"
            raise
        else:
            return answer
        finally:
            self._observe(outcome, time.perf_counter() - began)

    async def _attempt(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> HttpAnswer:
        async with self._session.request(
            method,
            url,
            data=form,
            headers={"Accept": "application/json", **headers},
            allow_redirects=False,
            timeout=self._timeout,
            ssl=self._tls,
        ) as response:
            body = await self._body(url, response)
            return HttpAnswer(status=response.status, content_type=response.content_type.lower(), body=body)

    async def _body(self, url: str, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._limits.max_bytes:
                # Leaving the context with unread content closes the connection.
                kind = AnswerTooLarge if response.status == HTTPStatus.OK else Unavailable
                raise kind(self._component, _at(url, f"an answer of more than {self._limits.max_bytes} bytes"))
        return bytes(body)


def _at(url: str, detail: str) -> str:
    try:
        return f"{URL(url).host or '?'}: {detail}"
    except ValueError:
        return f"?: {detail}"
