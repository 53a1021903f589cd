"""How a key manager's introspection endpoint is told who asks: each way of the catalog, with its secrets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from extauthz.data_plane.secrets import Secrets
from extauthz.model.clock import Clock
from extauthz.model.key_manager import (
    BasicAuthentication,
    ClientCredentialsGrant,
    ClientSecretPost,
    CredentialPlacement,
    DirectToken,
    EndpointAuthentication,
    MutualTls,
    PasswordGrant,
    PrivateKeyJwt,
    RefreshGrant,
    TokenRequest,
)
from extauthz.oauth2 import grants
from extauthz.oauth2.bearer_authentication import BearerAuthentication, Grant
from extauthz.oauth2.bounded_http import BoundedHttp
from extauthz.oauth2.client_assertion import ClientAssertion
from extauthz.oauth2.client_authentication import (
    BasicClientAuthentication,
    ClientAuthentication,
    FixedBearerToken,
    PostClientAuthentication,
    UnprovenClient,
)
from extauthz.oauth2.private_key import signing_key
from extauthz.oauth2.tls import ClientCertificate
from extauthz.oauth2.token_client import TokenClient


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAuthentications:
    """Makes what proves who asks at one key manager's introspection endpoint."""

    issuer: str
    endpoint: str
    token_http: BoundedHttp = field(repr=False)
    """To the token endpoints, where a token must be asked for first."""
    secrets: Secrets
    clock: Clock

    def of(self, way: EndpointAuthentication) -> ClientAuthentication:
        """The proof of one way.

        Raises:
            ValueError: a secret is not there, may not be sent where it would be, or is of no use for this.
        """
        match way:
            case BasicAuthentication():
                password = self.secrets.for_endpoint(way.password_secret, self.endpoint)
                return BasicClientAuthentication(username=way.username, password=password)
            case ClientSecretPost():
                secret = self.secrets.for_endpoint(way.client_secret, self.endpoint)
                return PostClientAuthentication(client_id=way.client_id, client_secret=secret)
            case PrivateKeyJwt():
                return self._assertion(way)
            case MutualTls():
                return self._certified(way)
            case ClientCredentialsGrant() | PasswordGrant():
                return BearerAuthentication(self._grant(way), self.clock)
            case DirectToken():
                return self._direct(way)
            case _:
                assert_never(way)

    def _assertion(self, way: PrivateKeyJwt) -> ClientAssertion:
        return ClientAssertion(
            client_id=way.client_id,
            audience=way.audience or self.issuer,
            key=signing_key(self.secrets.value(way.key_secret), way.algorithm),
            algorithm=way.algorithm,
            kid=way.kid,
            clock=self.clock,
        )

    def _certified(self, way: MutualTls) -> ClientAuthentication:
        if urlsplit(self.endpoint).scheme != "https":
            raise ValueError("`mutual_tls` needs an https endpoint")
        return UnprovenClient(client_id=way.client_id)

    def _grant(self, way: ClientCredentialsGrant | PasswordGrant) -> Grant:
        client = self._token_client(way.request)
        if isinstance(way, ClientCredentialsGrant):
            self._ensure_allowed(way.request.client_secret, [self.endpoint])
            return grants.ClientCredentials(client)
        password = self.secrets.for_endpoint(way.password_secret, way.request.token_endpoint)
        self._ensure_allowed(way.password_secret, self._places_of_tokens(way.refresh))
        return grants.Password(
            client,
            username=way.username,
            password=password,
            refresh=self._refresh(way.refresh) if way.refresh else None,
        )

    def _direct(self, way: DirectToken) -> ClientAuthentication:
        token = self.secrets.for_endpoint(way.token_secret, self.endpoint)
        if way.refresh is None:
            return FixedBearerToken(token=token)
        return BearerAuthentication(grants.DirectToken(token, self._refresh(way.refresh)), self.clock)

    def _refresh(self, refresh: RefreshGrant) -> grants.Refresh:
        endpoint, name = refresh.request.token_endpoint, refresh.refresh_token
        first = self.secrets.for_endpoint(name, endpoint) if name is not None else None
        self._ensure_allowed(name, [self.endpoint])
        return grants.Refresh(self._token_client(refresh.request), first)

    def _token_client(self, request: TokenRequest) -> TokenClient:
        client = self._client(request)
        return TokenClient(request.token_endpoint, client, self.token_http, self.clock, scopes=request.scopes)

    def _client(self, request: TokenRequest) -> ClientAuthentication:
        if request.client_secret is None or request.credentials is CredentialPlacement.NONE:
            return UnprovenClient(client_id=request.client_id)
        secret = self.secrets.for_endpoint(request.client_secret, request.token_endpoint)
        if request.credentials is CredentialPlacement.BODY:
            return PostClientAuthentication(client_id=request.client_id, client_secret=secret)
        return BasicClientAuthentication(username=request.client_id, password=secret)

    def _places_of_tokens(self, refresh: RefreshGrant | None) -> Iterable[str]:
        return [self.endpoint] if refresh is None else [self.endpoint, refresh.request.token_endpoint]

    def _ensure_allowed(self, name: str | None, urls: Iterable[str]) -> None:
        """A token that a secret buys is worth as much as the secret, so it goes only where the secret may go."""
        for url in urls:
            if name is not None:
                self.secrets.for_endpoint(name, url)


def client_certificate(way: EndpointAuthentication, secrets: Secrets, folder: Path) -> ClientCertificate | None:
    """What the TLS connection to the endpoint shows; None where another way proves who asks.

    The file is relative to `folder`.

    Raises:
        ValueError: the key's secret is not there.
    """
    if not isinstance(way, MutualTls):
        return None
    path = str(folder / way.certificate_file)
    return ClientCertificate(certificate_file=path, key=secrets.value(way.key_secret))
