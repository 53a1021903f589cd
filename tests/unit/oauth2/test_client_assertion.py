"""private_key_jwt: what is signed, checked by a server that knows the public key."""

import time

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from support.authorization_server import AuthorizationServer
from support.client_checks import PrivateKeyJwt
from support.introspecting import introspection_client
from support.signing_keys import private_key, rsa_private_key

from extauthz.model.errors import Unavailable
from extauthz.oauth2.client_assertion import ClientAssertion
from extauthz.oauth2.private_key import signing_key

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def pem_of(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def assertion(key, alg, *, audience, kid=None, clock=time.time) -> ClientAssertion:
    return ClientAssertion(
        client_id="gateway",
        audience=audience,
        key=signing_key(pem_of(key), alg),
        algorithm=alg,
        kid=kid,
        clock=clock,
    )


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_server_with_the_public_key_accepts_it(server, session, alg):
    key = private_key(alg, "assertion")
    check = PrivateKeyJwt(key=key, alg=alg, client_id="gateway", audience=server.issuer)
    server.introspection_client = check
    client = introspection_client(server, session, assertion(key, alg, audience=server.issuer, kid="key-7"))
    token = server.issue_opaque()
    assert (await client.introspect(token)).active
    assert (await client.introspect(token)).active
    first, second = check.assertions
    assert first["header"]["kid"] == "key-7"
    assert first["payload"]["jti"] != second["payload"]["jti"]
    assert first["payload"]["exp"] - first["payload"]["iat"] == 60


async def test_without_a_kid_the_header_has_none(server, session):
    key = private_key("ES256", "assertion")
    check = PrivateKeyJwt(key=key, alg="ES256", client_id="gateway", audience=server.issuer)
    server.introspection_client = check
    client = introspection_client(server, session, assertion(key, "ES256", audience=server.issuer))
    assert (await client.introspect(server.issue_opaque())).active
    assert "kid" not in check.assertions[0]["header"]


@pytest.mark.parametrize("wrong", ["key", "audience", "time"])
async def test_the_simulator_refuses_what_a_server_must_refuse(server, session, wrong):
    """So that the test above can fail."""
    key = private_key("ES256", "assertion")
    server.introspection_client = PrivateKeyJwt(key=key, alg="ES256", client_id="gateway", audience=server.issuer)
    authentication = assertion(
        private_key("ES256", "another") if wrong == "key" else key,
        "ES256",
        audience="https://elsewhere.example" if wrong == "audience" else server.issuer,
        clock=(lambda: time.time() - 3600) if wrong == "time" else time.time,
    )
    with pytest.raises(Unavailable, match="401"):
        await introspection_client(server, session, authentication).introspect(server.issue_opaque())


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (rsa_private_key("assertion"), "ES256"),
        (rsa_private_key("short", 1024), "RS256"),
        (private_key("ES256", ""), "ES384"),
        (private_key("EdDSA", ""), "RS256"),
    ],
    ids=["type", "size", "curve", "edwards"],
)
def test_a_key_that_does_not_fit_its_algorithm_is_refused(key, alg):
    with pytest.raises(ValueError, match=f"does not fit {alg}"):
        signing_key(pem_of(key), alg)


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"no key", "not PEM"),
        (pem_of(private_key("ES256", ""), BestAvailableEncryption(b"password")), "encrypted"),
    ],
)
def test_what_is_no_plain_private_key_is_refused(pem, message):
    with pytest.raises(ValueError, match=message):
        signing_key(pem, "ES256")


async def test_neither_key_nor_assertion_is_printed():
    authentication = assertion(private_key("ES256", ""), "ES256", audience="https://issuer.example")
    proof = await authentication.prove("https://issuer.example/introspect")
    assert proof.form["client_assertion"] not in repr(proof)
    assert "PrivateKey" not in repr(authentication)
