"""Which key managers an opaque token is sent to: a token that is sent to the wrong server is a leak."""

from extauthz.catalog.accepting import accepts
from extauthz.model.api import Api
from extauthz.model.check import Headers
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokenRule, OpaqueTokens


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
        introspecting = self._introspecting.get(api.organization, {})
        accepted = {name: km for name, km in introspecting.items() if accepts(api, km)}
        rules = self._rules.get(api.organization)
        if rules is None:
            # Two, and nothing that tells them apart: neither is asked.
            return tuple(accepted.values()) if len(accepted) == 1 else ()
        fitting = (rule.key_manager for rule in rules if rule.key_manager in accepted and _fits(rule, token, headers))
        return tuple(accepted[name] for name in dict.fromkeys(fitting))[: self._limit]


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
