"""The file of `extauthz serve`, and what must hold between its sections."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import CrossCheck, Strict
from extauthz.model.errors import ErrorFormat
from extauthz.settings.binding import ClientCertificateSettings, DpopSettings
from extauthz.settings.cache import CacheSettings
from extauthz.settings.revocation import RevocationSettings
from extauthz.settings.secrets import SecretSettings
from extauthz.settings.values import HeaderName, ListenAddress, TcpAddress, Text


class CatalogSettings(Strict):
    """Where the catalog comes from."""

    file: Text
    reload_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """How often the file is looked at; a stat call costs microseconds."""


class SigningAlgorithm(StrEnum):
    """How the backend JWT is signed."""

    RS256 = "RS256"
    ES256 = "ES256"


class BackendJwtSettings(Strict):
    """The token that tells the upstream who called."""

    key: Text
    """Name of a secret: a private key in PEM, RSA of at least 2048 bits or EC P-256."""
    algorithm: SigningAlgorithm = SigningAlgorithm.RS256
    header: HeaderName = "X-JWT-Assertion"
    issuer: Text = "wso2.org/products/am"
    audience: tuple[Text, ...] = ()
    dialect: Text = "http://wso2.org/claims"
    ttl_seconds: Annotated[int, Field(ge=10, le=86_400)] = 900
    """Must outlive Envoy's retries of one request; API Manager's default."""


class ErrorSettings(Strict):
    """How refusals look."""

    format: ErrorFormat = ErrorFormat.APIM
    realm: Annotated[str, Field(pattern=r"^[\x20\x21\x23-\x5B\x5D-\x7E]{1,128}$")] = "extauthz"


class LimitSettings(Strict):
    """Bounds on time and size."""

    check_seconds: Annotated[float, Field(gt=0, le=60)] = 2.5
    """Own time budget of a Check. Envoy's `timeout` must be longer, or Envoy answers without a reason."""
    token_bytes: Annotated[int, Field(ge=512, le=65_536)] = 16_384
    """A longer token is refused before it is decoded."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    """After SIGTERM: how long Check is still answered while health says NOT_SERVING, so that Envoy moves away."""
    grace_seconds: Annotated[float, Field(ge=0, le=600)] = 10.0
    """After that: how long Checks in flight may take to finish."""


class OperationsSettings(Strict):
    """HTTP for operators."""

    listen: TcpAddress = "127.0.0.1:9192"
    token: Text | None = None
    """Name of a secret of at least 32 bytes: the bearer token of whoever may revoke. None: nobody may, over HTTP."""


def _revocation_secrets(revocation: RevocationSettings) -> Iterator[tuple[Location, str]]:
    for index, name in enumerate(revocation.secret):
        yield ("revocation", "secret", index), name
    if revocation.redis and revocation.redis.password:
        yield ("revocation", "redis", "password"), revocation.redis.password
    if revocation.notifications and revocation.notifications.password:
        yield ("revocation", "notifications", "password"), revocation.notifications.password


def _secret_names(
    secrets: dict[str, SecretSettings],
    cache: CacheSettings,
    backend_jwt: BackendJwtSettings | None,
    revocation: RevocationSettings,
    operations: OperationsSettings,
) -> Iterator[Mistake]:
    named: list[tuple[Location, str]] = [(("cache", "secret", index), name) for index, name in enumerate(cache.secret)]
    named += _revocation_secrets(revocation)
    if operations.token:
        named.append((("operations", "token"), operations.token))
    if cache.redis and cache.redis.password:
        named.append((("cache", "redis", "password"), cache.redis.password))
    if backend_jwt:
        named.append((("backend_jwt", "key"), backend_jwt.key))
    for location, name in named:
        if name not in secrets:
            hint = f"known are {', '.join(sorted(secrets))}" if secrets else "add it to `secrets:`"
            yield Mistake(location=location, message=f"`{name}` is not one of `secrets:`", hint=hint)


def _nonce_secret_names(secrets: dict[str, SecretSettings], dpop: DpopSettings | None) -> Iterator[Mistake]:
    for index, name in enumerate(dpop.nonce_secret if dpop else ()):
        if name not in secrets:
            location = ("dpop", "nonce_secret", index)
            yield Mistake(location=location, message=f"`{name}` is not one of `secrets:`", hint="add it to `secrets:`")


class Settings(Strict):
    """The file of `extauthz serve --config`."""

    listen: ListenAddress = "127.0.0.1:9191"
    """Where Envoy connects: `host:port` or `unix:/path`."""
    operations: OperationsSettings = OperationsSettings()
    catalog: CatalogSettings
    cache: CacheSettings = CacheSettings()
    revocation: RevocationSettings = RevocationSettings()
    client_certificate: ClientCertificateSettings = ClientCertificateSettings()
    dpop: DpopSettings | None = None
    """None: the DPoP scheme is not accepted, and a token that is bound to a key is refused."""
    backend_jwt: BackendJwtSettings | None = None
    """None: no backend JWT is made (a passed-through one still is)."""
    errors: ErrorSettings = ErrorSettings()
    limits: LimitSettings = LimitSettings()
    secrets: dict[str, SecretSettings] = Field(default_factory=dict)

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (
        CrossCheck(needs=("secrets", "dpop"), find=_nonce_secret_names),
        CrossCheck(needs=("secrets", "cache", "backend_jwt", "revocation", "operations"), find=_secret_names),
    )
