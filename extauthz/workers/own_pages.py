"""Asks one worker what it would tell operators."""

from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from multidict import CIMultiDict, MultiMapping
from yarl import URL

from extauthz.model.errors import Unavailable

_OF_ONE_CONNECTION = frozenset(
    {"connection", "content-length", "date", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Header fields that are not handed on (RFC 9110 §7.6.1), or that the next server writes itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to the port for operators."""

    method: str = "GET"
    target: str
    """Path and query, as they came; without a fragment."""
    headers: MultiMapping[str] = field(default_factory=CIMultiDict[str], repr=False)
    """May have credentials."""
    body: bytes = field(default=b"", repr=False)
    seconds: float = 5.0
    """How long to wait for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer to it."""

    status: int
    headers: MultiMapping[str]
    body: bytes


class NotAskedError(Exception):
    """The worker could not be reached, so that it knows nothing of the question."""


class OwnPages:
    """The pages for operators of one worker, behind a Unix socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, question: Question) -> Told:
        """Hands a question on.

        Raises:
            NotAskedError: nothing was sent.
            Unavailable: there is no answer, and nobody knows what became of the question.
        """
        # A connection for each: the worker behind the path may be another one by now.
        connector = aiohttp.UnixConnector(str(self._path), force_close=True)
        limit = aiohttp.ClientTimeout(total=question.seconds)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=limit, auto_decompress=False) as session,
                session.request(
                    question.method,
                    URL(f"http://worker{question.target}", encoded=True),
                    headers=_handed_on(question.headers),
                    skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                    data=question.body or None,
                    allow_redirects=False,
                ) as response,
            ):
                told = await response.read()
                return Told(status=response.status, headers=_handed_on(response.headers), body=told)
        except aiohttp.ClientConnectorError as error:
            raise NotAskedError from error
        except (aiohttp.ClientError, OSError) as error:  # also TimeoutError
            raise Unavailable("worker", type(error).__name__) from error


def _handed_on(headers: MultiMapping[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",")}
    dropped = _OF_ONE_CONNECTION | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)
