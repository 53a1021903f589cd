"""A revocation as an operator or a key manager declares it, and the entry that is kept of it."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from extauthz.model.key_manager import DEFAULT_ORGANIZATION

LATEST_TIME = 253_402_300_799.0
"""The end of the year 9999; a later end is a way to say that there is none."""


class RevocationForm(StrEnum):
    """By what tokens are revoked."""

    TOKEN = "token"  # noqa: S105 - a form
    TOKEN_ID = "jti"  # noqa: S105 - a form
    CLIENT = "client"
    SUBJECT = "subject"

    @property
    def indirect(self) -> bool:
        """Whether it stands for all tokens that somebody got until some time."""
        return self in {RevocationForm.CLIENT, RevocationForm.SUBJECT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One token, or all tokens that a client or a subject got until some time. Times are seconds since the epoch.

    Raises:
        ValueError: an empty name or value, a time that is none, or a time that does not belong to the form.
    """

    organization: str = DEFAULT_ORGANIZATION
    key_manager: str
    form: RevocationForm
    value: str = field(repr=False)
    issued_until: float | None = None
    """Of an indirect form: tokens issued at this time or before it are revoked."""
    expires_at: float | None = None
    """Of the other forms: `exp` of the token; None: not known."""

    def __post_init__(self) -> None:
        if not (self.organization and self.key_manager and self.value):
            raise ValueError("organization, key manager and value must not be empty")
        if self.form.indirect and (self.issued_until is None or self.expires_at is not None):
            raise ValueError("tokens of a client or a subject are revoked by when they were issued")
        if not self.form.indirect and self.issued_until is not None:
            raise ValueError("one token is revoked whenever it was issued")
        for time in (self.issued_until, self.expires_at):
            if time is not None and not (math.isfinite(time) and 0 <= time <= LATEST_TIME):
                raise ValueError("a time must be seconds since 1970, at most those of the year 9999")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is kept of a revocation: its name tells nothing to whoever has not the secret."""

    name: bytes
    issued_until: float | None
    """None: whenever it was issued."""
    keep_until: float
    """Then no token that it could mean is valid any more."""
