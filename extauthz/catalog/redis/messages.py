"""Entities to messages and back: by hand for those of which there are very many, by reflection for the others."""

import re
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from extauthz.catalog.changes import Entity, Kind
from extauthz.catalog.key_manager_conversion import fingerprint
from extauthz.catalog.redis import reflection
from extauthz.catalog.store import Untrusted
from extauthz.model.api import Api, ApiState, Resource, ScopeMatching, ScopeRule
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import TOKENS_ONLY, ApiSecurity
from extauthz.model.application import EVERY_KEY_TYPE, Application, ApplicationKey, KeyType
from extauthz.model.cors import Cors
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription, SubscriptionState
from extauthz.v1 import catalog_pb2 as pb

READER = 1
"""What this version understands; an entry that asks for more is not read in part."""
MESSAGES: dict[Kind, Any] = {
    Kind.KEY_MANAGER: pb.KeyManager,
    Kind.OPAQUE_TOKENS: pb.OpaqueTokens,
    Kind.API: pb.Api,
    Kind.APPLICATION: pb.Application,
    Kind.API_KEY: pb.ApiKey,
    Kind.SUBSCRIPTION: pb.Subscription,
}
_MAX_SHARED = 50_000
_STATES = {state.value: state for state in SubscriptionState}
_API_STATES = {state.value: state for state in ApiState}
_KEY_TYPES = {key_type.value: key_type for key_type in KeyType}
_RULES = {rule.value: rule for rule in ScopeRule}
_MATCHINGS = {matching.value: matching for matching in ScopeMatching}

T = TypeVar("T", bound=Hashable)
_intern = sys.intern
_subscription_message = pb.Subscription.FromString


def written(kind: Kind, entity: Entity) -> bytes:
    """An entity as a message.

    Raises:
        ValueError: it holds what the message cannot say.
    """
    message = MESSAGES[kind]()
    reflection.write(entity, message)
    return bytes(message.SerializeToString(deterministic=True))


class EntityReader:
    """Messages to entities. What many of them have in common is one object."""

    def __init__(self) -> None:
        self._shared: dict[Hashable, Any] = {}
        self._read: dict[Kind, Callable[[bytes], Entity]] = {
            Kind.KEY_MANAGER: _key_manager,
            Kind.OPAQUE_TOKENS: lambda body: reflection.read(OpaqueTokens, pb.OpaqueTokens.FromString(body)),
            Kind.API: self._api,
            Kind.APPLICATION: self._application,
            Kind.API_KEY: lambda body: reflection.read(ApiKey, pb.ApiKey.FromString(body)),
            Kind.SUBSCRIPTION: _subscription,
        }

    def read(self, kind: Kind, body: bytes) -> Entity:
        """The entity in a message.

        Raises:
            Untrusted: it cannot be read in full.
        """
        try:
            return self._read[kind](body)
        except (DecodeError, KeyError, TypeError, ValueError, re.error) as exc:
            raise Untrusted(f"a {kind} cannot be read ({type(exc).__name__})") from exc

    def _share(self, value: T) -> T:
        return self._keep(value, value)

    def _keep(self, key: Hashable, value: T) -> T:
        if len(self._shared) >= _MAX_SHARED:
            self._shared.clear()
        found: T = self._shared.setdefault(key, value)
        return found

    def _part(self, message: Any, read: Callable[[Any], Any]) -> Any:
        """What a part of a message stands for; read once for all that are the same, byte by byte."""
        key = (type(message), message.SerializePartialToString())
        found = self._shared.get(key)
        return self._keep(key, read(message)) if found is None else found

    def _words(self, words: Sequence[str]) -> frozenset[str]:
        return self._share(frozenset(map(_intern, words)))

    def _application(self, body: bytes) -> Application:
        message = pb.Application.FromString(body)
        given: dict[str, Any] = {}
        if (owner := message.owner) or message.HasField("owner"):
            given["owner"] = _intern(owner)
        if (policy := message.policy) or message.HasField("policy"):
            given["policy"] = _intern(policy)
        return Application(
            id=_intern(message.id),
            organization=_intern(message.organization),
            name=message.name,
            attributes=dict(message.attributes),
            keys=tuple([_application_key(key) for key in message.keys]),
            **given,
        )

    def _api(self, body: bytes) -> Api:
        message = pb.Api.FromString(body)
        given = _given(message, _API_FIELDS)
        if message.HasField("state"):
            given["state"] = _API_STATES[message.state]
        if message.HasField("scope_matching"):
            given["scope_matching"] = _MATCHINGS[message.scope_matching]
        if message.HasField("key_managers"):
            given["key_managers"] = self._words(message.key_managers.names)
        if message.HasField("security"):
            given["security"] = self._part(message.security, _security)
        if message.HasField("cors"):
            given["cors"] = self._part(message.cors, _cors)
        if message.key_types:
            given["key_types"] = _key_types(message.key_types)
        return Api(
            id=_intern(message.id),
            organization=_intern(message.organization),
            name=message.name,
            version=_intern(message.version),
            context=message.context,
            hosts=self._words(message.hosts),
            resources=tuple([self._part(resource, self._resource) for resource in message.resources]),
            audiences=self._words(message.audiences),
            backend_jwt_audience=self._share(tuple(map(_intern, message.backend_jwt_audience))),
            **given,
        )

    def _resource(self, message: pb.Resource) -> Resource:
        given: dict[str, Any] = {}
        if message.HasField("scope_rule"):
            given["scope_rule"] = _RULES[message.scope_rule]
        if message.HasField("open"):
            given["open"] = message.open
        return Resource(
            template=_intern(message.template),
            methods=self._words(message.methods),
            scopes=self._words(message.scopes),
            **given,
        )


_API_FIELDS = (
    "default_context",
    "publisher",
    "subscription_required",
    "forward_authorization",
    "forward_client_certificate",
    "backend_jwt",
    "shadow",
)


def _given(message: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(message, name) for name in names if message.HasField(name)}


def _security(message: pb.ApiSecurity) -> ApiSecurity:
    security = reflection.read(ApiSecurity, message)
    return TOKENS_ONLY if security == TOKENS_ONLY else security


def _cors(message: pb.Cors) -> Cors:
    return reflection.read(Cors, message)


def _key_manager(body: bytes) -> KeyManager:
    made = reflection.read(KeyManager, pb.KeyManager.FromString(body))
    return replace(made, fingerprint=fingerprint(made))


def _subscription(body: bytes) -> Subscription:
    message = _subscription_message(body)
    policy, state = message.policy, message.state
    if not (policy and state):  # absent, or empty, which is not the same
        return reflection.read(Subscription, message)
    return Subscription(
        id=message.id,
        organization=_intern(message.organization),
        application=_intern(message.application),
        api=_intern(message.api),
        policy=_intern(policy),
        state=_STATES[state],
    )


def _application_key(message: pb.ApplicationKey) -> ApplicationKey:
    key_type = message.key_type
    if not key_type:  # absent, or empty, which is not the same
        return reflection.read(ApplicationKey, message)
    return ApplicationKey(
        client_id=message.client_id, key_manager=_intern(message.key_manager), key_type=_KEY_TYPES[key_type]
    )


def _key_types(names: Iterable[str]) -> frozenset[KeyType]:
    key_types = frozenset(_KEY_TYPES[name] for name in names)
    return EVERY_KEY_TYPE if key_types == EVERY_KEY_TYPE else key_types
