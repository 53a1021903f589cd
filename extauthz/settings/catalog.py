"""Where the catalog comes from."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.redis import RedisSettings
from extauthz.settings.values import Text


class CatalogRedisSettings(RedisSettings):
    """The Redis through which replicas follow the catalog; it may be that of the cache."""

    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Of one command. No Check waits for it."""


class CatalogSettings(Strict):
    """A file, or a Redis that all replicas follow."""

    file: Text | None = None
    """Path of the catalog, relative to the settings."""
    reload_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """How often the file is looked at; a stat call costs microseconds."""
    redis: CatalogRedisSettings | None = None
    """Instead of a `file`."""
    secret: tuple[Text, ...] = ()
    """Names of secrets of at least 32 bytes: the first signs entries, all verify. Required with Redis."""
    reconcile_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How often the revision in Redis is compared with the one that is held, if no change was heard of."""
    kept_changes: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """What a replica may have missed without loading everything again."""

    def contradictions(self) -> Iterator[Mistake]:
        """One source, and what Redis needs."""
        if (self.file is None) == (self.redis is None):
            yield Mistake(location=(), message="give exactly one of `file` and `redis`")
        if self.redis is not None and not self.secret:
            hint = "name one or more of `secrets:`, each of at least 32 bytes, the same on every replica"
            yield Mistake(location=("secret",), message="is missing: Redis alone must not grant access", hint=hint)
        if self.redis is None and self.secret:
            yield Mistake(location=("secret",), message="goes with `redis`")
