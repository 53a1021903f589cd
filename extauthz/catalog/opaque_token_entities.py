"""Rules about opaque tokens as operators write them in YAML."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from extauthz.catalog.values import Id, Text
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict


class HeaderDocument(Strict):
    """A request header that says whose token comes with it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]
    """Of the request header."""
    value: Text
    """Compared as a whole."""


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error.msg}") from error
    return value


class OpaqueTokenRuleDocument(Strict):
    """Which opaque tokens are sent to a key manager."""

    key_manager: Id
    """Id of the key manager that such tokens are sent to."""
    organization: Id | None = None
    """Without it, that of the file."""
    prefix: Text | None = None
    """With which its tokens begin."""
    pattern: Annotated[str, AfterValidator(_is_pattern)] | None = None
    """Regular expression that its tokens match as a whole."""
    header: HeaderDocument | None = None
    """That comes with its tokens."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one sign."""
        if sum(sign is not None for sign in (self.prefix, self.pattern, self.header)) != 1:
            yield Mistake(location=(), message="give exactly one of `prefix`, `pattern` and `header`")


class OpaqueTokensDocument(Strict):
    """Which key manager an opaque token belongs to."""

    rules: tuple[OpaqueTokenRuleDocument, ...] = ()
    """In this order; the first that fits and whose key manager the API accepts decides."""
    try_next: Annotated[int, Field(ge=0, le=3)] = 0
    """How many further key managers may see a token that the first calls inactive."""
