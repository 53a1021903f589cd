"""What a log line holds, and what it never does."""

import io
import json
import logging
from typing import NamedTuple

import pytest
import structlog
from msgspec.structs import replace as changed

from extauthz.envoy.request import RequestHeaders
from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import RegisteredCertificate
from extauthz.model.application import Application
from extauthz.model.check import Access, Allow, Deny, GivenDetails, Principal, RequestContext
from extauthz.model.errors import Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.telemetry.logs import DecisionLog, configure_logs

TOKEN = "eyJ-the-token"
HIDDEN = (TOKEN, "the-subject", "the-claim", "the-backend-jwt", "the-token-id", "the-token-key")
REQUEST = RequestContext(
    method="GET",
    host="api.example.com",
    path=f"/petstore/v1/pets?access_token={TOKEN}",
    headers=RequestHeaders({"authorization": f"Bearer {TOKEN}"}),
    details=GivenDetails(request_id="request-1"),
)
RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}))
API = Api(id="petstore", name="PetStore", version="v1", context="/petstore/v1", resources=(RESOURCE,))
MATCH = ResourceMatch(api=API, resource=RESOURCE)
FACTS = TokenFacts(
    form=TokenForm.JWT,
    believe_until=2_000_000_000,
    subject="the-subject",
    client_id="mobile-client",
    token_id="the-token-id",
    claims={"sub": "the-subject", "email": "the-claim"},
)
ACCESS = Access(
    api=API,
    resource=RESOURCE,
    principal=Principal(key_manager=KeyManager(id="km", issuer="i"), facts=FACTS, token_key=b"the-token-key"),
    application=Application(id="mobile", name="Mobile"),
)


@pytest.fixture
def out():
    """Where the logs go, until the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def only_line(out):
    (line,) = out.getvalue().splitlines()
    return json.loads(line)


def test_an_exception_that_a_library_logs_is_a_traceback_in_its_line(out):
    try:
        json.loads("{}")["lost"]
    except KeyError:
        logging.getLogger("some.library").exception("it failed")
    event = only_line(out)
    assert (event["event"], event["level"]) == ("it failed", "error")
    assert event["exception"].startswith("Traceback (most recent call last):\n")
    assert event["exception"].endswith("KeyError: 'lost'")
    assert "exc_info" not in event


def test_a_library_is_heard_from_warnings_on(out):
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("look at %s", "this")
    assert only_line(out)["event"] == "look at this"


def test_an_allowed_request_is_one_line_without_token_subject_and_claims(out):
    DecisionLog()(REQUEST, Allow(match=MATCH, access=ACCESS, backend_jwt="the-backend-jwt"), 0.0015)
    event = only_line(out)
    assert event["event"] == "allowed"
    assert (event["request_id"], event["api"], event["resource"]) == ("request-1", "petstore", "/pets")
    assert (event["key_manager"], event["client_id"], event["application"]) == ("km", "mobile-client", "mobile")
    assert event["milliseconds"] == 1.5
    assert [hidden for hidden in HIDDEN if hidden in out.getvalue()] == []


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        ({"key_manager": KeyManager(id="km", issuer="i")}, {"credential": "token", "key_manager": "km"}),
        (
            {"api_key": ApiKey(id="partner", hash=b"the-token-key", application="mobile")},
            {"credential": "api_key", "api_key": "partner"},
        ),
        (
            {"certificate": RegisteredCertificate(thumbprint="t", subject="CN=batch", not_before=0, not_after=2e9)},
            {"credential": "certificate", "certificate": "CN=batch"},
        ),
        ({"application": "mobile"}, {"credential": "extension"}),
    ],
)
def test_a_line_names_the_kind_of_credential_and_never_the_credential(out, credential, expected):
    caller = Principal(facts=FACTS, token_key=b"the-token-key", **credential)
    DecisionLog()(REQUEST, Allow(match=MATCH, access=changed(ACCESS, principal=caller)), 0.0015)
    event = only_line(out)
    assert {name: event.get(name) for name in expected} == expected
    assert {"key_manager", "api_key", "certificate"} & event.keys() == expected.keys() - {"credential"}
    assert [hidden for hidden in HIDDEN if hidden in out.getvalue()] == []


def test_a_refused_request_is_one_line_with_its_reason_and_without_the_token(out):
    DecisionLog()(
        REQUEST,
        Deny(reason=Reason.TOKEN_EXPIRED, detail="expired 5 s ago", api=MATCH.api, resource=MATCH.resource),
        0.001,
    )
    event = only_line(out)
    assert (event["event"], event["reason"], event["detail"]) == ("denied", "token_expired", "expired 5 s ago")
    assert (event["request_id"], event["api"]) == ("request-1", "petstore")
    assert [hidden for hidden in HIDDEN if hidden in out.getvalue()] == []


def test_what_an_extension_logs_shows_no_token(out):
    principal = changed(ACCESS.principal, token=TOKEN)
    access = changed(ACCESS, principal=principal)
    structlog.get_logger("extension").info(
        "seen", who=principal, all=[{"access": access}], decision=Allow(MATCH, access, "the-backend-jwt")
    )
    line = only_line(out)
    assert line["who"].startswith("Principal(")
    assert not [hidden for hidden in HIDDEN if hidden in json.dumps(line)]


class OfAnExtension(NamedTuple):
    name: str
    password: str

    def __repr__(self) -> str:
        return f"OfAnExtension({self.name})"


def test_a_named_tuple_is_logged_as_it_shows_itself(out):
    """JSON would write it item by item."""
    known = OfAnExtension("ann", "hunter2")
    structlog.get_logger("extension").info("seen", who=known, all=[{"some": (known,)}])
    line = only_line(out)
    assert (line["who"], line["all"]) == ("OfAnExtension(ann)", [{"some": ["OfAnExtension(ann)"]}])
