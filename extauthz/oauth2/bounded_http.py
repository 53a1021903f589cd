"""Requests to an authorization server that can neither hang, nor flood, nor lead elsewhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from yarl import URL

from extauthz.model.errors import Unavailable

_CHUNK_BYTES = 16 * 1024
# One deadline covers the whole exchange, retries and body included, so aiohttp's own (five minutes) are off.
_NO_TIMEOUT = aiohttp.ClientTimeout()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What one exchange may cost."""

    timeout_seconds: float = 2.0
    """For everything: connection, retry, headers and body."""
    max_bytes: int
    """Of the body, after decompression."""
    connection_retries: int = 0
    """After a connection that failed or was closed, never after a timeout; only for requests that change nothing."""


class BoundedHttp:
    """Asks one component under limits.

    Every answer but a complete 200 within the limits is an `Unavailable`; redirects are not followed. The session is
    the caller's; it should have a `DummyCookieJar`, because cookies of an authorization server mean nothing here.
    """

    def __init__(self, session: aiohttp.ClientSession, *, component: str, limits: HttpLimits) -> None:
        self._session = session
        self._component = component
        self._limits = limits

    async def get(self, url: str) -> bytes:
        """The body of a GET.

        Raises:
            Unavailable: anything but a 200 within the limits.
        """
        return await self._exchange("GET", url, form=None, headers={})

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """The body of the answer to a POST of `application/x-www-form-urlencoded`.

        Raises:
            Unavailable: anything but a 200 within the limits.
        """
        return await self._exchange("POST", url, form=form, headers=headers)

    def unavailable(self, url: str, detail: str) -> Unavailable:
        """The failure of this component; names the host only, since the rest of a URL may hold a secret."""
        return Unavailable(self._component, f"{_host(url)}: {detail}")

    async def _exchange(
        self, method: str, url: str, *, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> bytes:
        if self._session.closed:
            raise self.unavailable(url, "the session is closed")
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                return await self._attempts(method, url, form, headers)
        except TimeoutError as exc:
            raise self.unavailable(url, f"no answer within {self._limits.timeout_seconds} s") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            # Only the type: aiohttp's errors carry the request, and that the credentials.
            raise self.unavailable(url, type(exc).__name__) from exc

    async def _attempts(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> bytes:
        for _ in range(self._limits.connection_retries):
            try:
                return await self._attempt(method, url, form, headers)
            except aiohttp.ServerTimeoutError:
                raise
            except aiohttp.ClientConnectionError:
                # Typically a kept connection that the other side has just closed.
                continue
        return await self._attempt(method, url, form, headers)

    async def _attempt(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> bytes:
        async with self._session.request(
            method,
            url,
            data=form,
            headers={"Accept": "application/json", **headers},
            allow_redirects=False,
            timeout=_NO_TIMEOUT,
        ) as response:
            if response.status != HTTPStatus.OK:
                raise self.unavailable(url, f"HTTP status {response.status}")
            return await self._body(url, response)

    async def _body(self, url: str, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._limits.max_bytes:
                # Leaving the context with unread content closes the connection.
                raise self.unavailable(url, f"an answer of more than {self._limits.max_bytes} bytes")
        return bytes(body)


def _host(url: str) -> str:
    try:
        return URL(url).host or "?"
    except ValueError:
        return "?"
