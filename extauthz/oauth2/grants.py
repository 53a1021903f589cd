"""What gets this service a token of its own: see `Grant` in `oauth2/bearer_authentication.py`."""

import math

from extauthz.oauth2.token_client import InvalidGrant, IssuedToken, TokenClient


class ClientCredentials:
    """RFC 6749 §4.4."""

    def __init__(self, client: TokenClient) -> None:
        self._client = client

    async def obtain(self) -> IssuedToken:
        """See `Grant`."""
        return await self._client.request({"grant_type": "client_credentials"})


class Refresh:
    """RFC 6749 §6, with the newest refresh token, which is kept in memory only."""

    def __init__(self, client: TokenClient, refresh_token: str | None = None) -> None:
        self._client = client
        self._refresh_token = refresh_token

    @property
    def possible(self) -> bool:
        """Whether there is a refresh token."""
        return self._refresh_token is not None

    def keep(self, issued: IssuedToken) -> None:
        """From now on uses the refresh token that came with an access token, if one did."""
        self._refresh_token = issued.refresh_token or self._refresh_token

    def forget(self) -> None:
        """Gives up a refresh token that is worth nothing any more."""
        self._refresh_token = None

    async def obtain(self) -> IssuedToken:
        """See `Grant`; a refresh token that comes with the answer takes the place of the old one.

        Raises:
            InvalidGrant: the refresh token is not accepted, or there is none.
        """
        if self._refresh_token is None:
            raise InvalidGrant("token_endpoint", "there is no refresh token")
        issued = await self._client.request({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        self.keep(issued)
        return issued


class Password:
    """RFC 6749 §4.3; later tokens by refresh, and with the password again once a refresh token is not accepted."""

    def __init__(self, client: TokenClient, *, username: str, password: str, refresh: Refresh | None = None) -> None:
        self._client = client
        self._grant = {"grant_type": "password", "username": username, "password": password}
        self._refresh = refresh
        self._begun = False

    async def obtain(self) -> IssuedToken:
        """See `Grant`."""
        if self._begun and self._refresh and self._refresh.possible:
            try:
                return await self._refresh.obtain()
            except InvalidGrant:
                self._refresh.forget()
        issued = await self._client.request(self._grant)
        self._begun = True
        if self._refresh:
            self._refresh.keep(issued)
        return issued


class DirectToken:
    """The operator's token until the endpoint answers with 401, since nobody says when it ends; then by refresh."""

    def __init__(self, access_token: str, refresh: Refresh) -> None:
        self._first: IssuedToken | None = IssuedToken(access_token=access_token, renew_at=math.inf, expires_at=math.inf)
        self._refresh = refresh

    async def obtain(self) -> IssuedToken:
        """See `Grant`."""
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return await self._refresh.obtain()
        except InvalidGrant as exc:
            detail = f"{exc.detail}: neither the direct token nor its refresh token is accepted, give new ones"
            raise InvalidGrant(exc.component, detail) from exc
