"""Which key managers an opaque token is sent to: a token that is sent to the wrong server is a leak."""

from collections.abc import Iterable

from extauthz.catalog.accepting import accepts
from extauthz.model.api import Api
from extauthz.model.check import Headers
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokenRule

_Rules = tuple[tuple[OpaqueTokenRule, KeyManager], ...]


class OpaqueTokenIndex:
    """For each API, the rules whose key managers it accepts, in the operator's order."""

    def __init__(
        self,
        *,
        apis: Iterable[Api],
        key_managers: Iterable[KeyManager],
        rules: Iterable[OpaqueTokenRule],
        try_next: int,
    ) -> None:
        introspecting = {(km.organization, km.id): km for km in key_managers if km.introspection}
        rules = tuple(rules)
        ruled = {rule.organization for rule in rules}
        known = tuple(
            (rule, introspecting[rule.organization, rule.key_manager])
            for rule in rules
            if (rule.organization, rule.key_manager) in introspecting
        )
        self._limit = 1 + try_next
        self._rules: dict[str, _Rules] = {}
        self._only: dict[str, tuple[KeyManager, ...]] = {}
        for api in apis:
            if api.organization in ruled:
                self._rules[api.id] = tuple((rule, km) for rule, km in known if accepts(api, km))
            else:
                accepted = tuple(km for km in introspecting.values() if accepts(api, km))
                # Two, and nothing that tells them apart: neither is asked.
                self._only[api.id] = accepted if len(accepted) == 1 else ()

    def find(self, api: Api, token: str, headers: Headers) -> tuple[KeyManager, ...]:
        """Whom to ask, in this order, each only after those before it have called the token inactive.

        Those whose rules fit; in an organization without rules, the only one that introspects for the API.
        """
        if api.id not in self._rules:
            return self._only.get(api.id, ())
        fitting = (km for rule, km in self._rules[api.id] if _fits(rule, token, headers))
        return tuple({km.id: km for km in fitting}.values())[: self._limit]


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
