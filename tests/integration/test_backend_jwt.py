"""The backend JWT as upstreams get it from a running replica: keys, user claims, and what refuses."""

import json
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.authorization_server import Misbehaviour
from support.catalogs import api
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, headers_of, status_of
from support.deciding import key_manager_of
from support.decisions import GOOD
from support.service import Service, running_service
from support.signing_keys import private_key, self_signed_certificate

pytestmark = [pytest.mark.external_service, OVERWRITES]
WSO2 = "http://wso2.org/claims/"
USER = {**GOOD, "scope": "read openid", "sub": "alice.b.smith"}


def asking_userinfo(server, **userinfo):
    """A key manager whose users are asked about."""
    return key_manager_of(server, userinfo={"endpoint": server.userinfo_endpoint} | userinfo)


async def published(service: Service) -> dict[str, jwt.PyJWK]:
    _, document = await service.operations("/jwks")
    return {jwk["kid"]: jwt.PyJWK(jwk) for jwk in document["keys"]}


async def answered(stub, token, path="/petstore/v1/pets"):
    return await stub.check(check_request(path=path, headers={"authorization": f"Bearer {token}"}))


async def told(service, stub, token, path="/petstore/v1/pets", **expected: Any) -> dict[str, Any]:
    """What an upstream reads that verifies with the published keys."""
    assertion = headers_of(allowed(await answered(stub, token, path)))["x-jwt-assertion"]
    key = (await published(service))[jwt.get_unverified_header(assertion)["kid"]]
    claims: dict[str, Any] = jwt.decode(assertion, key, algorithms=[key.algorithm_name], **expected)
    return claims


async def code_of(stub, token):
    """HTTP status and product code of a refusal."""
    answer = await answered(stub, token)
    return status_of(answer), json.loads(denied(answer).body)["code"]


def keys_in(folder, *named):
    """Settings with new keys, each an algorithm and the name of a file."""
    secrets, keys = {"gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]}}, []
    for name, algorithm in named:
        key = private_key(algorithm, name)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
        (folder / f"{name}.crt").write_text(self_signed_certificate(key), encoding="ascii")
        secrets[name] = {"file": f"{name}.pem"}
        keys.append({"key": name, "algorithm": algorithm, "certificate": f"{name}.crt"})
    return {"backend_jwt": {"keys": keys, "jwks_max_age_seconds": 42}, "secrets": secrets}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_the_first_key_signs_and_all_are_published(tmp_path, server, algorithm):
    settings = keys_in(tmp_path, ("signs", algorithm), ("next", "RS256"))
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        assertion = headers_of(allowed(await answered(stub, server.issue_jwt(**USER))))["x-jwt-assertion"]
        first, second = (await published(service)).values()
        header = jwt.get_unverified_header(assertion)
        assert (header["alg"], header["kid"], second.algorithm_name) == (algorithm, first.key_id, "RS256")
        _, document = await service.operations("/jwks")
        assert header["x5t#S256"] == document["keys"][0]["x5t#S256"]
        assert jwt.decode(assertion, first, algorithms=[algorithm])["sub"] == "alice.b.smith"


async def test_the_key_set_may_be_kept_for_as_long_as_the_settings_say(tmp_path, server):
    settings = keys_in(tmp_path, ("signs", "ES256"))
    async with running_service(tmp_path, server, settings=settings) as service, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{service.operations_port}/jwks"
        async with session.get(url) as first:
            assert first.headers["cache-control"] == "public, max-age=42"
        async with session.get(url, headers={"If-None-Match": first.headers["etag"]}) as second:
            assert second.status == 304


async def test_an_upstream_learns_what_the_key_manager_says_of_the_user(tmp_path, server):
    server.users.claims["alice.b.smith"] = {
        "email": "alice@example.com",
        "名 \"'.": "x" * 200,
        "exp": 1,
        "scope": "admin",
        "azp": "other",
        WSO2 + "tier": "forged",
    }
    catalog = {"key_managers": [asking_userinfo(server)]}
    async with running_service(tmp_path, server, catalog=catalog) as service, connected(service.port) as stub:
        token = server.issue_jwt(**USER, email="of the token")
        for _ in range(2):  # the second time it is the same one
            claims = await told(service, stub, token)
            assert claims["名 \"'."] == "x" * 200
            assert (claims["sub"], claims["email"], claims["azp"]) == ("alice.b.smith", "of the token", "client")
            assert (claims["scope"], claims[WSO2 + "tier"]) == ("openid read", "Gold")
        assert (await told(service, stub, server.issue_opaque(**USER)))["email"] == "alice@example.com"
        assert server.userinfo.calls == 2
    # A decision is logged after it was sent: by now all are.
    assert "alice@example.com" not in service.logged()


async def test_a_client_on_its_own_behalf_is_not_asked_about(tmp_path, server):
    catalog = {"key_managers": [asking_userinfo(server)]}
    async with running_service(tmp_path, server, catalog=catalog) as service, connected(service.port) as stub:
        assert (await told(service, stub, server.issue_jwt(**USER | {"sub": "client"})))[WSO2 + "enduser"] == "client"
        await told(service, stub, server.issue_jwt(**USER | {"sub": None}))
        assert server.userinfo.calls == 0


async def test_what_the_userinfo_endpoint_refuses_is_refused(tmp_path, server):
    catalog = {"key_managers": [asking_userinfo(server)]}
    async with running_service(tmp_path, server, catalog=catalog) as service, connected(service.port) as stub:
        revoked = server.issue_jwt(**USER)
        server.revoke(revoked)
        assert await code_of(stub, revoked) == (401, "900904")
        assert await code_of(stub, server.issue_jwt(**GOOD)) == (403, "900910")
        server.users.form = lambda claims: web.json_response(claims | {"sub": "mallory"})
        assert await code_of(stub, server.issue_jwt(**USER)) == (401, "900901")
    # A decision is logged after it was sent: by now all are.
    assert "speaks of another user" in service.logged()


async def test_a_userinfo_endpoint_that_does_not_answer_is_503_and_asked_again(tmp_path, server):
    catalog = {"key_managers": [asking_userinfo(server)]}
    async with running_service(tmp_path, server, catalog=catalog) as service, connected(service.port) as stub:
        token = server.issue_jwt(**USER)
        server.userinfo.misbehave(Misbehaviour.STATUS_500, once=True)
        assert (await code_of(stub, token))[0] == 503
        assert (await told(service, stub, token))["sub"] == "alice.b.smith"


async def test_each_api_has_its_own_switch_and_audience(tmp_path, server):
    apis = [
        api(subscription_required=False, backend_jwt_audience=["https://pets.example"]),
        api(id="other", context="/other/v1", subscription_required=False),
        api(id="quiet", context="/quiet/v1", subscription_required=False, backend_jwt=False),
    ]
    settings = keys_in(tmp_path, ("signs", "ES256"))
    settings["backend_jwt"] |= {
        "audience": ["https://every.example"],
        "dialect": "http://wso2.org/claims/",
        "convert_dialect": True,
        "restricted_claims": ["x"],
    }
    catalog = {"apis": apis, "subscriptions": [], "key_managers": [asking_userinfo(server)]}
    async with (
        running_service(tmp_path, server, settings=settings, catalog=catalog) as service,
        connected(service.port) as stub,
    ):
        token = server.issue_jwt(**USER, email="a@example.com", x="hidden")
        own = await told(service, stub, token, audience="https://pets.example")
        await told(service, stub, token, "/other/v1/pets", audience="https://every.example")
        assert own[WSO2 + "email"] == "a@example.com"
        assert not {"email", "x", WSO2 + "x"} & own.keys()
        asked = server.userinfo.calls
        assert "x-jwt-assertion" not in headers_of(allowed(await answered(stub, token, "/quiet/v1/pets")))
        assert server.userinfo.calls == asked == 1


async def test_keys_are_swapped_without_a_gap(tmp_path, server):
    settings = keys_in(tmp_path, ("old", "ES256"), ("new", "EdDSA"))
    token = server.issue_jwt(**USER)
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        before, known = headers_of(allowed(await answered(stub, token)))["x-jwt-assertion"], await published(service)
    settings["backend_jwt"]["keys"].reverse()
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        after, now = headers_of(allowed(await answered(stub, token)))["x-jwt-assertion"], await published(service)
    for assertion in (before, after):
        for keys in (known, now):
            key = keys[jwt.get_unverified_header(assertion)["kid"]]
            assert jwt.decode(assertion, key, algorithms=[key.algorithm_name])["sub"] == "alice.b.smith"
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
