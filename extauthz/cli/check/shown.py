"""What may be printed of a request and of an answer: never a token."""

import re
from collections.abc import Iterable, Mapping

_CREDENTIALS = frozenset({"authorization", "dpop", "dpop-nonce", "cookie", "set-cookie"})
# RFC 7515 §7.1 and RFC 7516 §7.1: three or five parts, the first of them a JSON object, so `{` in base64url. It need
# not be a good one to be worth stealing.
_COMPACT = re.compile(r"e[w-y][A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}")


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, with the length in the place of what is, or may be, a token."""
    return {name: _shown(name, value) for name, value in sorted(headers.items())}


def shown_names(removed: Iterable[str], own: Iterable[str]) -> list[str]:
    """The names of removed headers, without other spellings of them and of our `own`, which go along with each."""
    known = {*removed, *own}
    return sorted(name for name in set(removed) if "_" not in name or name.replace("_", "-") not in known)


def _shown(name: str, value: str) -> str:
    if _COMPACT.fullmatch(value):
        return f"(a JWT of {len(value)} characters)"
    if name in _CREDENTIALS or _COMPACT.search(value):
        return f"(not shown: {len(value)} characters)"
    return value
