"""What values show of themselves, by whatever way they are asked."""

import importlib
import io
import pkgutil
from collections.abc import Iterator

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from msgspec import structs
from rich.console import Console
from support.check_client import check_request

import extauthz
from extauthz.cache.keys import CacheKeys
from extauthz.envoy.request import RequestHeaders, request_context
from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.check import Access, Allow, BearerToken, GivenDetails, Principal, RequestContext
from extauthz.model.secret_fields import SecretFields
from extauthz.model.token import Claims, TokenFacts, TokenForm
from extauthz.oauth2.claims import registered_claims
from extauthz.oauth2.jwt import parse

SECRET = "s3cr3t"
JWT = "eyJhbGciOiJSUzI1NiIsInMzY3IzdCI6InMzY3IzdCJ9.eyJpc3MiOiJpIiwic3ViIjoiczNjcjN0IiwianRpIjoiczNjcjN0In0.c2ln"
"""Of `s3cr3t`, by the issuer `i`; its header has a member of that name."""
RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}))
API = Api(id="petstore", name="PetStore", version="v1", context="/petstore/v1", resources=(RESOURCE,))
FACTS = TokenFacts(
    form=TokenForm.JWT, believe_until=1.0, client_id="client", subject=SECRET, token_id=SECRET, claims={SECRET: SECRET}
)
CALLER = Principal(facts=FACTS, token_key=SECRET.encode(), token=SECRET, application="app")
ACCESS = Access(API, RESOURCE, CALLER)
UNVERIFIED = parse(JWT)
assert UNVERIFIED is not None
PLAIN, RAW = (
    request_context(CheckRequest.FromString(bytes(check_request(certificate=SECRET, path=f"/{SECRET}", **headers))))
    for headers in ({"headers": {SECRET: SECRET}}, {"raw_headers": [(SECRET, SECRET.encode())]})
)
VALUES = (
    *((each, "api.example.com") for each in (PLAIN, RAW)),
    *((each.details, "EnvoyDetails()") for each in (PLAIN, RAW)),
    (PLAIN.headers, "RequestHeaders()"),
    (RAW.headers, "RawHeaders()"),
    (BearerToken(SECRET), "Bearer"),
    (FACTS, "client"),
    (CALLER, "app"),
    (ACCESS, "petstore"),
    (Allow(ResourceMatch(API, RESOURCE), ACCESS, SECRET, {"x-caller": SECRET}), "petstore"),
    (
        RequestContext(
            method="GET",
            host="api.example.com",
            path=f"/{SECRET}",
            headers=RequestHeaders({"authorization": SECRET}),
            details=GivenDetails(peer_certificate=SECRET),
        ),
        "api.example.com",
    ),
    (GivenDetails(request_id="request-1", peer_certificate=SECRET), "request-1"),
    (CacheKeys([b"k" * 32]).named(SECRET), "NamedToken"),
    (UNVERIFIED, "RS256"),
    (registered_claims(Claims({**UNVERIFIED.claims, "exp": 7})), "7"),
)


def shown_by_rich(value: object) -> str:
    out = io.StringIO()
    Console(file=out, width=1000).print(value)
    return out.getvalue()


@pytest.mark.parametrize("show", [repr, str, "{!r}".format, shown_by_rich], ids=["repr", "str", "format", "rich"])
@pytest.mark.parametrize(("value", "known"), VALUES, ids=[type(value).__name__ for value, _ in VALUES])
def test_a_value_shows_what_it_is_and_nothing_that_is_hidden(show, value, known):
    shown = show(value)
    assert known in shown
    assert SECRET not in shown
    assert JWT not in shown


def every_kind(kind: type[SecretFields] = SecretFields) -> Iterator[type[SecretFields]]:
    for below in kind.__subclasses__():
        yield below
        yield from every_kind(below)


def test_each_name_that_is_hidden_is_a_field():
    """A field that was renamed would be shown."""
    for module in pkgutil.walk_packages(extauthz.__path__, "extauthz."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = list(every_kind())
    assert Principal in kinds
    for kind in kinds:
        assert kind.hidden, kind
        assert kind.hidden <= {field.name for field in structs.fields(kind)}, kind


def test_two_of_the_same_are_equal_and_none_can_be_changed():
    assert structs.replace(CALLER, token="other") != CALLER == structs.replace(CALLER)
    with pytest.raises(AttributeError):
        CALLER.token = "other"  # type: ignore[misc]
