"""Which API and resource a request is for, as a real Envoy tells it: routes, upgrades, gRPC, browsers, odd paths."""

from contextlib import asynccontextmanager

import aiohttp
import grpc
import pytest
import pytest_asyncio
from aiohttp import web
from support.authorization_server import AuthorizationServer
from support.catalogs import api
from support.decisions import GOOD
from support.envoy import running_echo, running_envoy, send
from support.service import running_service

from extauthz.cli.demo.envoy_bootstrap import cluster, connection_manager, ext_authz

pytestmark = [
    pytest.mark.external_service,
    pytest.mark.through_envoy,
    pytest.mark.asyncio(loop_scope="module"),
]

ORIGIN, STRANGER = "https://app.example.com", "https://evil.example"
PETS = "/petstore/v1/pets"
LIST_PETS = "/pets.v1.PetService/ListPets"
HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


def resource(template, *methods, **settings):
    return {"template": template, "methods": list(methods), **settings}


def another(name, context, *resources, **settings):
    return api(id=name, context=context, resources=list(resources), subscription_required=False, **settings)


CORS = {"origins": [ORIGIN], "credentials": True, "exposed_headers": ["X-Request-Id"]}
APIS = [
    api(cors=CORS),
    another("named", "/named", resource("/*", "GET", open=True), hosts=["nowhere.example"]),
    another("chat", "/chat", resource("/{room}", "WEBSOCKET"), resource("/both", "GET", "WEBSOCKET")),
    another("grpc", "/pets.v1.PetService", resource("/ListPets", "POST", scopes=["read"]), resource("/*", "POST")),
    another("admin", "/pets.v1.Admin", resource("/*", "POST", scopes=["admin"])),
    another("closed", "/pets.v1.Closed", resource("/*", "POST"), state="BLOCKED"),
    another("graphql", "/graphql", resource("/", "POST")),
    another("paths", "/paths", resource("/*", "GET", open=True), resource("/admin", "GET", scopes=["admin"])),
    another("asked", "/asked", resource("/", "OPTIONS", "PUT", scopes=["admin"]), cors=CORS),
    another("blocked", "/blocked", resource("/", "GET", open=True), cors={"origins": ["*"]}, state="BLOCKED"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server():
    async with AuthorizationServer() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory, server):
    async with running_service(tmp_path_factory.mktemp("service"), server, catalog={"apis": APIS}) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(tmp_path_factory):
    async with running_echo(tmp_path_factory.mktemp("echo")) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def envoy(tmp_path_factory, service, echo):
    """Envoy on the bootstrap as it is."""
    folder = tmp_path_factory.mktemp("envoy")
    async with running_envoy(folder, authorization_port=service.port, upstream_port=echo) as running:
        yield running


@pytest.fixture
def changed(tmp_path, service, echo):
    @asynccontextmanager
    async def start(change, upstream_port=echo):
        async with running_envoy(
            tmp_path, authorization_port=service.port, upstream_port=upstream_port, change=change
        ) as running:
            yield running

    return start


@pytest.fixture
def token(server):
    return ("Authorization", f"Bearer {server.issue_jwt(**GOOD)}")


def headers_of(response):
    return {name.lower(): value for name, value in response.headers}


# The route names the API.


def route_of(bootstrap):
    return connection_manager(bootstrap)["route_config"]["virtual_hosts"][0]["routes"][0]


def annotated(name):
    """A route as Envoy Gateway makes it of an HTTPRoute with the annotation `gateway.envoyproxy.io/extauthz-api`."""
    described = {"kind": "HTTPRoute", "name": "pets", "namespace": "shop", "annotations": {"extauthz-api": name}}
    return {"envoy-gateway": {"resources": [described]}}


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({}, 404),
        ({"extauthz": {"api": "named"}}, 200),
        (annotated("named"), 200),
        ({"extauthz": {"api": "named"}} | annotated("named"), 200),
        ({"extauthz": {"api": "named"}} | annotated("chat"), 404),
        ({"extauthz": {"api": "chat"}}, 404),
        ({"extauthz": {"api": 7}}, 404),
        ({"somebody": {"api": "named"}}, 404),
    ],
    ids=str,
)
async def test_route_metadata_name_the_api(changed, metadata, status):
    """No host and path of a request alone can find it: its host is another one."""

    def change(bootstrap):
        ext_authz(bootstrap)["route_metadata_context_namespaces"] = ["extauthz", "envoy-gateway", "somebody"]
        route_of(bootstrap)["metadata"] = {"filter_metadata": metadata}

    async with changed(change) as envoy:
        assert (await send(envoy.port, target="/named/x")).status == status


async def test_the_bootstrap_passes_on_our_metadata_and_extensions_come_before_them(changed):
    def change(bootstrap):
        route_of(bootstrap)["metadata"] = {"filter_metadata": {"extauthz": {"api": "chat"}}}
        route_of(bootstrap)["typed_per_filter_config"] = {
            "envoy.filters.http.ext_authz": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
                "check_settings": {"context_extensions": {"api": "named"}},
            }
        }

    def metadata_alone(bootstrap):
        route_of(bootstrap)["metadata"] = {"filter_metadata": {"extauthz": {"api": "named"}}}

    for each in (change, metadata_alone):
        async with changed(each) as envoy:
            assert (await send(envoy.port, target="/named/x")).status == 200


# Upgrades.


@asynccontextmanager
async def chat_upstream():
    """Answers an upgrade with an echoing WebSocket and any other GET with 200; the port."""

    async def answer(request):
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(text="no upgrade")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"heard {message.data}")
        return socket

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def with_upgrades(bootstrap):
    connection_manager(bootstrap)["upgrade_configs"] = [{"upgrade_type": "websocket"}]


async def upgrade_status(session, url, **headers):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(url, headers=headers)
    return refused.value.status


async def test_an_upgrade_needs_a_token_and_a_resource_that_has_it(changed, token):
    authorization = dict([token])
    async with (
        chat_upstream() as upstream,
        changed(with_upgrades, upstream) as envoy,
        aiohttp.ClientSession() as client,
    ):
        room = envoy.url("/chat/pets")
        async with client.ws_connect(room, headers=authorization) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "heard hello"
        assert await upgrade_status(client, room) == 401
        assert await upgrade_status(client, room, Authorization="Bearer wrong") == 401
        assert await upgrade_status(client, envoy.url("/graphql"), **authorization) == 405

        async with client.get(room, headers=authorization) as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET")
        async with client.get(envoy.url("/chat/both"), headers=authorization) as response:
            assert response.status == 200


@pytest.mark.parametrize("headers", [[("Upgrade", "websocket")], [("Upgrade", "websocket"), ("Connection", "close")]])
async def test_an_upgrade_that_envoy_does_not_make_is_none(changed, token, headers):
    """Else a GET with the word alone would be let through as an upgrade, and reach the upstream as a GET."""
    async with changed(with_upgrades) as envoy:
        assert (await send(envoy.port, [token, *headers], target="/chat/pets")).status == 405


async def test_the_name_of_the_pseudo_method_is_no_method(envoy, token):
    for headers in ([token], [token, ("Connection", "Upgrade, close"), ("Upgrade", "websocket")]):
        assert (await send(envoy.port, headers, method="WEBSOCKET", target="/chat/pets")).status in {400, 403, 405}


# gRPC and GraphQL.


@asynccontextmanager
async def grpc_upstream():
    """Answers every call of the services with what it was sent; the port."""

    async def answer(request: bytes, _context: object) -> bytes:
        return request

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(answer)
    methods = dict.fromkeys(("ListPets", "AddPet"), handler)
    transport = grpc.aio.server()
    for name in ("pets.v1.PetService", "pets.v1.Admin"):
        transport.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))
    port = transport.add_insecure_port("127.0.0.1:0")
    await transport.start()
    try:
        yield port
    finally:
        await transport.stop(grace=None)


def with_http2_upstream(bootstrap):
    cluster(bootstrap, "upstream")["typed_extension_protocol_options"] = HTTP2


async def call(channel, method, *metadata):
    unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return await unary(b"pets", metadata=metadata)


async def refusal(channel, method, *metadata):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(channel, method, *metadata)
    return refused.value


async def test_grpc_methods_are_resources_and_refusals_are_statuses(changed, token):
    """Envoy makes trailers of our answer: the status from the HTTP status, the message from the body."""
    authorization = ("authorization", token[1])
    async with (
        grpc_upstream() as upstream,
        changed(with_http2_upstream, upstream) as envoy,
        grpc.aio.insecure_channel(f"127.0.0.1:{envoy.port}") as channel,
    ):
        for method in (LIST_PETS, "/pets.v1.PetService/AddPet"):
            assert await call(channel, method, authorization) == b"pets"

        anonymous = await refusal(channel, LIST_PETS)
        assert anonymous.code() is grpc.StatusCode.UNAUTHENTICATED
        assert '"code": "900902"' in (anonymous.details() or "")
        challenge = dict([*anonymous.initial_metadata(), *anonymous.trailing_metadata()])["www-authenticate"]
        assert challenge == 'Bearer realm="extauthz"'

        for method, metadata, code in (
            ("/pets.v1.Admin/AddPet", [authorization], grpc.StatusCode.PERMISSION_DENIED),
            ("/pets.v1.PetServiceX/ListPets", [authorization], grpc.StatusCode.UNIMPLEMENTED),
            ("/pets.v1.Closed/ListPets", [], grpc.StatusCode.UNAVAILABLE),
            (LIST_PETS, [authorization, authorization], grpc.StatusCode.INTERNAL),
            (PETS + "/7", [authorization], grpc.StatusCode.UNKNOWN),
        ):
            assert (await refusal(channel, method, *metadata)).code() is code, method


async def test_graphql_is_one_resource_with_post(envoy, token):
    assert (await send(envoy.port, [token], method="POST", target="/graphql")).status == 200
    assert (await send(envoy.port, [token], target="/graphql?query={pets}")).status == 405
    assert (await send(envoy.port, method="POST", target="/graphql")).status == 401


# Browsers.


def asks(method="POST", origin=ORIGIN):
    return [("Origin", origin), ("Access-Control-Request-Method", method)]


FORGED = (("X-JWT-Assertion", "forged"), ("Cookie", "session=1"))


async def test_a_preflight_passes_without_a_token_and_takes_nothing_forged_along(envoy):
    """Issue 19 of envoy-wire: browsers never send a token with a preflight."""
    response = await send(envoy.port, [*asks(), *FORGED], method="OPTIONS", target=PETS)
    assert response.status == 200
    assert response.seen_by_upstream("origin") == [ORIGIN]
    assert response.seen_by_upstream("x-jwt-assertion") == response.seen_by_upstream("authorization") == []


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("OPTIONS", asks(origin=STRANGER), 405),
        ("OPTIONS", asks(method="DELETE"), 405),
        ("OPTIONS", [("Origin", ORIGIN)], 405),
        ("OPTIONS", asks()[1:], 405),
        ("OPTIONS", [*asks(), ("Origin", STRANGER)], 405),
        ("OPTIONS", [*asks(), ("Authorization", "Bearer x")], 405),
        ("POST", asks(), 401),
        ("GET", asks(), 401),
    ],
    ids=str,
)
async def test_what_only_looks_like_a_preflight_does_not_pass(envoy, method, headers, status):
    assert (await send(envoy.port, headers, method=method, target=PETS)).status == status


async def test_a_preflight_for_an_api_without_cors_is_a_request(envoy):
    assert (await send(envoy.port, asks("POST"), method="OPTIONS", target="/graphql")).status == 405


async def test_options_that_is_no_preflight_needs_what_the_resource_needs(envoy, token):
    assert (await send(envoy.port, asks("PUT"), method="OPTIONS", target="/asked")).status == 200
    assert (await send(envoy.port, method="OPTIONS", target="/asked")).status == 401
    assert (await send(envoy.port, [token, *asks("PUT")], method="OPTIONS", target="/asked")).status == 403


@pytest.mark.parametrize(
    ("method", "target", "with_token", "status"),
    [
        ("GET", PETS, False, 401),
        ("PUT", "/asked", True, 403),
        ("GET", "/petstore/v1/nothing", False, 404),
        ("DELETE", PETS, False, 405),
    ],
)
async def test_a_script_of_a_named_origin_may_read_its_refusal(envoy, token, method, target, with_token, status):
    given = [token] if with_token else []
    response = await send(envoy.port, [("Origin", ORIGIN), *given], method=method, target=target)
    headers = headers_of(response)
    assert response.status == status
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert {"www-authenticate", "x-request-id"} <= set(headers["access-control-expose-headers"].split(", "))
    assert headers["vary"] == "Origin"

    stranger = await send(envoy.port, [("Origin", STRANGER), *given], method=method, target=target)
    assert stranger.status == status
    assert not [name for name in headers_of(stranger) if name.startswith("access-control")]


async def test_a_blocked_api_says_so_to_every_origin_and_lets_no_preflight_through(envoy):
    for method, origin in (("GET", [("Origin", STRANGER)]), ("OPTIONS", asks("GET", STRANGER))):
        response = await send(envoy.port, origin, method=method, target="/blocked")
        assert response.status == 503
        assert headers_of(response)["access-control-allow-origin"] == "*"


async def test_a_refusal_of_no_api_says_nothing_to_browsers(envoy):
    response = await send(envoy.port, asks(), method="OPTIONS", target="/nowhere")
    assert response.status == 404
    assert not [name for name in headers_of(response) if name.startswith("access-control")]


# Odd paths and repeated headers.


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/paths/x", 200),
        ("/paths/admin", 401),
        ("/paths/x/../admin", 401),
        ("/paths/x/%2e%2e/admin", 401),
        ("/paths//admin", 401),
        ("/paths/./admin", 401),
        ("/paths/%61dmin", 401),
        ("/paths/admin/", 404),
        ("/paths/admin;x=1", 404),
        ("/paths/x/..;/admin", {401, 404}),
        ("/paths/x%2f..%2fadmin", 400),
        ("/paths/admin%00", {400, 404}),
        ("/paths/%252e%252e/admin", 404),
        ("/paths/admin%3fx", 404),
        ("/paths/admin#x", {400, 404}),
        ("/paths/%c0%afadmin", 404),
    ],
)
async def test_a_path_that_an_upstream_may_read_as_another_one_does_not_pass(envoy, target, status):
    """Issue 8 of envoy-wire: `/paths/*` is open, `/paths/admin` is not."""
    allowed = status if isinstance(status, set) else {status}
    assert (await send(envoy.port, target=target)).status in allowed


async def test_a_repeated_authorization_is_no_credential(envoy, token):
    """Issue 7 of envoy-wire: CVE-2021-32777."""
    for pair in (
        [token, ("Authorization", "Bearer other")],
        [token, token],
        [("Authorization", "Bearer other"), token],
    ):
        assert (await send(envoy.port, pair, target=PETS)).status == 400
    assert (await send(envoy.port, [token], target=PETS)).status == 200
