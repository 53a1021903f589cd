"""Opens the database so that several threads may use it."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, QueuePool, create_engine, event
from sqlalchemy.engine import make_url

from extauthz.model.errors import Unavailable

POOL_TIMEOUT_SECONDS = 5
"""How long a request waits for a connection, and for another writer of a SQLite file, before it is refused."""


def open_engine(database: str) -> Engine:
    """An engine for an SQLAlchemy URL.

    Raises:
        Unavailable: a SQLite file cannot be made.
    """
    url = make_url(database)
    if url.get_backend_name() != "sqlite":
        return _engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    path = sqlite_file(database)
    if path is None:
        # Each connection to `:memory:` is a database of its own: the threads take turns on one.
        return _engine(url, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    _make_private(path)
    engine = _engine(url, pool_size=10, max_overflow=10, connect_args={"timeout": POOL_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _write_ahead)
    return engine


def sqlite_file(database: str) -> Path | None:
    """The file of a SQLite database; None for another database, or one in memory."""
    url = make_url(database)
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in {"", ":memory:"} or name.startswith("file:"):
        return None
    return Path(name)


def _engine(url: URL, **options: Any) -> Engine:
    # hide_parameters: an error message must not repeat what is stored.
    return create_engine(url, poolclass=QueuePool, pool_timeout=POOL_TIMEOUT_SECONDS, hide_parameters=True, **options)


def _make_private(path: Path) -> None:
    # SQLite would leave the mode to the umask; its journal files follow the database's.
    try:
        path.touch(mode=0o600)
    except OSError as exc:
        raise Unavailable("database", f"the file {path} cannot be made or opened: {exc.strerror}") from exc


def _write_ahead(connection: Any, _record: object) -> None:
    # Readers do not wait for a writer. `synchronous` stays FULL: a revocation that was answered survives a power cut.
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
    finally:
        cursor.close()
