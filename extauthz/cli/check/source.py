"""Who is asked: a running replica, or the same code in this process."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from extauthz.envoy_client.answer import Answer, answer_of
from extauthz.envoy_client.client import ClientTls, EnvoyClient
from extauthz.envoy_client.sample_request import SampleRequest
from extauthz.model.check import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where the data plane looked on the way, and whom it asked."""

    caches: Sequence[str] = ()
    """Such as `not in the jwt cache (memory)`; empty: none was looked into."""
    calls: Sequence[str] = ()
    """To key managers, such as `introspection of corporate: ok`."""

    def __str__(self) -> str:
        """As one text; empty: nobody was asked."""
        return "; ".join([*self.caches, *(f"asked for {call}" for call in self.calls)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known after a Check."""

    answer: Answer
    decision: Decision | None = None
    """None: a replica was asked, which tells no more than its answer."""
    seconds: float
    asked: Asked = Asked()


class Source(Protocol):
    """Answers Checks."""

    async def ask(self, request: SampleRequest) -> Told:
        """The answer.

        Raises:
            Unavailable: there is none.
        """
        ...


class Replica:
    """A running replica."""

    def __init__(self, client: EnvoyClient) -> None:
        self._client = client

    async def ask(self, request: SampleRequest) -> Told:
        """See `Source`."""
        started = time.perf_counter()
        response = await self._client.check(request.check_request())
        return Told(answer=answer_of(response), seconds=time.perf_counter() - started)


@asynccontextmanager
async def replica(address: str, *, timeout_seconds: float, tls: ClientTls | None) -> AsyncIterator[Source]:
    """A connection to a replica.

    Raises:
        ValueError: not an address.
    """
    async with EnvoyClient(address, timeout_seconds=timeout_seconds, tls=tls) as client:
        yield Replica(client)
