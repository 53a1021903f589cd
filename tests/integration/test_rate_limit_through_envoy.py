"""`deploy/envoy/rate-limit.yaml`: Envoy limits and logs by what extauthz says of the caller."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from msgspec.structs import replace as changed
from support.allow_server import always, running_allow_server
from support.deciders import allow, open_allow
from support.envoy import running_echo, running_envoy, send

from extauthz.cli.demo.envoy_bootstrap import connection_manager
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.model.application import Application
from extauthz.model.check import Deny
from extauthz.model.errors import Reason

pytestmark = [
    pytest.mark.external_service,
    pytest.mark.through_envoy,
    pytest.mark.asyncio(loop_scope="module"),
]

REQUESTS = {"Gold": 3, "Silver": 1, "Bronze": 2}
REQUESTS_WITHOUT_LINE = 2
ANSWERS = ResponseBuilder(ResponsePolicy())


def few_requests(bootstrap):
    """Small buckets that no test outlives."""
    limit = local_rate_limit(bootstrap)
    set_bucket(limit, REQUESTS_WITHOUT_LINE)
    for descriptor in limit["descriptors"]:
        policy = descriptor["entries"][0]["value"]
        if policy in REQUESTS:
            set_bucket(descriptor, REQUESTS[policy])


def local_rate_limit(bootstrap):
    filters = connection_manager(bootstrap)["http_filters"]
    (found,) = (each for each in filters if each["name"] == "envoy.filters.http.local_ratelimit")
    return found["typed_config"]


def set_bucket(place, requests):
    place["token_bucket"] = {"max_tokens": requests, "tokens_per_fill": requests, "fill_interval": "36000s"}


def subscribed(policy, application="app-1", api="petstore-v1"):
    """The answer for a caller with a subscription."""
    decision = allow()
    assert decision.access is not None
    assert decision.access.subscription is not None
    access = changed(
        decision.access,
        application=application and Application(id=application, name="Shop"),
        subscription=replace(decision.access.subscription, policy=policy),
    )
    match = changed(decision.match, api=replace(decision.match.api, id=api))
    return ANSWERS.response(changed(decision, match=match, access=access))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(tmp_path_factory):
    async with running_echo(tmp_path_factory.mktemp("echo")) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def authorization():
    async with running_allow_server() as server:
        yield server


@asynccontextmanager
async def asking(folder, authorization, echo):
    """Sends requests that extauthz answers in one way, through an Envoy with full buckets; their statuses."""
    running = running_envoy(
        folder,
        authorization_port=authorization.port,
        upstream_port=echo,
        bootstrap_file="rate-limit.yaml",
        change=few_requests,
    )
    async with running as envoy:

        async def ask(answer, times, headers=()):
            authorization.answer = always(answer)
            return [(await send(envoy.port, headers)).status for _ in range(times)]

        yield ask


@pytest_asyncio.fixture(loop_scope="module")
async def asked(tmp_path, authorization, echo):
    async with asking(tmp_path, authorization, echo) as ask:
        yield ask


async def test_applications_of_different_policies_have_different_limits(asked):
    assert await asked(subscribed("Gold", "app-1"), 5) == [200, 200, 200, 429, 429]
    assert await asked(subscribed("Silver", "app-2"), 3) == [200, 429, 429]


async def test_each_application_has_a_bucket_of_its_own_for_each_api(asked):
    assert await asked(subscribed("Silver", "app-1"), 2) == [200, 429]
    assert await asked(subscribed("Silver", "app-2"), 2) == [200, 429]
    assert await asked(subscribed("Silver", "app-1", api="orders-v1"), 2) == [200, 429]
    assert await asked(subscribed("Silver", "app-1"), 1) == [429]


async def test_callers_without_an_application_share(asked):
    assert await asked(subscribed("Bronze", None), 3) == [200, 200, 429]


async def test_whatever_has_no_line_shares_one_bucket(asked):
    assert await asked(subscribed("Platinum", "app-1"), 1) == [200]
    assert await asked(ANSWERS.response(open_allow()), 1) == [200]
    assert await asked(subscribed("Platinum", "app-2"), 1) == [429]
    assert await asked(ANSWERS.response(open_allow()), 1) == [429]
    assert await asked(subscribed("Gold", "app-1"), 1) == [200]


async def test_unlimited_is_not_limited(asked):
    assert await asked(subscribed("Unlimited"), 5) == [200] * 5


async def test_a_client_cannot_choose_its_policy(asked):
    claims = [(name, "Gold") for name in ("policy", "subscription_policy", "subscription-policy")]
    claims += [("x-envoy-dynamic-metadata", '{"subscription_policy":"Gold"}'), ("application", "app-2")]
    assert await asked(subscribed("Silver"), 2, claims) == [200, 429]


async def test_refused_requests_are_not_counted(asked):
    refusal = ANSWERS.response(Deny(reason=Reason.INVALID_TOKEN))
    assert await asked(refusal, 5) == [401] * 5
    assert await asked(subscribed("Silver"), 2) == [200, 429]


async def test_the_access_log_knows_the_caller_and_has_no_secret(tmp_path, authorization, echo):
    async with asking(tmp_path, authorization, echo) as ask:
        await ask(subscribed("Silver"), 2)
        await ask(ANSWERS.response(Deny(reason=Reason.INVALID_TOKEN)), 1, [("Authorization", "Bearer secret")])
    log = (tmp_path / "envoy.log").read_text(encoding="utf-8")  # whole, now that Envoy has ended
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    caller = {"application": "app-1", "subscription_policy": "Silver", "credential": "token", "client_id": "client-1"}
    assert [{name: line[name] for name in caller} for line in lines] == [caller, caller, dict.fromkeys(caller)]
    assert [line["status"] for line in lines] == [200, 429, 401]
    assert [line["details"] for line in lines[:2]] == ["via_upstream", "local_rate_limited"]
    assert lines[0]["api"] == "petstore-v1"
    assert "secret" not in log
