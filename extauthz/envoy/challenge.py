"""`WWW-Authenticate: Bearer` (RFC 6750 §3)."""

import re
from collections.abc import Iterable

# RFC 6750 §3: what `error_description` and `scope` may hold; it needs no escape in a quoted string.
_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3


def challenge(realm: str, error: str | None = None, description: str | None = None, scopes: Iterable[str] = ()) -> str:
    """The field's value. Scopes that RFC 6749 does not allow are left out.

    Raises:
        ValueError: a parameter that would need an escape.
    """
    scope = " ".join(sorted(scope for scope in scopes if _SCOPE_TOKEN.fullmatch(scope)))
    parameters = {"realm": realm, "error": error, "error_description": description, "scope": scope or None}
    return "Bearer " + ", ".join(
        f'{name}="{_quotable(value)}"' for name, value in parameters.items() if value is not None
    )


def _quotable(value: str) -> str:
    if not _QUOTABLE.fullmatch(value):
        raise ValueError("must be printable ASCII without quotation marks and backslashes")
    return value
