"""Entities survive being written down, whatever is in them and whoever writes."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.entities import MODELS, entities, parts_of

from extauthz.catalog.changes import Kind
from extauthz.catalog.redis.messages import EntityReader, written
from extauthz.catalog.redis.reflection import NOT_STORED
from extauthz.catalog.store import Untrusted
from extauthz.model.api import Api
from extauthz.model.application import EVERY_KEY_TYPE, Application, ApplicationKey, KeyType
from extauthz.model.key_manager import JwtValidation, KeyManager
from extauthz.model.subscription import Subscription, SubscriptionState
from extauthz.v1 import catalog_pb2 as pb

PARTS = sorted({part for model in MODELS.values() for part in parts_of(model)}, key=lambda part: part.__name__)
FUTURE = bytes([0xFA, 0x7F, 3]) + b"new"
"""Field 2047, which nobody knows yet."""
SUBSCRIPTION = Subscription(id="app:api", application="app", api="api")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_each_field_of_the_model_is_in_its_message(part):
    fields = {field.name for field in dataclasses.fields(part)} - NOT_STORED
    assert {field.name for field in getattr(pb, part.__name__).DESCRIPTOR.fields} == fields


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_every_entity_survives_the_round_trip(kind, data):
    entity = data.draw(entities(kind))
    read = EntityReader().read(kind, written(kind, entity))
    assert read == entity
    assert hash_of(read) == hash_of(entity)


def hash_of(entity):
    return getattr(entity, "fingerprint", None)


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
def test_what_a_newer_writer_adds_is_passed_over(kind, data):
    entity = data.draw(entities(kind))
    assert EntityReader().read(kind, written(kind, entity) + FUTURE) == entity


def test_what_an_older_writer_did_not_know_has_our_default():
    reader = EntityReader()
    api = pb.Api(id="a", organization="o", name="n", version="v", context="/c").SerializeToString()
    assert reader.read(Kind.API, api) == Api(id="a", organization="o", name="n", version="v", context="/c")
    subscription = pb.Subscription(id="app:api", organization="default", application="app", api="api")
    assert reader.read(Kind.SUBSCRIPTION, subscription.SerializeToString()) == SUBSCRIPTION
    keys = [pb.ApplicationKey(client_id="c", key_manager="km")]
    application = pb.Application(id="a", organization="o", name="n", keys=keys).SerializeToString()
    key = ApplicationKey(client_id="c", key_manager="km", key_type=KeyType.PRODUCTION)
    assert reader.read(Kind.APPLICATION, application) == Application(id="a", organization="o", name="n", keys=(key,))


def test_a_default_that_was_meant_is_written():
    """Else a later version with another default would read another thing."""
    message = pb.Subscription.FromString(written(Kind.SUBSCRIPTION, SUBSCRIPTION))
    assert message.HasField("policy")
    assert message.HasField("state")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Kind.SUBSCRIPTION, pb.Subscription(id="s", application="a", api="b", policy="p", state="MAYBE")),
        (Kind.API, pb.Api(id="a", state="RETIRED")),
        (Kind.API, pb.Api(id="a", resources=[pb.Resource(template="/", scope_rule="most")])),
        (Kind.KEY_MANAGER, pb.KeyManager(id="k", binding="by name")),
        (Kind.KEY_MANAGER, pb.KeyManager(id="k", introspection=pb.Introspection(endpoint="e"))),
        (
            Kind.KEY_MANAGER,
            pb.KeyManager(
                id="k", introspection=pb.Introspection(endpoint="e", authentication=pb.EndpointAuthentication())
            ),
        ),
        (Kind.API_KEY, pb.ApiKey(id="k", allowed_addresses=["everywhere"])),
        (Kind.OPAQUE_TOKENS, pb.OpaqueTokens(rules=[pb.OpaqueTokenRule(pattern="(")])),
    ],
)
def test_what_is_not_known_here_is_not_guessed(kind, message):
    with pytest.raises(Untrusted):
        EntityReader().read(kind, message.SerializeToString())


@pytest.mark.parametrize("kind", Kind)
def test_what_is_no_message_is_not_read(kind):
    with pytest.raises(Untrusted):
        EntityReader().read(kind, b"\xff\xff")


def test_an_empty_set_that_would_be_read_as_the_default_is_not_written():
    key_manager = KeyManager(id="k", issuer="i", jwt=JwtValidation(algorithms=frozenset()))
    with pytest.raises(ValueError, match="algorithms"):
        written(Kind.KEY_MANAGER, key_manager)


def test_what_many_entities_have_in_common_is_one_object():
    reader = EntityReader()
    one, other = (
        reader.read(Kind.SUBSCRIPTION, written(Kind.SUBSCRIPTION, dataclasses.replace(SUBSCRIPTION, api=api)))
        for api in ("one", "other")
    )
    assert isinstance(one, Subscription)
    assert isinstance(other, Subscription)
    assert one.application is other.application
    assert one.policy is other.policy
    assert one.state is SubscriptionState.UNBLOCKED
    api = reader.read(Kind.API, written(Kind.API, Api(id="a", name="n", version="v", context="/c")))
    assert isinstance(api, Api)
    assert api.key_types is EVERY_KEY_TYPE
