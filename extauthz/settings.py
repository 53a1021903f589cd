"""Settings of a process: one YAML file, checked as a whole; every limit has a unit and a default with its reason."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import CrossCheck, Strict
from extauthz.model.errors import ErrorFormat

Text = Annotated[str, Field(min_length=1, max_length=4096)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]

_TCP = re.compile(r"^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?:[0-9]{1,5})$")
_PORT_MAX = 65535


def _tcp_address(value: str) -> str:
    if not _TCP.match(value) or int(value.rpartition(":")[2]) > _PORT_MAX:
        raise ValueError("must be `host:port`, e.g. `0.0.0.0:9191` or `[::]:9191`")
    return value


def _listen_address(value: str) -> str:
    if value.startswith("unix:/") and not value.startswith("unix://"):
        return value
    if not _TCP.match(value):
        raise ValueError("must be `host:port` or `unix:/path/of/the.sock`")
    return _tcp_address(value)


def _redis_url(value: str) -> str:
    parts = urlsplit(value)
    try:
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not place or not port_is_right or "@" in value:
        raise ValueError(
            "must be `redis://host:port/0`, `rediss://...` or `unix:///path`, without user name and password"
        )
    if parts.query or parts.fragment or (parts.scheme != "unix" and not re.fullmatch(r"/?[0-9]*", parts.path)):
        raise ValueError("may end with the number of a database, and with nothing else")
    return value


TcpAddress = Annotated[str, AfterValidator(_tcp_address)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]


class CacheBackend(StrEnum):
    """Where token facts are kept."""

    MEMORY = "memory"
    REDIS = "redis"


class SecretSettings(Strict):
    """Where a secret is, and where it may go."""

    env: Text | None = None
    file: Text | None = None
    hosts: frozenset[Text] = frozenset()
    """Hosts that the secret may be sent to; a secret for an endpoint on another host is never sent."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one place."""
        if (self.env is None) == (self.file is None):
            yield Mistake(location=(), message="give exactly one of `env` and `file`")


class CatalogSettings(Strict):
    """Where the catalog comes from."""

    file: Text
    reload_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """How often the file is looked at; a stat call costs microseconds."""


class RedisSettings(Strict):
    """The Redis that all replicas share."""

    url: Annotated[str, AfterValidator(_redis_url)]
    """Without user name and password: those are named apart, so that the URL can be logged."""
    username: Text | None = None
    password: Text | None = None
    """Name of a secret."""
    key_prefix: Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,64}$")] = "extauthz:"
    timeout_seconds: Annotated[float, Field(gt=0, le=5)] = 0.1
    """A healthy Redis answers within a millisecond; longer, and asking the issuer is the better way."""


class CacheSettings(Strict):
    """What is remembered about tokens."""

    backend: CacheBackend = CacheBackend.MEMORY
    secret: tuple[Text, ...] = ()
    """Names of secrets of at least 32 bytes: the first seals, all open. Required with Redis."""
    redis: RedisSettings | None = None
    entries: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Tokens in process; a fact takes about 2 KiB, so 100 MiB."""
    negative_entries: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Refused tokens, in a store of their own, so that a flood of bad tokens evicts no good one."""
    ttl_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long an issuer's word is believed without asking again; less where the token ends earlier."""
    negative_ttl_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0

    def contradictions(self) -> Iterator[Mistake]:
        """Redis needs an address and a secret; memory has no use for either address."""
        if self.backend is CacheBackend.REDIS:
            if self.redis is None:
                yield Mistake(
                    location=("redis",), message="is missing", hint="`backend: redis` needs `redis: {url: ...}`"
                )
            if not self.secret:
                hint = "name one or more of `secrets:`, each of at least 32 bytes, the same on every replica"
                yield Mistake(location=("secret",), message="is missing: what goes to Redis is sealed", hint=hint)
        elif self.redis is not None:
            yield Mistake(location=("redis",), message="contradicts `backend: memory`", hint="set `backend: redis`")


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


def _secret_names(
    secrets: dict[str, SecretSettings], cache: CacheSettings, backend_jwt: BackendJwtSettings | None
) -> Iterator[Mistake]:
    named: list[tuple[Location, str]] = [(("cache", "secret", index), name) for index, name in enumerate(cache.secret)]
    if cache.redis and cache.redis.password:
        named.append((("cache", "redis", "password"), cache.redis.password))
    if backend_jwt:
        named.append((("backend_jwt", "key"), backend_jwt.key))
    for location, name in named:
        if name not in secrets:
            hint = f"known are {', '.join(sorted(secrets))}" if secrets else "add it to `secrets:`"
            yield Mistake(location=location, message=f"`{name}` is not one of `secrets:`", hint=hint)


class Settings(Strict):
    """The file of `extauthz serve --config`."""

    listen: ListenAddress = "127.0.0.1:9191"
    """Where Envoy connects: `host:port` or `unix:/path`."""
    operations: OperationsSettings = OperationsSettings()
    catalog: CatalogSettings
    cache: CacheSettings = CacheSettings()
    backend_jwt: BackendJwtSettings | None = None
    """None: no backend JWT is made (a passed-through one still is)."""
    errors: ErrorSettings = ErrorSettings()
    limits: LimitSettings = LimitSettings()
    secrets: dict[str, SecretSettings] = Field(default_factory=dict)

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (
        CrossCheck(needs=("secrets", "cache", "backend_jwt"), find=_secret_names),
    )
