"""Proving who we are by a bearer token of our own (RFC 6750 §2.1), which is renewed as it ends."""

import asyncio
from functools import partial
from typing import Protocol

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.oauth2.client_authentication import ClientProof
from extauthz.oauth2.token_client import COMPONENT, IssuedToken


class Grant(Protocol):
    """Gets a token; asked by one caller at a time."""

    async def obtain(self) -> IssuedToken:
        """A token that was not given before.

        Raises:
            Unavailable: the token endpoint does not answer, or not with a token.
        """
        ...


class BearerAuthentication:
    """One token for all requests, until a new one takes its place, it expires, or an endpoint answers with 401.

    A new one is asked for shortly before it expires, and nobody waits for that: a token endpoint that fails or hangs
    then takes no time from the token that is still good.

    At most one request for a token is under way; it belongs to this object, so a cancelled waiter does not stop it (and
    a rotated refresh token is not lost with it). Must be closed.
    """

    def __init__(self, grant: Grant, clock: Clock) -> None:
        self._grant = grant
        self._clock = clock
        self._token: IssuedToken | None = None
        self._flight: asyncio.Task[IssuedToken] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<BearerAuthentication token={self._token is not None} asking={self._flight is not None}>"

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - the endpoint is the one of the configuration
        """The Authorization header.

        Raises:
            Unavailable: a token was needed, and not given.
        """
        token, now = self._token, self._clock()
        if token is None or now >= token.expires_at:
            token = await self._renewed()
        elif now >= token.renew_at:
            self._renewal()
        return ClientProof(
            headers={"Authorization": f"Bearer {token.access_token}"}, discard=partial(self._discard, token)
        )

    async def close(self) -> None:
        """Stops the request that is under way, if any; nothing is asked from now on."""
        self._closed = True
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    def _discard(self, token: IssuedToken) -> None:
        # Of many requests that were refused with one token, the first to say so makes it renewed.
        if self._token is token:
            self._token = None

    def _renewal(self) -> asyncio.Task[IssuedToken]:
        """The request for a token that is under way; begun now, if there was none."""
        if self._closed:
            raise Unavailable(COMPONENT, "closed")
        if self._flight is None:
            self._flight = asyncio.create_task(self._obtain(), name="token request")
            self._flight.add_done_callback(self._landed)
        return self._flight

    async def _renewed(self) -> IssuedToken:
        flight = self._renewal()
        # wait() leaves the flight alone when this waiter is cancelled.
        await asyncio.wait({flight})
        if flight.cancelled():
            raise Unavailable(COMPONENT, "closed")
        return flight.result()

    async def _obtain(self) -> IssuedToken:
        self._token = await self._grant.obtain()
        return self._token

    def _landed(self, flight: asyncio.Task[IssuedToken]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # every waiter may have left: nobody else would look at it
