"""`WWW-Authenticate` for the schemes Bearer (RFC 6750 §3) and DPoP (RFC 9449 §7.1)."""

import re
from collections.abc import Iterable, Mapping

# RFC 6750 §3: what `error_description` and `scope` may hold; it needs no escape in a quoted string.
_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3


class Challenger:
    """Writes the field's value for the schemes that are accepted.

    With DPoP, both schemes are listed (RFC 9449 §7.2), each with the error: the client looks at the one that it used.
    """

    def __init__(self, realm: str, dpop_algorithms: Iterable[str] = ()) -> None:
        """`dpop_algorithms`: what proofs may be signed with; none: the DPoP scheme is not accepted.

        Raises:
            ValueError: a parameter that would need an escape.
        """
        self._realm = _quotable(realm)
        self._algs = _quotable(" ".join(sorted(dpop_algorithms)))

    def challenge(
        self,
        error: str | None = None,
        description: str | None = None,
        scopes: Iterable[str] = (),
        *,
        dpop_only: bool = False,
    ) -> str:
        """The value. Scopes that RFC 6749 does not allow are left out.

        Raises:
            ValueError: a parameter that would need an escape.
        """
        scope = " ".join(sorted(scope for scope in scopes if _SCOPE_TOKEN.fullmatch(scope))) or None
        parameters = {"realm": self._realm, "error": error, "error_description": description, "scope": scope}
        challenges = [] if dpop_only else [_written("Bearer", parameters)]
        if self._algs or dpop_only:
            challenges.append(_written("DPoP", parameters | {"algs": self._algs or None}))
        return ", ".join(challenges)


def _written(scheme: str, parameters: Mapping[str, str | None]) -> str:
    written = [f'{name}="{_quotable(value)}"' for name, value in parameters.items() if value is not None]
    return f"{scheme} {', '.join(written)}"


def _quotable(value: str) -> str:
    if not _QUOTABLE.fullmatch(value):
        raise ValueError("must be printable ASCII without quotation marks and backslashes")
    return value
