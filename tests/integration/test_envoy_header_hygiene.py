"""What a client forges never reaches the upstream, by Envoy's bootstrap and by extauthz's answer, each on its own."""

from contextlib import asynccontextmanager
from itertools import product

import pytest
import pytest_asyncio
from support.allow_server import allow, always, failing, hanging, header, running_allow_server
from support.envoy import running_echo, running_envoy, send

from extauthz.cli.demo.envoy_bootstrap import connection_manager, ext_authz
from extauthz.cli.demo.programs import free_port
from extauthz.envoy.ok_response import OkResponses
from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.check import Allow

pytestmark = [
    pytest.mark.external_service,
    pytest.mark.through_envoy,
    pytest.mark.asyncio(loop_scope="module"),
]

OWNED = "x-jwt-assertion"
FORGED_WITH_DASHES = (("X-JWT-Assertion", "forged"), ("x-jwt-assertion", "forged again"))
FORGED = (
    *FORGED_WITH_DASHES,
    ("x_jwt_assertion", "forged"),
    ("x_jwt_assertion", "forged again"),
    ("X_JWT-Assertion", "forged"),
    ("X-JWT_ASSERTION", "forged"),
)
FORGED_WITH_ANY_SEPARATOR = (*FORGED, ("X.JWT.Assertion", "forged"), ("X~JWT+Assertion", "forged"))
FILTER_DISABLED = {
    "envoy.filters.http.ext_authz": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        "disabled": True,
    }
}
OVERWRITING = tuple(
    product((None, False), (None, "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS"))
)


def without_early_mutation(bootstrap):
    manager = connection_manager(bootstrap)
    del manager["early_header_mutation_extensions"]
    allow_underscores(bootstrap)


def allow_underscores(bootstrap):
    connection_manager(bootstrap)["common_http_protocol_options"]["headers_with_underscores_action"] = "ALLOW"


def disable_filter(bootstrap):
    route = connection_manager(bootstrap)["route_config"]["virtual_hosts"][0]["routes"][0]
    route["typed_per_filter_config"] = FILTER_DISABLED


def fail_open(bootstrap):
    ext_authz(bootstrap)["failure_mode_allow"] = True


def answer_of_extauthz(backend_jwt):
    api = Api(id="pets", name="Pets", version="1", context="/")
    match = ResourceMatch(api=api, resource=Resource(template="/", methods=frozenset({"GET"})))
    response = OkResponses(OWNED).response(Allow(match=match, backend_jwt=backend_jwt))
    return always(response.SerializeToString())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(tmp_path_factory):
    async with running_echo(tmp_path_factory.mktemp("echo")) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def authorization():
    async with running_allow_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def envoy(tmp_path_factory, authorization, echo):
    """Envoy on the bootstrap as it is."""
    folder = tmp_path_factory.mktemp("envoy")
    async with running_envoy(folder, authorization_port=authorization.port, upstream_port=echo) as running:
        yield running


@pytest.fixture
def changed(tmp_path, authorization, echo):
    """Envoy on a changed bootstrap; `authorization_port` may name one where nobody listens."""

    @asynccontextmanager
    async def start(*changes, authorization_port=authorization.port):
        def change(bootstrap):
            for each in changes:
                each(bootstrap)

        async with running_envoy(
            tmp_path, authorization_port=authorization_port, upstream_port=echo, change=change
        ) as running:
            yield running

    return start


async def test_our_header_arrives_once_beside_forged_copies(envoy, authorization):
    authorization.answer = always(allow(header(OWNED, "ours", append=False)))
    response = await send(envoy.port, FORGED_WITH_ANY_SEPARATOR)
    assert response.seen_by_upstream(OWNED) == ["ours"]


async def test_forged_copies_are_removed_when_the_answer_sets_none(envoy, authorization):
    authorization.answer = always(allow())
    response = await send(envoy.port, FORGED_WITH_ANY_SEPARATOR)
    assert response.seen_by_upstream(OWNED) == []


async def test_forged_copies_are_removed_where_the_filter_is_disabled(changed):
    async with changed(disable_filter) as envoy:
        response = await send(envoy.port, FORGED_WITH_ANY_SEPARATOR)
    assert response.seen_by_upstream(OWNED) == []


async def test_forged_copies_are_removed_when_envoy_fails_open(changed):
    async with changed(fail_open, authorization_port=free_port()) as envoy:
        response = await send(envoy.port, FORGED_WITH_ANY_SEPARATOR)
    assert response.status == 200
    assert response.seen_by_upstream(OWNED) == []


async def test_early_mutation_alone_removes_every_spelling(changed):
    async with changed(disable_filter, allow_underscores) as envoy:
        response = await send(envoy.port, [*FORGED_WITH_ANY_SEPARATOR, ("other_name", "stays")])
    assert response.seen_by_upstream(OWNED) == []
    assert response.seen_by_upstream("other_name") == ["stays"]


@pytest.mark.parametrize(("backend_jwt", "seen"), [("ours", ["ours"]), (None, [])])
async def test_answer_of_extauthz_alone_protects_the_header(changed, authorization, backend_jwt, seen):
    authorization.answer = answer_of_extauthz(backend_jwt)
    async with changed(without_early_mutation) as envoy:
        response = await send(envoy.port, FORGED)
    assert response.seen_by_upstream(OWNED) == seen


async def test_forged_copies_arrive_where_nobody_removes_them(changed, authorization):
    """The control: without both protections the tests above would see the forgery."""
    authorization.answer = always(allow())
    async with changed(without_early_mutation) as envoy:
        response = await send(envoy.port, FORGED)
    assert response.seen_by_upstream(OWNED) == [value for _, value in FORGED]


async def test_set_header_overwrites_forged_copies_unless_append_is_true(changed, authorization):
    """Reports of 1.37 had the default of `append` changed; measured, neither it nor `append_action` matters here."""
    seen = {}
    async with changed(without_early_mutation) as envoy:
        for append, action in OVERWRITING:
            authorization.answer = always(allow(header(OWNED, "ours", append=append, action=action)))
            response = await send(envoy.port, FORGED_WITH_DASHES)
            seen[append, action] = response.seen_by_upstream(OWNED)
    assert seen == {combination: ["ours"] for combination in OVERWRITING}


async def test_append_true_would_keep_forged_copies(changed, authorization):
    """Why no answer of ours appends: the forged value comes first, and without one ours is not even added."""
    authorization.answer = always(allow(header(OWNED, "ours", append=True)))
    async with changed(without_early_mutation) as envoy:
        forged = await send(envoy.port, FORGED_WITH_DASHES)
        honest = await send(envoy.port)
    assert forged.seen_by_upstream(OWNED) == ["forged,ours", "forged again"]
    assert honest.seen_by_upstream(OWNED) == []


async def test_connection_header_does_not_take_our_header_away(envoy, authorization):
    """RFC 9110 §7.6.1: a name listed in Connection is for the next hop only."""
    authorization.answer = always(allow(header(OWNED, "ours", append=False)))
    response = await send(envoy.port, [("Connection", "close, X-JWT-Assertion")])
    assert response.seen_by_upstream(OWNED) == ["ours"]


@pytest.mark.parametrize(
    "answer",
    [
        allow(header("x-user", "admin", append=False)),
        allow(header("x-jwt-assertion-too", "admin", append=False)),
        allow(remove=["x-forwarded-for"]),
    ],
    ids=["sets", "sets-similar", "removes"],
)
async def test_answer_that_touches_another_header_is_an_error(envoy, authorization, answer):
    authorization.answer = always(answer)
    assert (await send(envoy.port)).status == 500


@pytest.mark.parametrize(
    "answer", [failing, hanging, always(b"\xff no message")], ids=["rpc-error", "hanging", "not-a-message"]
)
async def test_request_without_a_usable_answer_is_refused_with_503(envoy, authorization, answer):
    authorization.answer = answer
    response = await send(envoy.port)
    assert (response.status, response.body) == (503, b"")


async def test_request_is_refused_with_503_when_nobody_answers(changed):
    async with changed(authorization_port=free_port()) as envoy:
        response = await send(envoy.port)
    assert (response.status, response.body) == (503, b"")
