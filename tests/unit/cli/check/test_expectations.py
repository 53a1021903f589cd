import re
from pathlib import Path

import pytest
import yaml
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from support.catalogs import contents

from extauthz.cli.check.comparison import differences
from extauthz.cli.check.expectations import (
    ExpectationsDocument,
    ExpectDocument,
    RequestDocument,
    sample_requests,
)
from extauthz.cli.check.source import Told
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy_client.answer import answer_of
from extauthz.model.api import ResourceMatch
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason

API = contents().apis[0]
ALLOWED = Allow(match=ResourceMatch(api=API, resource=API.resources[2]), headers={"x-caller-app": "app"})
REFUSED = Deny(reason=Reason.INVALID_TOKEN, api=API, resource=API.resources[0])


def case(name="one", request=None, **expect):
    return {
        "name": name,
        "request": {"url": "https://h/p"} | (request or {}),
        "expect": {"decision": "allow"} | expect,
    }


def parsed(*cases):
    return loads(yaml.safe_dump({"cases": list(cases)}), ExpectationsDocument, "expectations.yaml")


def mistakes(*cases):
    with pytest.raises(DocumentError) as caught:
        parsed(*cases)
    return {path_text(mistake.location) for mistake in caught.value.mistakes}


def found(answered, *, by_replica=False, **expect):
    response = ResponseBuilder(ResponsePolicy(upstream_headers=("x-caller-app",))).response(answered)
    answer = answer_of(CheckResponse.FromString(response))
    told = Told(answer=answer, decision=None if by_replica else answered, seconds=0.001)
    return differences(ExpectDocument(**expect), told)


@pytest.mark.parametrize(
    ("request_or_expect", "place"),
    [
        ({"request": {"url": "/pets"}}, "cases[0].request.url"),
        ({"request": {"token": "eyJ"}}, "cases[0].request.token"),
        ({"request": {"headers": {"Authorization": "Bearer x"}}}, "cases[0].request.headers.Authorization"),
        ({"request": {"method": "GET /"}}, "cases[0].request.method"),
        ({"request": {"token": {"env": "A", "file": "b"}}}, "cases[0].request.token"),
        ({"status": 403}, "cases[0].expect.status"),
        ({"decision": "deny", "sets": ["x"]}, "cases[0].expect.sets"),
        ({"decision": "maybe"}, "cases[0].expect.decision"),
        ({"reasons": "x"}, "cases[0].expect.reasons"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_at_its_place(request_or_expect, place):
    assert mistakes(case(**request_or_expect)) == {place}


def test_a_name_stands_for_one_case():
    assert mistakes(case("same"), case("same")) == {"cases[1].name"}


def test_a_file_without_cases_would_be_always_as_expected():
    assert mistakes() == {"cases"}


def test_secrets_are_read_from_where_the_file_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_KEY", "k")
    (tmp_path / "token").write_text("t\n")
    document = parsed(case(request={"token": {"file": "token"}, "headers": {"x-api-key": {"env": "TEST_KEY"}}}))
    sample = sample_requests(document, tmp_path / "expectations.yaml")["one"]
    assert dict(sample.headers) == {"authorization": "Bearer t", "x-api-key": "k"}


def test_every_missing_secret_is_told_at_once(tmp_path):
    document = parsed(*(case(name, request={"token": {"file": name}}) for name in ("a", "b")))
    with pytest.raises(DocumentError) as caught:
        sample_requests(document, tmp_path / "expectations.yaml")
    assert len(caught.value.mistakes) == 2


def test_what_is_left_out_is_not_looked_at():
    assert found(ALLOWED, decision="allow") == []
    assert found(REFUSED, decision="deny") == []


def test_another_decision_is_told_with_its_reason():
    assert found(REFUSED, decision="allow") == ["decision is deny (invalid_token, 401), not allow"]
    assert found(ALLOWED, decision="deny") == ["decision is allow, not deny"]


def test_each_difference_of_a_refusal_is_told():
    expected = {"reason": Reason.TOKEN_EXPIRED, "code": "900903", "status": 403, "api": "petstore", "resource": "/p"}
    assert found(REFUSED, decision="deny", **expected) == [
        "reason is invalid_token, not token_expired",
        "code is 900901, not 900903",
        "status is 401, not 403",
        "resource is /pets, not /p",
    ]


def test_a_replica_does_not_tell_the_api_of_a_refusal():
    assert found(REFUSED, by_replica=True, decision="deny", api="petstore") == ["api is not told, not petstore"]
    assert found(ALLOWED, by_replica=True, decision="allow", api="petstore", resource="/about") == []


def test_headers_of_the_upstream_are_compared_and_not_repeated():
    good = {"upstream_headers": {"X-Caller-App": "app"}, "sets": ("x-caller-app",), "removes": ("authorization",)}
    assert found(ALLOWED, decision="allow", **good) == []
    bad = {"upstream_headers": {"x-caller-app": "b", "y": "c"}, "sets": ("z",), "removes": ("host",)}
    assert found(ALLOWED, decision="allow", **bad) == [
        "header x-caller-app has another value",
        "header y is not set",
        "header z is not set",
        "header host is not removed",
    ]


def test_the_example_of_the_page_is_right_and_every_key_stands_there():
    page = (Path(__file__).parents[4] / "docs/command-line.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if block.startswith("cases:"))
    loads(example, ExpectationsDocument, "docs/command-line.md")
    keys = [f"request.{key}" for key in RequestDocument.model_fields]
    keys += [f"expect.{key}" for key in ExpectDocument.model_fields]
    assert [key for key in keys if f"`{key}`" not in page] == []
