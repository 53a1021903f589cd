"""Whether the caller's scopes cover the resource (seed 002, RFC 6749 §3.3)."""

import re
from collections.abc import Iterator
from typing import Final, assert_never

from extauthz.model.api import ScopeMatching, ScopeRule
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason

# Bound once, as in `api_state`.
_EXACT: Final = ScopeMatching.EXACT
_HIERARCHICAL: Final = ScopeMatching.HIERARCHICAL
_ANY: Final = ScopeRule.ANY
_ALL: Final = ScopeRule.ALL

_SEPARATOR = re.compile("[.:/]")


def scope_granted(access: Access) -> None:
    """Any one of the resource's scopes is enough (WSO2's rule), or all are needed; none listed, none needed.

    Raises:
        Denied: insufficient_scope, with the resource's scopes.
    """
    resource = access.resource
    wanted = resource.scopes
    if not wanted:
        return
    held, matching, rule = access.principal.facts.scopes, access.api.scope_matching, resource.scope_rule
    if matching is _EXACT:
        covered = held
    elif matching is _HIERARCHICAL:
        covered = frozenset(scope for scope in wanted if not held.isdisjoint(_covering(scope)))
    else:
        assert_never(matching)
    if rule is _ANY:
        enough = not wanted.isdisjoint(covered)
    elif rule is _ALL:
        enough = wanted <= covered
    else:
        assert_never(rule)
    if not enough:
        raise Denied(Reason.INSUFFICIENT_SCOPE, f"not {rule} of the scopes of {resource.template}", scopes=wanted)


def _covering(scope: str) -> Iterator[str]:
    """The scope, and those above it: `pets`, `pets.read` and `pets.read:own` cover `pets.read:own`."""
    yield scope
    for separator in _SEPARATOR.finditer(scope):
        if separator.start():
            yield scope[: separator.start()]
