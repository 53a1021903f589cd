"""Which key managers an opaque token is sent to: a token that is sent to the wrong server is a leak."""

from collections.abc import Mapping
from types import MappingProxyType

from extauthz.catalog.accepting import accepts
from extauthz.model.api import Api
from extauthz.model.check import Headers
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokenRule, OpaqueTokens

_NONE: Mapping[str, KeyManager] = MappingProxyType({})


class OpaqueTokenIndex:
    """The enabled key managers that introspect, and the rules that tell their tokens apart, by organization."""

    def __init__(self) -> None:
        self._introspecting: dict[str, dict[str, KeyManager]] = {}
        self._rules: dict[str, tuple[OpaqueTokenRule, ...]] = {}
        self._limit = 1

    def put(self, key_manager: KeyManager) -> None:
        """May ask an enabled key manager from now on."""
        if key_manager.introspection:
            self._introspecting.setdefault(key_manager.organization, {})[key_manager.id] = key_manager

    def remove(self, key_manager: KeyManager) -> None:
        """Asks a key manager no longer."""
        self._introspecting.get(key_manager.organization, {}).pop(key_manager.id, None)

    def rule(self, opaque_tokens: OpaqueTokens) -> None:
        """Follows these rules from now on, and no others."""
        rules: dict[str, tuple[OpaqueTokenRule, ...]] = {}
        for rule in opaque_tokens.rules:
            rules[rule.organization] = (*rules.get(rule.organization, ()), rule)
        self._rules, self._limit = rules, 1 + opaque_tokens.try_next

    def find(self, api: Api, token: str, headers: Headers) -> tuple[KeyManager, ...]:
        """Whom to ask, in this order, each only after those before it have called the token inactive.

        Those whose rules fit; in an organization without rules, the only one that introspects for the API.
        """
        introspecting = self._introspecting.get(api.organization, _NONE)
        rules = self._rules.get(api.organization)
        if rules is None:
            accepted = [km for km in introspecting.values() if accepts(api, km)]
            # Two, and nothing that tells them apart: neither is asked.
            return (accepted[0],) if len(accepted) == 1 else ()
        found: dict[str, KeyManager] = {}
        for rule in rules:
            name = rule.key_manager
            km = introspecting.get(name)
            if km is not None and name not in found and accepts(api, km) and _fits(rule, token, headers):
                found[name] = km
                if len(found) == self._limit:
                    break
        return tuple(found.values())


def _fits(rule: OpaqueTokenRule, token: str, headers: Headers) -> bool:
    if rule.prefix is not None:
        return token.startswith(rule.prefix)
    if rule.pattern is not None:
        return rule.pattern.fullmatch(token) is not None
    if rule.header is not None:
        name, value = rule.header
        # Compared as a whole: a hint that came twice arrives joined by a comma, and is none.
        return headers.get(name) == value
    return False
