"""The file of `extauthz serve`, and what must hold between its sections."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import CrossCheck, Strict
from extauthz.model.errors import ErrorFormat
from extauthz.settings.backend_jwt import BackendJwtSettings, UpstreamHeaderSettings
from extauthz.settings.binding import ClientCertificateSettings, DpopSettings
from extauthz.settings.cache import CacheSettings
from extauthz.settings.callers import ApiKeySettings, ClientAddressSettings
from extauthz.settings.catalog import CatalogSettings
from extauthz.settings.extensions import ExtensionsSettings
from extauthz.settings.http_check import HttpCheckSettings
from extauthz.settings.reload import ReloadSettings
from extauthz.settings.revocation import RevocationSettings
from extauthz.settings.secrets import SecretSettings
from extauthz.settings.server import GrpcSettings, TlsSettings
from extauthz.settings.telemetry import LogSettings, MetricsSettings, TracesSettings
from extauthz.settings.values import HeaderName, ListenAddress, TcpAddress, Text


class ErrorSettings(Strict):
    """How refusals look."""

    format: ErrorFormat = ErrorFormat.APIM
    realm: Annotated[str, Field(pattern=r"^[\x20\x21\x23-\x5B\x5D-\x7E]{1,128}$")] = "extauthz"
    """Of `WWW-Authenticate`."""


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
    """`host:port` of the pages for operators."""
    token: Text | None = None
    """Name of a secret of at least 32 bytes: the bearer token of whoever may revoke and look inside.

    None: nobody may, over HTTP.
    """


_WITH_SECRETS = ("operations", "catalog", "cache", "revocation", "dpop", "backend_jwt", "api_keys", "traces")
_NAMES_OF_SECRETS = frozenset({"secret", "password", "token", "key", "nonce_secret", "headers_secret"})
"""The settings, in whatever section, whose values are names of secrets."""


def _named_secrets(value: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _named_secrets(item, (*location, index))
    elif isinstance(value, Strict):
        for name in type(value).model_fields:
            yield from _named_secrets(getattr(value, name), (*location, name))
    elif isinstance(value, str) and _NAMES_OF_SECRETS.intersection(location[-2:]):
        yield location, value


def _secret_names(section: str, secrets: dict[str, SecretSettings], value: object) -> Iterator[Mistake]:
    for location, name in _named_secrets(value, (section,)):
        if name not in secrets:
            hint = f"known are {', '.join(sorted(secrets))}" if secrets else "add it to `secrets:`"
            yield Mistake(location=location, message=f"`{name}` is not one of `secrets:`", hint=hint)


def _time_to_finish(grpc: GrpcSettings, limits: LimitSettings) -> Iterator[Mistake]:
    if grpc.max_connection_age_grace_seconds < limits.check_seconds:
        message = "must not be below `limits.check_seconds`, or Checks are cut off"
        yield Mistake(location=("grpc", "max_connection_age_grace_seconds"), message=message)


class Settings(Strict):
    """The file of `extauthz serve --config`."""

    listen: ListenAddress = "127.0.0.1:9191"
    """Where Envoy connects: `host:port` or `unix:/path`."""
    tls: TlsSettings | None = None
    """None: Envoy is spoken to in the clear."""
    grpc: GrpcSettings = GrpcSettings()
    operations: OperationsSettings = OperationsSettings()
    catalog: CatalogSettings
    cache: CacheSettings = CacheSettings()
    revocation: RevocationSettings = RevocationSettings()
    client_certificate: ClientCertificateSettings = ClientCertificateSettings()
    client_address: ClientAddressSettings = ClientAddressSettings()
    api_keys: ApiKeySettings | None = None
    """None: no API key is accepted."""
    dpop: DpopSettings | None = None
    """None: the DPoP scheme is not accepted, and a token that is bound to a key is refused."""
    backend_jwt: BackendJwtSettings | None = None
    """None: no backend JWT is made (a passed-through one still is)."""
    upstream_headers: dict[HeaderName, UpstreamHeaderSettings] = Field(default_factory=dict)
    """What else the upstream is told, by header name."""
    extensions: ExtensionsSettings = ExtensionsSettings()
    errors: ErrorSettings = ErrorSettings()
    limits: LimitSettings = LimitSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TracesSettings | None = None
    """None: nothing is traced."""
    http_check: HttpCheckSettings | None = None
    """None: only Envoy may ask, by gRPC."""
    shadow: bool = False
    """Whether every request is let through, and what would be refused is only recorded."""
    reload: ReloadSettings = ReloadSettings()
    secrets: dict[str, SecretSettings] = Field(default_factory=dict)
    """By the name that the rest of the settings, and the catalog, use."""

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (
        *(CrossCheck(needs=("secrets", section), find=partial(_secret_names, section)) for section in _WITH_SECRETS),
        CrossCheck(needs=("grpc", "limits"), find=_time_to_finish),
    )
