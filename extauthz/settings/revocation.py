"""What is no longer valid, and how replicas learn it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.key_manager import DEFAULT_ORGANIZATION
from extauthz.settings.redis import RedisSettings
from extauthz.settings.values import Text


class RevocationBackend(StrEnum):
    """Where revocations are kept."""

    MEMORY = "memory"
    REDIS = "redis"


class UnboundedTokens(StrEnum):
    """What becomes of tokens that may be valid for longer than a revocation of them is kept."""

    INTROSPECT = "introspect"
    REFUSE = "refuse"


class RevocationRedisSettings(RedisSettings):
    """The Redis through which replicas learn of revocations; it may be that of the cache."""

    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    """No Check waits for it; whoever revokes does, and must not be told of a failure too early."""


class NotificationSettings(Strict):
    """Revocations as WSO2 Identity Server posts them. They do not name a key manager of ours, so it is named here."""

    key_manager: Text
    """Id of the key manager whose tokens they are about."""
    organization: Text = DEFAULT_ORGANIZATION
    """That of the key manager."""
    username: Text | None = None
    """HTTP Basic, which is what the server can do, at `/internal/data/v1/notify`; None: there is no such path."""
    password: Text | None = None
    """Name of a secret."""

    def contradictions(self) -> Iterator[Mistake]:
        """Both halves of the credentials, or none."""
        if (self.username is None) != (self.password is None):
            yield Mistake(location=(), message="give both of `username` and `password`, or none")
        elif ":" in (self.username or ""):
            yield Mistake(location=("username",), message="must have no colon (RFC 7617 §2)")


class RevocationSettings(Strict):
    """What is no longer valid before its time."""

    backend: RevocationBackend = RevocationBackend.MEMORY
    """Memory serves one process: another replica would not learn of anything."""
    secret: tuple[Text, ...] = ()
    """Names of secrets of at least 32 bytes: the first makes entries, all match. Required with Redis."""
    redis: RevocationRedisSettings | None = None
    """Goes with `backend: redis`."""
    retention_seconds: Annotated[float, Field(ge=172_800, le=31_622_400)] = 2_592_000.0
    """30 days, longer than access tokens live; two days at least, so that it outlasts what any cache believes."""
    unbounded_tokens: UnboundedTokens = UnboundedTokens.INTROSPECT
    """Applies where revocations can come in: by Redis, `operations.token` or `notifications`."""
    notifications: NotificationSettings | None = None
    """None: those of WSO2 Identity Server are not understood."""

    def contradictions(self) -> Iterator[Mistake]:
        """Redis needs an address and a secret; memory has no use for the address."""
        if self.backend is RevocationBackend.REDIS:
            if self.redis is None:
                hint = "`backend: redis` needs `redis:` with a `url`, `sentinel` or `cluster`"
                yield Mistake(location=("redis",), message="is missing", hint=hint)
            if not self.secret:
                hint = "name one or more of `secrets:`, each of at least 32 bytes, the same on every replica"
                yield Mistake(location=("secret",), message="is missing: it names what goes to Redis", hint=hint)
        elif self.redis is not None:
            yield Mistake(location=("redis",), message="contradicts `backend: memory`", hint="set `backend: redis`")
