"""Every way to authenticate at the introspection endpoint, from the catalog's YAML to the decision."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.certificate_authority import CertificateAuthority
from support.client_checks import PrivateKeyJwt, mutual_tls, post, public
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD
from support.signed_answers import signed_answer
from support.signing_keys import private_key

from extauthz.document.mistakes import DocumentError, UnreadyDocumentError
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason

KEY = private_key("ES256", "assertion")
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SENT = {
    "client": b"gateway-secret",
    "password": b"gateway-password",
    "first": b"first-refresh-token",
    "wrong": b"wrong",
}


@pytest.fixture
async def world(server):
    direct = server.own_tokens.issue().encode()
    own = {"assertion-key": PEM}
    async with deciding(server, endpoint_secrets=SENT | {"direct": direct}, own_secrets=own) as running:
        yield running


async def authenticate(world, server, authentication: dict[str, Any], **settings: Any) -> None:
    introspection = {"endpoint": server.introspection_endpoint, "authentication": authentication} | settings
    await world.catalog(key_managers=[key_manager_of(server, introspection=introspection)])


async def is_allowed(world, server) -> bool:
    decision = await world.check(server.issue_opaque(**GOOD))
    if isinstance(decision, Deny):
        assert decision.reason is Reason.UNAVAILABLE
        assert decision.retry_after_seconds
    return isinstance(decision, Allow)


def request_of(server, **changes: Any) -> dict[str, Any]:
    return {
        "token_endpoint": server.token_endpoint,
        "client_id": "gateway-client",
        "client_secret": "client",
        **changes,
    }


async def test_basic(server, world):
    await authenticate(world, server, {"basic": {"username": server.client_id, "password": "gateway"}})
    assert await is_allowed(world, server)
    await authenticate(world, server, {"basic": {"username": server.client_id, "password": "wrong"}})
    assert not await is_allowed(world, server)


async def test_client_secret_post(server, world):
    server.introspection_client = post("gateway", "gateway-secret")
    await authenticate(world, server, {"client_secret_post": {"client_id": "gateway", "client_secret": "client"}})
    assert await is_allowed(world, server)
    await authenticate(world, server, {"client_secret_post": {"client_id": "gateway", "client_secret": "wrong"}})
    assert not await is_allowed(world, server)


@pytest.mark.parametrize("audience", [None, "https://somebody.example"])
async def test_private_key_jwt(server, world, audience):
    expected = audience or server.issuer
    check = PrivateKeyJwt(key=KEY, alg="ES256", client_id="gateway", audience=expected)
    server.introspection_client = check
    settings = {"client_id": "gateway", "key": "assertion-key", "algorithm": "ES256", "kid": "key-7"}
    await authenticate(world, server, {"private_key_jwt": settings | ({"audience": audience} if audience else {})})
    assert await is_allowed(world, server)
    assert check.assertions[0]["header"]["kid"] == "key-7"
    await authenticate(world, server, {"private_key_jwt": settings | {"audience": "https://elsewhere.example"}})
    assert not await is_allowed(world, server)


async def test_a_broken_connection_costs_a_new_assertion(server, world):
    """The simulator takes each one once, as a real server may."""
    check = PrivateKeyJwt(key=KEY, alg="ES256", client_id="gateway", audience=server.issuer)
    server.introspection_client = check
    settings = {"client_id": "gateway", "key": "assertion-key", "algorithm": "ES256"}
    await authenticate(world, server, {"private_key_jwt": settings})
    server.introspection.misbehave(Misbehaviour.DISCONNECT, once=True)
    assert await is_allowed(world, server)
    assert server.introspection.calls == 2


async def test_mutual_tls_with_an_authority_of_ones_own(tmp_path):
    authority = CertificateAuthority(tmp_path)
    certificate_file, key = authority.certificate("gateway.example")
    async with AuthorizationServer(tls=authority.server_tls()) as server:
        server.introspection_client = mutual_tls("gateway", "gateway.example")
        way = {"mutual_tls": {"client_id": "gateway", "certificate_file": str(certificate_file), "key": "tls-key"}}
        async with deciding(server, own_secrets={"tls-key": key}) as world:
            await authenticate(world, server, way, ca_file=str(authority.ca_file))
            assert await is_allowed(world, server)
            await authenticate(world, server, way)
            assert not await is_allowed(world, server)
            basic = {"basic": {"username": server.client_id, "password": "gateway"}}
            await authenticate(world, server, basic, ca_file=str(authority.ca_file))
            assert not await is_allowed(world, server)


async def test_keys_are_fetched_from_an_authority_of_ones_own(tmp_path):
    authority, stranger = CertificateAuthority(tmp_path), CertificateAuthority(tmp_path, "stranger")
    async with AuthorizationServer(tls=authority.server_tls()) as server, deciding(server) as world:
        for trusted, expected in ((authority, Allow), (stranger, Deny)):
            jwt = {"jwks_uri": server.jwks_uri, "ca_file": str(trusted.ca_file)}
            await world.catalog(key_managers=[key_manager_of(server, jwt=jwt)])
            assert isinstance(await world.check(server.issue_jwt(**GOOD)), expected)


async def test_a_certificate_that_cannot_be_used_is_a_mistake(server, world, tmp_path):
    certificate_file, _ = CertificateAuthority(tmp_path).certificate("gateway.example")
    way = {"client_id": "gateway", "certificate_file": str(certificate_file), "key": "assertion-key"}
    with pytest.raises(DocumentError, match="not the certificate of the key"):
        await authenticate(world, server, {"mutual_tls": way})
    path = tmp_path / "key.pem"
    path.write_text("no certificate")
    with pytest.raises(DocumentError, match=r"key\.pem is not a PEM certificate"):
        await authenticate(world, server, {"mutual_tls": way | {"certificate_file": str(path)}})


@pytest.mark.parametrize("placement", ["header", "body", "none"])
async def test_client_credentials_wherever_they_go(server, world, placement):
    server.introspection_client = server.own_tokens.check
    checks = {"body": post("gateway-client", "gateway-secret"), "none": public("gateway-client")}
    server.own_tokens.client = checks.get(placement, server.own_tokens.client)
    secret = {"client_secret": "client"} if placement != "none" else {}
    grant = {
        "token_endpoint": server.token_endpoint,
        "client_id": "gateway-client",
        "credentials": placement,
        "scopes": ["introspect", "a"],
        **secret,
    }
    await authenticate(world, server, {"client_credentials": grant})
    assert await is_allowed(world, server)
    assert await is_allowed(world, server)
    assert server.own_tokens.grants == ["client_credentials"]
    assert server.own_tokens.requests[0]["scope"] == "a introspect"


async def test_a_hundred_checks_at_once_cost_one_token(server, world):
    server.introspection_client = server.own_tokens.check
    await authenticate(world, server, {"client_credentials": request_of(server)}, timeout_seconds=30)
    assert all(await asyncio.gather(*(is_allowed(world, server) for _ in range(100))))
    assert (server.token.calls, server.introspection.calls) == (1, 100)


async def test_a_401_renews_our_token_once(server, world):
    server.introspection_client = server.own_tokens.check
    await authenticate(world, server, {"client_credentials": request_of(server)})
    assert await is_allowed(world, server)
    server.own_tokens.revoke_all()
    assert await is_allowed(world, server)
    assert (server.token.calls, server.introspection.calls) == (2, 3)
    server.introspection_client = lambda *_: False
    assert not await is_allowed(world, server)
    assert (server.token.calls, server.introspection.calls) == (3, 5)


async def test_password_and_refresh(server, world):
    server.introspection_client = server.own_tokens.check
    server.own_tokens.gives_refresh_tokens = True
    server.own_tokens.lifetime = 0
    refresh = {"refresh": request_of(server, scopes=["less"])}
    grant = request_of(server, username="gateway-user", password="password", **refresh)
    await authenticate(world, server, {"password": grant})
    # Their tokens are good for no time at all: each Check needs two, the second after the 401.
    assert not await is_allowed(world, server)
    server.own_tokens.lifetime = 3600
    assert await is_allowed(world, server)
    assert server.own_tokens.grants == ["password", "refresh_token", "refresh_token"]
    assert "scope" not in server.own_tokens.requests[0]
    assert server.own_tokens.requests[1]["scope"] == "less"


async def test_a_refused_refresh_token_is_replaced_with_the_password(server, world):
    server.introspection_client = server.own_tokens.check
    server.own_tokens.gives_refresh_tokens = True
    grant = request_of(server, username="gateway-user", password="password", refresh=request_of(server))
    await authenticate(world, server, {"password": grant})
    assert await is_allowed(world, server)
    server.own_tokens.revoke_all()
    server.own_tokens.refresh_tokens.clear()
    assert await is_allowed(world, server)
    assert server.own_tokens.grants == ["password", "refresh_token", "password"]


async def test_a_direct_token(server, world):
    server.introspection_client = server.own_tokens.check
    await authenticate(world, server, {"direct_token": {"access_token": "direct"}})
    assert await is_allowed(world, server)
    server.own_tokens.revoke_all()
    assert not await is_allowed(world, server)
    assert server.token.calls == 0


async def test_a_direct_token_and_refresh(server, world):
    server.introspection_client = server.own_tokens.check
    server.own_tokens.gives_refresh_tokens = True
    server.own_tokens.refresh_tokens.add("first-refresh-token")
    refresh = request_of(server, refresh_token="first")
    await authenticate(world, server, {"direct_token": {"access_token": "direct", "refresh": refresh}})
    assert await is_allowed(world, server)
    assert server.token.calls == 0
    for _ in range(2):
        server.own_tokens.revoke_all()
        assert await is_allowed(world, server)
    server.own_tokens.revoke_all()
    server.own_tokens.refresh_tokens.clear()
    assert not await is_allowed(world, server)
    assert server.own_tokens.grants == ["refresh_token"] * 3


async def test_an_endpoint_that_fails_is_left_alone_and_recovers(server, world):
    breaker = {"failures": 2, "open_seconds": 5}
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    await authenticate(world, server, basic, circuit_breaker=breaker)
    server.introspection.misbehave(Misbehaviour.STATUS_503)
    for _ in range(4):
        assert not await is_allowed(world, server)
    assert server.introspection.calls == 2
    await server.introspection.behave()
    assert not await is_allowed(world, server)
    world.clock.advance(6)
    assert await is_allowed(world, server)


async def test_no_more_calls_at_once_than_the_catalog_allows(server, world):
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    await authenticate(world, server, basic, max_concurrent=3, timeout_seconds=30)
    server.introspection.misbehave(Misbehaviour.HANG)
    checks = [asyncio.create_task(is_allowed(world, server)) for _ in range(10)]
    await server.introspection.called(3)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.introspection.called(4), 0.2)
    await server.introspection.behave()
    assert all(await asyncio.gather(*checks))


@pytest.mark.parametrize("keys", ["jwks", "certificate"])
async def test_signed_answers_with_the_keys_of_the_key_manager(server, world, keys):
    signed = {"audience": "gateway"}
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    introspection = {"endpoint": server.introspection_endpoint, "authentication": basic, "signed_answer": signed}
    pinned = {"certificates": [{"pem": server.certificate}], "certificate_validity": False}
    jwt = {"jwks_uri": server.jwks_uri} if keys == "jwks" else pinned
    await world.catalog(key_managers=[key_manager_of(server, introspection=introspection, jwt=jwt)])
    assert not await is_allowed(world, server)
    server.introspection_answer = lambda content: signed_answer(server, content)
    assert await is_allowed(world, server)
    server.introspection_answer = lambda content: signed_answer(server, content, audience="somebody")
    assert not await is_allowed(world, server)


async def test_discovery_happens_once_and_when_the_key_manager_is_registered(server, world):
    discovering = key_manager_of(server, jwt={"discovery": True})
    await world.catalog(key_managers=[discovering])
    assert (server.metadata.calls, server.jwks.calls) == (1, 0)
    for _ in range(3):
        assert isinstance(await world.check(server.issue_jwt(**GOOD)), Allow)
    await world.catalog(key_managers=[discovering], subscriptions=[])
    assert (server.metadata.calls, server.jwks.calls) == (1, 1)
    await world.catalog(key_managers=[discovering | {"clock_skew_seconds": 5}])
    assert server.metadata.calls == 2


async def test_a_discovery_that_fails_keeps_the_old_catalog(server, world):
    token = server.issue_jwt(**GOOD)
    discovering = [key_manager_of(server, jwt={"discovery": True})]
    server.metadata.misbehave(Misbehaviour.STATUS_503)
    with pytest.raises(UnreadyDocumentError, match=r"key manager km.*503"):
        await world.catalog(key_managers=discovering, subscriptions=[])
    assert isinstance(await world.check(token), Allow)
    await server.metadata.behave()
    server.metadata_changes = {"issuer": "https://somebody.example"}
    with pytest.raises(DocumentError, match=r"key manager km.*another issuer") as refused:
        await world.catalog(key_managers=discovering, subscriptions=[])
    assert not isinstance(refused.value, UnreadyDocumentError)
    assert isinstance(await world.check(token), Allow)


async def test_two_catalogs_at_once_are_taken_over_one_after_the_other(server, world):
    """The first has to wait for discovery; it must not come out on top of the second."""
    server.metadata.misbehave(Misbehaviour.HANG)
    first = asyncio.create_task(world.catalog(key_managers=[key_manager_of(server, jwt={"discovery": True})]))
    await server.metadata.called(1)
    second = asyncio.create_task(world.catalog(key_managers=[key_manager_of(server)], subscriptions=[]))
    await server.metadata.behave()
    await asyncio.gather(first, second)
    decision = await world.check(server.issue_jwt(**GOOD))
    assert isinstance(decision, Deny)
    assert decision.reason is Reason.RESOURCE_FORBIDDEN
