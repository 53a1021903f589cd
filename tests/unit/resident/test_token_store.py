"""The store keeps what was issued, and never the token."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extauthz.model.errors import Unavailable
from extauthz.resident.database import open_engine
from extauthz.resident.token_store import IssuedToken, TokenStore, fingerprint


def issued(token: str, **changes: Any) -> IssuedToken:
    values: dict[str, Any] = {
        "fingerprint": fingerprint(token),
        "token_id": f"id of {token}",
        "client_id": "weather",
        "signing_key": None,
        "issued_at": 1000,
        "expires_at": 2000,
        "claims": {"sub": "weather", "n": [1, {"a": None}]},
    }
    return IssuedToken(**values | changes)


@pytest.fixture(params=["sqlite://", "sqlite:///{folder}/resident.db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TokenStore]:
    store = TokenStore(open_engine(request.param.format(folder=tmp_path)))
    store.create_tables()
    yield store
    store.close()


def test_a_recorded_token_is_found_as_it_was(store: TokenStore) -> None:
    store.add(issued("a"))
    assert store.find("a") == issued("a")
    assert store.find("b") is None


def test_revocation_is_of_one_token_and_keeps_its_first_time(store: TokenStore) -> None:
    store.add(issued("a"))
    store.add(issued("b"))
    store.revoke(issued("a"), now=1500)
    store.revoke(issued("a"), now=1600)
    assert store.find("a") == issued("a", revoked_at=1500)
    assert store.find("b") == issued("b")


def test_only_expired_tokens_are_forgotten(store: TokenStore) -> None:
    store.add(issued("past", expires_at=1999))
    store.add(issued("now", expires_at=2000))
    store.add(issued("future", expires_at=2001))
    assert store.delete_expired(now=2000) == 2
    assert store.delete_expired(now=2000) == 0
    assert (store.find("past"), store.find("now")) == (None, None)
    assert store.find("future")


def test_a_token_cannot_be_recorded_twice(store: TokenStore) -> None:
    store.add(issued("a"))
    with pytest.raises(Unavailable):
        store.add(issued("a"))
    with pytest.raises(Unavailable):
        store.add(issued("b", token_id="id of a"))


def test_a_database_without_tables_is_unavailable(tmp_path: Path) -> None:
    store = TokenStore(open_engine(f"sqlite:///{tmp_path}/resident.db"))
    with pytest.raises(Unavailable):
        store.find("a")
    store.close()


def test_a_database_file_is_for_its_owner_and_writes_ahead(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/resident.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    engine.dispose()
    assert stat.S_IMODE((tmp_path / "resident.db").stat().st_mode) == 0o600


def test_a_database_file_in_an_absent_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="database"):
        open_engine(f"sqlite:///{tmp_path}/absent/resident.db")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "resident.db").write_bytes(b"something else, and long enough to be looked at" * 10)
    store = TokenStore(open_engine(f"sqlite:///{tmp_path}/resident.db"))
    with pytest.raises(Unavailable):
        store.create_tables()
    store.close()
