"""A caller that an authenticator of an extension knows."""

import hashlib
from collections.abc import Collection, Mapping
from math import inf
from typing import Any

from extauthz.model.check import Principal
from extauthz.model.token import TokenFacts, TokenForm


def known_caller(
    *,
    application: str,
    subject: str | None = None,
    scopes: Collection[str] = (),
    claims: Mapping[str, Any] | None = None,
) -> Principal:
    """Who calls: for an application of the catalog, by its id; it must have subscribed like any other.

    `scopes` are those of the caller; `claims` go into the backend JWT.

    Raises:
        ValueError: no application, or scopes that are one string.
    """
    if not application:
        raise ValueError("a caller acts for an application")
    if isinstance(scopes, str):
        raise ValueError("scopes are a collection of strings")  # noqa: TRY004 - factories and callers see one type
    facts = TokenFacts(
        form=TokenForm.NO_TOKEN,
        believe_until=inf,
        subject=subject,
        scopes=frozenset(scopes),
        claims=dict(claims or {}),
    )
    named = repr((application, subject, sorted(facts.scopes)))
    return Principal(facts=facts, token_key=hashlib.sha256(named.encode()).digest(), application=application)
