"""How the cache's Redis is used, from its settings."""

from extauthz.cache.redis_connection import RedisOptions
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.settings.cache import RedisSettings


def redis_options(settings: RedisSettings, secrets: Secrets) -> RedisOptions:
    """The options with the password in them.

    Raises:
        DocumentError: the password is not text.
    """
    try:
        password = secrets.text(settings.password) if settings.password else None
    except ValueError as error:
        location = ("cache", "redis", "password")
        raise DocumentError("settings", [Mistake(location=location, message=str(error))]) from error
    return RedisOptions(
        prefix=settings.key_prefix,
        timeout_seconds=settings.timeout_seconds,
        username=settings.username,
        password=password,
    )
