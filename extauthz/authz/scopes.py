"""Whether the caller's scopes cover the resource (seed 002, RFC 6749 §3.3)."""

import re
from collections.abc import Iterator
from typing import assert_never

from extauthz.model.api import ScopeMatching, ScopeRule
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason

_SEPARATOR = re.compile("[.:/]")


def scope_granted(access: Access) -> None:
    """Any one of the resource's scopes is enough (WSO2's rule), or all are needed; none listed, none needed.

    Raises:
        Denied: insufficient_scope, with the resource's scopes.
    """
    wanted, held = access.resource.scopes, access.principal.facts.scopes
    if not wanted:
        return
    match access.api.scope_matching:
        case ScopeMatching.EXACT:
            covered = held
        case ScopeMatching.HIERARCHICAL:
            covered = frozenset(scope for scope in wanted if not held.isdisjoint(_covering(scope)))
        case _:
            assert_never(access.api.scope_matching)
    if not _enough(wanted, covered, access.resource.scope_rule):
        detail = f"not {access.resource.scope_rule} of the scopes of {access.resource.template}"
        raise Denied(Reason.INSUFFICIENT_SCOPE, detail, scopes=wanted)


def _enough(wanted: frozenset[str], covered: frozenset[str], rule: ScopeRule) -> bool:
    match rule:
        case ScopeRule.ANY:
            return not wanted.isdisjoint(covered)
        case ScopeRule.ALL:
            return wanted <= covered
        case _:
            assert_never(rule)


def _covering(scope: str) -> Iterator[str]:
    """The scope, and those above it: `pets`, `pets.read` and `pets.read:own` cover `pets.read:own`."""
    yield scope
    for separator in _SEPARATOR.finditer(scope):
        if separator.start():
            yield scope[: separator.start()]
