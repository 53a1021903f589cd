"""A catalog document put into a catalog that holds more than it names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from extauthz.catalog.changes import Change, Entity, Identity, Kind, identity_of
from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.entities import SubscriptionDocument
from extauthz.catalog.export import SECTIONS, document_of
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import CrossCheck
from extauthz.model.opaque_tokens import OpaqueTokens

Entities = Mapping[Identity, Entity]
_ORDER = {kind: number for number, kind in enumerate(Kind)}
_OPAQUE_TOKENS = SECTIONS[Kind.OPAQUE_TOKENS]


class CatalogPart(CatalogDocument):
    """A catalog document whose parts may name what is in Redis already; `conflicts` makes up for its cross checks."""

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A whole catalog, of which a document says a part."""

    before: Entities
    after: Entities
    said: frozenset[Identity]
    """What the document names."""

    @property
    def changes(self) -> list[Change]:
        """What leads from one to the other: first what goes, so that its place is free."""
        gone = [Change(identity=identity, entity=None) for identity in self.before if identity not in self.after]
        new = [
            Change(identity=identity, entity=entity)
            for identity, entity in self.after.items()
            if self.before.get(identity) != entity
        ]
        return [*gone, *sorted(new, key=lambda change: _ORDER[change.identity.kind])]

    @property
    def has_apis(self) -> bool:
        """Whether there is any."""
        return any(identity.kind is Kind.API for identity in self.after)


def merged(before: Entities, document: CatalogDocument, contents: CatalogContents, *, prune: bool) -> Merged:
    """`before` with what a document says, whose entities are `contents`.

    What the document does not name stays; with `prune`, it goes in the organizations that the document is about.
    """
    about = _organizations(document, contents) if prune else frozenset[str]()
    after: dict[Identity, Entity] = {
        identity: entity
        for identity, entity in before.items()
        if identity.organization not in about and not isinstance(entity, OpaqueTokens)
    }
    said = {identity_of(entity): entity for entity in contents.entities() if not isinstance(entity, OpaqueTokens)}
    after |= said
    rules = _opaque_tokens(before, document, contents.opaque_tokens, about)
    if rules != OpaqueTokens():  # to say nothing and not to say anything are the same
        after[identity_of(rules)] = rules
    return Merged(before=before, after=after, said=frozenset(said))


def conflicts(catalog: Merged, document: CatalogDocument) -> Iterator[Mistake]:
    """What cannot be so in the whole catalog, at its place in the document.

    Raises:
        DocumentError: something in Redis is not valid in this version.
    """
    sections: dict[str, Any] = {name: getattr(document, name) for name in CatalogDocument.model_fields}
    said = {name: len(section) for name, section in sections.items() if isinstance(section, tuple)}
    for section, kept in _kept(catalog).items():
        sections[section] = kept if section == _OPAQUE_TOKENS else (*sections[section], *kept)
    said[_OPAQUE_TOKENS] = len(document.opaque_tokens.rules)
    for check in CatalogDocument.cross_checks:
        for mistake in check.find(*(sections[need] for need in check.needs)):
            yield _told(mistake, sections, said)


def _kept(catalog: Merged) -> dict[str, Any]:
    """The documents of what the document does not name, by section."""
    kept: dict[str, Any] = {}
    for identity, entity in catalog.after.items():
        section = SECTIONS[identity.kind]
        if isinstance(entity, OpaqueTokens):
            kept[section] = document_of(entity)
        elif identity not in catalog.said:
            kept.setdefault(section, []).append(document_of(entity))
    return kept


def _told(mistake: Mistake, sections: Mapping[str, Any], said: Mapping[str, int]) -> Mistake:
    """The document comes first in each section, so its own places are right."""
    name = None
    match mistake.location:
        case ("opaque_tokens", "rules", int() as index, *_) if index >= said[_OPAQUE_TOKENS]:
            name = "a rule"
        case (str() as section, int() as index, *_) if index >= said[section]:
            part = sections[section][index]
            name = f"`{part.application} {part.api}`" if isinstance(part, SubscriptionDocument) else f"`{part.id}`"
    if name is None:
        return mistake
    message = f"{name} (in Redis, not in this document): {mistake.message}"
    return replace(mistake, location=mistake.location[:1], message=message)


def _organizations(document: CatalogDocument, contents: CatalogContents) -> frozenset[str]:
    """Those that the document names: for all, or for one entity."""
    named = {entity.organization for entity in contents.entities() if not isinstance(entity, OpaqueTokens)}
    named |= {rule.organization for rule in contents.opaque_tokens.rules}
    if not named or "organization" in document.model_fields_set:
        named.add(document.organization)
    return frozenset(named)


def _opaque_tokens(
    before: Entities, document: CatalogDocument, said: OpaqueTokens, about: frozenset[str]
) -> OpaqueTokens:
    """The rules of each organization are replaced as a whole: their order is a part of what they say."""
    former = before.get(identity_of(said))
    former = former if isinstance(former, OpaqueTokens) else OpaqueTokens()
    replaced = about | {rule.organization for rule in said.rules}
    kept = tuple(rule for rule in former.rules if rule.organization not in replaced)
    # It is of all organizations, so one that says nothing about it changes it only where there is no other.
    own_word = "try_next" in document.opaque_tokens.model_fields_set or (about and not kept)
    return OpaqueTokens(rules=(*said.rules, *kept), try_next=said.try_next if own_word else former.try_next)
