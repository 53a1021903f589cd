"""A whole catalog as one YAML document, and what must hold between its parts."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import product
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from extauthz.catalog.api_entities import ApiDocument
from extauthz.catalog.api_index import base_path
from extauthz.catalog.entities import ApiKeyDocument, ApplicationDocument, SubscriptionDocument
from extauthz.catalog.key_manager_entities import KeyManagerDocument
from extauthz.catalog.opaque_token_entities import OpaqueTokensDocument
from extauthz.catalog.values import Id, Text
from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import CrossCheck, Strict
from extauthz.model.key_manager import DEFAULT_ORGANIZATION, TokenValidation

_EntityT = TypeVar("_EntityT")
KeyManagers = tuple[KeyManagerDocument, ...]
Apis = tuple[ApiDocument, ...]
Applications = tuple[ApplicationDocument, ...]
Subscriptions = tuple[SubscriptionDocument, ...]
ApiKeys = tuple[ApiKeyDocument, ...]


def _repeated(
    section: str,
    entities: tuple[_EntityT, ...],
    key: Callable[[_EntityT], Hashable],
    what: str,
) -> Iterator[Mistake]:
    seen: dict[Hashable, int] = {}
    for index, entity in enumerate(entities):
        first = seen.setdefault(key(entity), index)
        if first != index:
            yield Mistake(location=(section, index), message=f"has the same {what} as {section}[{first}]")


def _unknown(location: Location, kind: str, name: str, known: set[str]) -> Iterator[Mistake]:
    if name not in known:
        hint = f"known are {', '.join(sorted(known)[:10])}" if known else f"there is no {kind} in this catalog"
        yield Mistake(location=location, message=f"`{name}` is not the id of a {kind}", hint=hint)


def _by_organization(entities: Iterable[_EntityT], organization: str) -> dict[str, list[_EntityT]]:
    grouped: dict[str, list[_EntityT]] = {}
    for entity in entities:
        grouped.setdefault(getattr(entity, "organization", None) or organization, []).append(entity)
    return grouped


def _ids_by_organization(entities: Iterable[Any], organization: str) -> dict[str, set[str]]:
    return {own: {entity.id for entity in group} for own, group in _by_organization(entities, organization).items()}


def _key_managers(organization: str, key_managers: KeyManagers) -> Iterator[Mistake]:
    yield from _repeated("key_managers", key_managers, lambda km: (km.organization or organization, km.id), "id")
    yield from _shared_issuers(organization, key_managers)


def _shared_issuers(organization: str, key_managers: KeyManagers) -> Iterator[Mistake]:
    """Which of several key managers of one issuer checks a JWT: its `aud` must say so, whatever it is."""
    seen: dict[tuple[str, str], list[tuple[int, frozenset[str]]]] = {}
    for index, km in enumerate(key_managers):
        if km.jwt is None and km.validation is not TokenValidation.INTROSPECTION:
            continue  # its tokens are opaque
        audiences = km.jwt.audiences if km.jwt else frozenset()
        others = seen.setdefault((km.organization or organization, km.issuer), [])
        for first, theirs in others:
            if not audiences or not theirs or audiences & theirs:
                message = f"has the same issuer as key_managers[{first}]"
                hint = "give both `jwt: audiences`, without a common one: the token's `aud` chooses"
                yield Mistake(location=("key_managers", index), message=message, hint=hint)
                break
        others.append((index, audiences))


def _apis(apis: Apis) -> Iterator[Mistake]:
    yield from _repeated("apis", apis, lambda api: api.id, "id")
    places: dict[tuple[str, tuple[str, ...]], int] = {}
    for index, api in enumerate(apis):
        contexts = [api.full_context(), *([api.default_context()] if api.default_version else [])]
        for host, context in product(sorted(api.hosts) or ("",), contexts):
            first = places.setdefault((host.lower(), base_path(context or "/")), index)
            if first != index:
                message = f"has the same host and context as apis[{first}]"
                yield Mistake(location=("apis", index, "context"), message=message)


def _api_key_managers(
    organization: str, key_managers: KeyManagers, apis: Apis, opaque_tokens: OpaqueTokensDocument
) -> Iterator[Mistake]:
    by_organization = _by_organization(key_managers, organization)
    ruled = {rule.organization or organization for rule in opaque_tokens.rules}
    for index, api in enumerate(apis):
        own = by_organization.get(api.organization or organization, [])
        for name in sorted(api.key_managers or ()):
            yield from _unknown(("apis", index, "key_managers"), "key manager", name, {km.id for km in own})
        asked = [
            km.id
            for km in own
            if km.enabled and km.introspection and (api.key_managers is None or km.id in api.key_managers)
        ]
        # With rules, a token that fits none of them is refused.
        if len(asked) > 1 and api.security.oauth2 and (api.organization or organization) not in ruled:
            message = f"opaque tokens could go to {' or '.join(asked)}; one sent to the wrong server is a leak"
            hint = "write `opaque_tokens: rules`, or list the API's key managers with one that introspects"
            yield Mistake(location=("apis", index, "key_managers"), message=message, hint=hint)


def _applications(organization: str, key_managers: KeyManagers, applications: Applications) -> Iterator[Mistake]:
    yield from _repeated("applications", applications, lambda application: application.id, "id")
    known = _ids_by_organization(key_managers, organization)
    clients: dict[tuple[str, str, str], str] = {}
    for index, application in enumerate(applications):
        own = application.organization or organization
        for place, key in enumerate(application.keys):
            location = ("applications", index, "keys", place)
            yield from _unknown((*location, "key_manager"), "key manager", key.key_manager, known.get(own, set()))
            first = clients.setdefault((own, key.key_manager, key.client_id), f"applications[{index}].keys[{place}]")
            if first != f"applications[{index}].keys[{place}]":
                yield Mistake(location=location, message=f"is the same client as {first}")


def _subscriptions(
    organization: str, apis: Apis, applications: Applications, subscriptions: Subscriptions
) -> Iterator[Mistake]:
    yield from _repeated("subscriptions", subscriptions, lambda s: (s.application, s.api), "application and API")
    known_apis = _ids_by_organization(apis, organization)
    known_applications = _ids_by_organization(applications, organization)
    for index, subscription in enumerate(subscriptions):
        own = subscription.organization or organization
        location: Location = ("subscriptions", index)
        yield from _unknown((*location, "api"), "API", subscription.api, known_apis.get(own, set()))
        known = known_applications.get(own, set())
        yield from _unknown((*location, "application"), "application", subscription.application, known)


def _opaque_tokens(
    organization: str, key_managers: KeyManagers, opaque_tokens: OpaqueTokensDocument
) -> Iterator[Mistake]:
    known = _ids_by_organization([km for km in key_managers if km.introspection], organization)
    for index, rule in enumerate(opaque_tokens.rules):
        own = known.get(rule.organization or organization, set())
        location = ("opaque_tokens", "rules", index, "key_manager")
        yield from _unknown(location, "key manager with `introspection`", rule.key_manager, own)


def _api_keys(organization: str, applications: Applications, api_keys: ApiKeys) -> Iterator[Mistake]:
    yield from _repeated("api_keys", api_keys, lambda key: (key.organization or organization, key.id), "id")
    yield from _repeated("api_keys", api_keys, lambda key: key.hash, "hash")
    known = _ids_by_organization(applications, organization)
    for index, key in enumerate(api_keys):
        own = known.get(key.organization or organization, set())
        yield from _unknown(("api_keys", index, "application"), "application", key.application, own)


class CatalogDocument(Strict):
    """The YAML file of `catalog: {file: ...}`."""

    organization: Id = DEFAULT_ORGANIZATION
    """Of every entity below that does not name its own."""
    certificate_directory: Text | None = None
    """Where `certificates: [{alias: NAME}]` finds `NAME.pem`; relative to the file, its own folder if left out."""
    key_managers: tuple[KeyManagerDocument, ...] = ()
    """Who issues tokens."""
    apis: tuple[ApiDocument, ...] = Field(default=(), min_length=1)
    """What may be called."""
    applications: tuple[ApplicationDocument, ...] = ()
    """Who calls."""
    subscriptions: tuple[SubscriptionDocument, ...] = ()
    """Which application may call which API."""
    api_keys: tuple[ApiKeyDocument, ...] = ()
    """Keys of applications that come without a token."""
    opaque_tokens: OpaqueTokensDocument = OpaqueTokensDocument()

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (
        CrossCheck(needs=("organization", "key_managers"), find=_key_managers),
        CrossCheck(needs=("apis",), find=_apis),
        CrossCheck(needs=("organization", "key_managers", "apis", "opaque_tokens"), find=_api_key_managers),
        CrossCheck(needs=("organization", "key_managers", "opaque_tokens"), find=_opaque_tokens),
        CrossCheck(needs=("organization", "key_managers", "applications"), find=_applications),
        CrossCheck(needs=("organization", "apis", "applications", "subscriptions"), find=_subscriptions),
        CrossCheck(needs=("organization", "applications", "api_keys"), find=_api_keys),
    )
