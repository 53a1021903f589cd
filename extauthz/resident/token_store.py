"""The tokens that were issued, as fingerprints, in a relational database."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, BigInteger, CursorResult, Engine, String, delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from extauthz.model.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """What is kept about a token. Times are whole seconds since the epoch."""

    fingerprint: str = field(repr=False)
    token_id: str
    """`jti`."""
    client_id: str
    signing_key: str | None
    """`kid` of a JWT's key; None for an opaque token."""
    issued_at: int
    expires_at: int
    revoked_at: int | None = None
    claims: Mapping[str, Any] = field(repr=False)
    """As they stand in the JWT, or would."""

    def check_client(self, client: Any) -> bool:
        """Whether the token was issued to a client; Authlib asks."""
        return bool(self.client_id == client.client_id)


def fingerprint(token: str) -> str:
    """SHA-256, in hexadecimal: finds a token's row without being the token, which has 128 random bits or more."""
    return hashlib.sha256(token.encode()).hexdigest()


_UNSYNCHRONIZED = {"synchronize_session": False}
"""A session lives for one statement, so there are no objects in it to bring up to date."""


class _Table(DeclarativeBase):
    pass


class _Token(_Table):
    __tablename__ = "resident_token"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(String(255), index=True)
    signing_key: Mapped[str | None] = mapped_column(String(64))
    issued_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    claims: Mapped[dict[str, Any]] = mapped_column(JSON)


class TokenStore:
    """Keeps issued tokens until they expire. Every method may raise `Unavailable`, and may be called by any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_tables(self) -> None:
        """Makes the tables that are not there yet."""
        with _mapped():
            _Table.metadata.create_all(self._engine)

    def add(self, token: IssuedToken) -> None:
        """Records a token; only then may it leave the server."""
        columns = {column.name: getattr(token, column.name) for column in _Token.__table__.columns}
        with self._transaction() as session:
            session.add(_Token(**columns | {"claims": dict(token.claims)}))

    def find(self, token: str) -> IssuedToken | None:
        """What is kept about a token; None for one that this server did not issue, or has forgotten as expired."""
        with self._transaction() as session:
            row = session.get(_Token, fingerprint(token))
            return _issued_token(row) if row else None

    def revoke(self, token: IssuedToken, now: int) -> None:
        """Marks a token as revoked; a second revocation changes nothing."""
        unrevoked = (_Token.fingerprint == token.fingerprint) & _Token.revoked_at.is_(None)
        with self._transaction() as session:
            session.execute(update(_Token).where(unrevoked).values(revoked_at=now), execution_options=_UNSYNCHRONIZED)

    def delete_expired(self, now: int) -> int:
        """Forgets tokens that have expired; how many."""
        with self._transaction() as session:
            expired = delete(_Token).where(_Token.expires_at <= now)
            result = session.execute(expired, execution_options=_UNSYNCHRONIZED)
            return result.rowcount if isinstance(result, CursorResult) else 0

    def ping(self) -> None:
        """Asks the database for a sign of life."""
        with self._transaction() as session:
            session.execute(select(text("1")))

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with _mapped(), Session(self._engine) as session, session.begin():
            yield session


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        raise Unavailable("database", type(exc).__name__) from exc


def _issued_token(row: _Token) -> IssuedToken:
    return IssuedToken(**{column.name: getattr(row, column.name) for column in _Token.__table__.columns})
