"""What changes of a catalog change, in the words of its document; never a value, since some tell secrets' hashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from extauthz.catalog.changes import Change, Entity, Identity
from extauthz.catalog.export import document_of
from extauthz.catalog.merge import Entities
from extauthz.document.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One entity that is not as it was."""

    identity: Identity
    sign: str
    """`+` it is new, `~` it changes, `-` it goes."""
    keys: tuple[str, ...] = ()
    """Of the document, that have other values; `introspection.endpoint`."""

    def __str__(self) -> str:
        kind, organization = self.identity.kind, self.identity.organization
        name = f"{kind} {self.identity.id} ({organization})" if organization else kind
        return f"{self.sign} {name}: {', '.join(self.keys)}" if self.keys else f"{self.sign} {name}"


def difference(before: Entities, change: Change) -> Difference:
    """What a change changes.

    Raises:
        DocumentError: what is there is not valid in this version.
    """
    former = before.get(change.identity)
    if change.entity is None:
        return Difference(identity=change.identity, sign="-")
    if former is None:
        return Difference(identity=change.identity, sign="+")
    return Difference(identity=change.identity, sign="~", keys=_keys(former, change.entity))


def _keys(former: Entity, entity: Entity) -> tuple[str, ...]:
    return tuple(_different(document_of(former), document_of(entity), ""))


def _different(one: Any, other: Any, name: str) -> Iterator[str]:
    if isinstance(one, Strict) and type(one) is type(other):
        for inner in type(one).model_fields:
            path = f"{name}.{inner}" if name else inner
            yield from _different(getattr(one, inner), getattr(other, inner), path)
    elif one != other:
        yield name
