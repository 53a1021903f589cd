"""Which key managers see an opaque token: through the whole pipeline."""

from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.catalogs import api
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, refused

from extauthz.model.check import Allow
from extauthz.model.errors import Reason

OFF = {"subscription_validation": "off"}


@pytest.fixture
async def second():
    async with AuthorizationServer(name="second") as running:
        yield running


def caller(decision):
    assert isinstance(decision, Allow), decision
    assert decision.access is not None
    return decision.access.principal


@asynccontextmanager
async def two_servers(server, second, rules, *, try_next=0, **sections):
    async with deciding(server) as world:
        managers = [
            key_manager_of(server, id="first", jwt=None, **OFF),
            key_manager_of(second, id="second", jwt=None, **OFF),
        ]
        await world.catalog(
            key_managers=managers,
            applications=[],
            subscriptions=[],
            opaque_tokens={"rules": rules, "try_next": try_next},
            **sections,
        )
        yield world


def calls(server, second):
    return server.introspection.calls, second.introspection.calls


async def test_the_first_rule_that_fits_decides(server, second):
    rules = [
        {"key_manager": "second", "pattern": "[0-9a-f]{32}"},
        {"key_manager": "first", "prefix": "a"},
    ]
    async with two_servers(server, second, rules) as world:
        refused(await world.check("a" * 32), Reason.TOKEN_INACTIVE)
        assert calls(server, second) == (0, 1)
        refused(await world.check("a" * 33), Reason.TOKEN_INACTIVE)
        assert calls(server, second) == (1, 1)


@pytest.mark.parametrize("token", ["b" * 31, "x" + "a" * 32, "a" * 32 + "x"])
async def test_a_token_that_no_rule_fits_is_sent_to_nobody(server, second, token):
    """The pattern is that of the whole token."""
    async with two_servers(server, second, [{"key_manager": "first", "pattern": "[a-f]{32}"}]) as world:
        refused(await world.check(token))
        assert calls(server, second) == (0, 0)


async def test_a_header_hint_chooses_among_the_key_managers_of_the_api(server, second):
    rules = [{"key_manager": name, "header": {"name": "X-Token-Issuer", "value": name}} for name in ("first", "second")]
    token = second.issue_opaque(**GOOD)
    async with two_servers(server, second, rules) as world:
        hinted = {"headers": {"x-token-issuer": "second"}}
        assert caller(await world.check(token, **hinted)).key_manager.id == "second"
        for wrong in ("", "Second", "second,second", "first,second", "third"):
            refused(await world.check(token, headers={"x-token-issuer": wrong}))
        refused(await world.check(token))
        assert calls(server, second) == (0, 1)
    async with two_servers(server, second, rules, apis=[api(key_managers=["first"])]) as world:
        refused(await world.check(token, **hinted))
        assert calls(server, second) == (0, 1)


BOTH: list[dict[str, Any]] = [{"key_manager": "first", "pattern": ".*"}, {"key_manager": "second", "pattern": ".*"}]


async def test_a_token_that_one_calls_inactive_is_tried_at_the_next_only_where_configured(server, second):
    token = second.issue_opaque(**GOOD)
    async with two_servers(server, second, BOTH) as world:
        refused(await world.check(token), Reason.TOKEN_INACTIVE)
        assert calls(server, second) == (1, 0)
    async with two_servers(server, second, BOTH, try_next=1) as world:
        assert caller(await world.check(token)).key_manager.id == "second"
        caller(await world.check(token))
        assert calls(server, second) == (2, 1)


async def test_no_more_key_managers_than_allowed_see_a_token(server, second):
    async with deciding(server) as world, AsyncExitStack() as stack:
        third = await stack.enter_async_context(AuthorizationServer(name="third"))
        servers = {"first": server, "second": second, "third": third}
        managers = [key_manager_of(running, id=name, jwt=None, **OFF) for name, running in servers.items()]
        rules = [{"key_manager": name, "prefix": "t"} for name in ("first", "first", "second", "third")]
        tokens = {"rules": rules, "try_next": 1}
        await world.catalog(key_managers=managers, applications=[], subscriptions=[], opaque_tokens=tokens)
        refused(await world.check("token"), Reason.TOKEN_INACTIVE)
        assert (*calls(server, second), third.introspection.calls) == (1, 1, 0)


async def test_a_key_manager_that_does_not_answer_is_not_passed_over(server, second):
    token = second.issue_opaque(**GOOD)
    server.introspection.misbehave(Misbehaviour.STATUS_500)
    async with two_servers(server, second, BOTH, try_next=1) as world:
        refused(await world.check(token), Reason.UNAVAILABLE)
        assert second.introspection.calls == 0


async def test_a_token_that_is_expired_or_of_another_issuer_is_not_passed_on(server, second):
    async with two_servers(server, second, BOTH, try_next=1) as world:
        for answer, reason in (
            ({"active": True, "iss": "https://elsewhere", **GOOD}, Reason.INVALID_TOKEN),
            ({"active": True, "exp": 1, **GOOD}, Reason.TOKEN_EXPIRED),
            ({"active": True, "token_type": "refresh_token", **GOOD}, Reason.WRONG_TOKEN_TYPE),
        ):
            server.introspection_override = answer
            refused(await world.check(f"token-{reason}"), reason)
        assert second.introspection.calls == 0


async def test_a_rule_for_a_disabled_key_manager_is_passed_over(server, second):
    async with deciding(server) as world:
        managers = [
            key_manager_of(server, id="first", jwt=None, enabled=False),
            key_manager_of(second, id="second", jwt=None, **OFF),
        ]
        await world.catalog(key_managers=managers, applications=[], subscriptions=[], opaque_tokens={"rules": BOTH})
        assert caller(await world.check(second.issue_opaque(**GOOD))).key_manager.id == "second"
        assert server.introspection.calls == 0
