"""A generated signing key, and the file that keeps it over a restart."""

import contextlib
import os
import secrets
from pathlib import Path

import structlog

from extauthz.model.errors import Unavailable
from extauthz.resident.database import sqlite_file
from extauthz.resident.signing_key import SigningKey, generated_pem

logger = structlog.get_logger(__name__)


def generated_key(database: str) -> SigningKey:
    """The key that belongs to a SQLite database: kept beside its file, or as short-lived as a database in memory.

    Raises:
        Unavailable: the file cannot be used.
    """
    file = sqlite_file(database)
    if file is None:
        signing_key = SigningKey.from_pem(generated_pem())
        logger.info("signing key generated for this run only, like the database in memory", kid=signing_key.kid)
        return signing_key
    path = file.with_suffix(".signing-key.pem")
    signing_key = _kept(path)
    logger.info("signing key kept in a file", kid=signing_key.kid, file=str(path.absolute()))
    return signing_key


def _kept(path: Path) -> SigningKey:
    try:
        if not path.exists():
            _write_once(path, generated_pem())
        return SigningKey.from_pem(path.read_text())
    except OSError as exc:
        raise Unavailable("signing key", f"the file {path} cannot be used: {exc.strerror}") from exc
    except ValueError as exc:
        raise Unavailable("signing key", f"the file {path} {exc}") from exc


def _write_once(path: Path, content: str) -> None:
    # Written aside and linked into place: another process that starts at the same time sees a whole key or none, and
    # the first of both wins.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
