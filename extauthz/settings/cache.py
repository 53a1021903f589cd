"""What is remembered about tokens, and where."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.redis import RedisSettings
from extauthz.settings.values import Text


class CacheBackend(StrEnum):
    """Where token facts are kept."""

    MEMORY = "memory"
    REDIS = "redis"


class FactCacheSettings(Strict):
    """What is remembered about good tokens of one form."""

    enabled: bool = True
    """False: every Check of a token asks again; those at one time share one question."""
    entries: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Tokens in process; a fact takes about 2 KiB, so 100 MiB."""
    ttl_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long an issuer's word is believed without asking again; less where the token ends earlier."""


class NegativeCacheSettings(Strict):
    """What is remembered about tokens that their issuer, or they themselves, refuse."""

    enabled: bool = True
    """False: such a token is asked about again on every Check."""
    entries: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """In a store of their own, so that a flood of bad tokens evicts no good one."""
    ttl_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long such a token stays refused."""


class BackendJwtCacheSettings(Strict):
    """The backend JWTs that are used again for the same token and API."""

    enabled: bool = True
    """False: one is signed for every Check."""
    entries: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """How long each is used follows from `backend_jwt.ttl_seconds`."""


class CacheSettings(Strict):
    """What is remembered about tokens."""

    backend: CacheBackend = CacheBackend.MEMORY
    secret: tuple[Text, ...] = ()
    """Names of secrets of at least 32 bytes: the first seals, all open. Required with Redis."""
    redis: RedisSettings | None = None
    """Goes with `backend: redis`."""
    jwt: FactCacheSettings = FactCacheSettings()
    """In process only: verifying a signature again costs less than asking Redis."""
    introspection: FactCacheSettings = FactCacheSettings()
    negative: NegativeCacheSettings = NegativeCacheSettings()
    """Beside each of the two above."""
    backend_jwt: BackendJwtCacheSettings = BackendJwtCacheSettings()

    def contradictions(self) -> Iterator[Mistake]:
        """Redis needs an address and a secret; memory has no use for the address."""
        if self.backend is CacheBackend.REDIS:
            if self.redis is None:
                hint = "`backend: redis` needs `redis:` with a `url`, `sentinel` or `cluster`"
                yield Mistake(location=("redis",), message="is missing", hint=hint)
            if not self.secret:
                hint = "name one or more of `secrets:`, each of at least 32 bytes, the same on every replica"
                yield Mistake(location=("secret",), message="is missing: what goes to Redis is sealed", hint=hint)
            if not self.introspection.enabled:
                hint = "introspected tokens are what is shared there"
                yield Mistake(location=("introspection", "enabled"), message="contradicts `backend: redis`", hint=hint)
        elif self.redis is not None:
            yield Mistake(location=("redis",), message="contradicts `backend: memory`", hint="set `backend: redis`")
