"""Claims of the token and of its user that the upstream is told as well, and those that never are."""

from collections.abc import Iterable, Mapping
from typing import Any

from extauthz.model.key_manager import KeyManager

DIALECT_CLAIMS = frozenset(
    {
        "subscriber",
        "applicationid",
        "applicationname",
        "applicationtier",
        "applicationUUId",
        "applicationAttributes",
        "apiname",
        "apicontext",
        "version",
        "tier",
        "keytype",
        "usertype",
        "enduser",
        "enduserTenantDomain",
        "enduserTenantId",
    }
)
"""Names that mean, below the dialect, what a gateway says: never copied from a token, whether we say it or not."""

RESTRICTED = frozenset(
    # WSO2's list.
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "application", "tierInfo", "subscribedAPIs", "keytype"}
    # Said between the issuer, the client and us: of no meaning, or of a false one, in another token. `scope` is ours.
    | {
        "backendJwt",
        "cnf",
        "active",
        "scope",
        "scp",
        "token_type",
        "expires_in",
        "nonce",
        "at_hash",
        "c_hash",
        "s_hash",
    }
)
"""Claims that nobody but us says."""

ABOUT_TOKEN = frozenset({"azp", "client_id", "act", "may_act", "acr", "amr", "auth_time", "sid"})
"""Registered claims about how a token came to be (OpenID Connect Core §2, RFC 8693 §4): they keep their names, and only
the token can say them. What is known about a user may be what the user has typed in."""


class CopiedClaims:
    """Which claims are copied, and under which names."""

    def __init__(self, *, dialect: str, convert: bool = False, restricted: Iterable[str] = ()) -> None:
        """Rules of one gateway.

        `convert`: what is not about the token and no URI yet is prefixed with the dialect. `restricted`: exact names of
        more that are not copied, whether they have them before or after any renaming.
        """
        self._dialect = dialect
        self._convert = convert
        self._restricted = frozenset(restricted)
        self._never = RESTRICTED | self._restricted | {f"{dialect}/{name}" for name in DIALECT_CLAIMS}

    def of(
        self, token: Mapping[str, Any], user: Mapping[str, Any], key_manager: KeyManager | None = None
    ) -> dict[str, Any]:
        """What is copied of both; where they differ, the token is right."""
        never = self._never if key_manager is None else self._never | self._renamed(key_manager)
        return self._copied(user, never | ABOUT_TOKEN) | self._copied(token, never)

    def without_reserved(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Claims of an extension, which knows what it says: under its names, but nothing that is never copied."""
        return {name: value for name, value in claims.items() if name not in self._never}

    def _copied(self, claims: Mapping[str, Any], never: frozenset[str]) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for name, value in claims.items():
            told = self._told_as(name)
            # A claim that has this name by itself is meant more than one that gets it.
            if name not in never and told not in never and (told == name or told not in claims):
                copied[told] = value
        return copied

    def _told_as(self, name: str) -> str:
        # RFC 7519 §2: a name with a colon is a URI.
        if not self._convert or ":" in name or name in ABOUT_TOKEN:
            return name
        return f"{self._dialect}/{name}"

    def _renamed(self, key_manager: KeyManager) -> frozenset[str]:
        """What this key manager calls otherwise: scopes, which we say as `scope`, and claims that are restricted."""
        mapping = key_manager.claim_mapping
        names = {local for remote, local in mapping.items() if remote in self._restricted}
        return frozenset(names if key_manager.scopes_claim is None else names | {key_manager.scopes_claim})
