"""Encrypted tokens through the whole pipeline: nothing is believed but what is signed inside."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe
from joserfc.jwk import RSAKey
from support.authorization_server import AuthorizationServer
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, refused
from support.signing_keys import SigningKey, rsa_private_key

from extauthz.document.mistakes import DocumentError
from extauthz.model.check import Allow
from extauthz.model.errors import Reason
from extauthz.oauth2.jwe import MAX_ATTEMPTS

OFF = {"subscription_validation": "off"}
STRANGER = SigningKey(kid="key-1", alg="RS256", private_key=rsa_private_key("stranger"))
ENCRYPTION = rsa_private_key("encryption")
OTHER_ENCRYPTION = rsa_private_key("old encryption")


def _pem(key) -> bytes:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written


@pytest.fixture
async def world(server):
    secrets = {"ours": _pem(ENCRYPTION), "other": _pem(OTHER_ENCRYPTION)}
    async with deciding(server, own_secrets=secrets) as running:
        yield running


@pytest.fixture
async def second():
    async with AuthorizationServer(name="second") as running:
        yield running


def caller(decision):
    assert isinstance(decision, Allow), decision
    assert decision.access is not None
    return decision.access.principal


def encrypted(content: str, key=ENCRYPTION, **header) -> str:
    protected = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT"} | header
    public = RSAKey.import_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    registry = jwe.JWERegistry(algorithms=[protected["alg"], protected["enc"]], strict_check_header=False)
    return jwe.encrypt_compact(protected, content, public, registry=registry)


def decrypting(server, *secrets, **settings):
    jwt = {"jwks_uri": server.jwks_uri, "decryption": {"keys": list(secrets or ("ours",))}}
    return key_manager_of(server, **({"jwt": jwt} | settings))


async def test_an_encrypted_token_with_a_signed_one_inside_is_allowed(server, world):
    await world.catalog(key_managers=[decrypting(server)])
    for header in ({}, {"iss": server.issuer}, {"iss": server.issuer, "sub": "alice"}):
        token = encrypted(server.issue_jwt(**GOOD), **header)
        for _ in range(2):
            facts = caller(await world.check(token)).facts
            assert (facts.form, facts.issuer, facts.subject) == ("jwt", server.issuer, "alice")
    assert server.jwks.calls == 1


async def test_a_signed_token_needs_no_encryption(server, world):
    await world.catalog(key_managers=[decrypting(server)])
    caller(await world.check(server.issue_jwt(**GOOD)))


async def test_an_encrypted_token_is_judged_by_what_is_inside(server, world):
    await world.catalog(key_managers=[decrypting(server)])
    now = int(world.clock())
    for inner, reason in (
        (server.issue_jwt(**GOOD, key=STRANGER), Reason.INVALID_TOKEN),
        (server.issue_jwt(**GOOD, exp=now - 5), Reason.TOKEN_EXPIRED),
        (server.issue_jwt(**GOOD, iss="https://elsewhere"), Reason.INVALID_TOKEN),
        (server.issue_jwt(**GOOD, headers={"typ": "rt+jwt"}), Reason.WRONG_TOKEN_TYPE),
        (json.dumps({"iss": server.issuer, "exp": now + 60, **GOOD}), Reason.INVALID_TOKEN),
    ):
        for header in ({}, {"iss": server.issuer}):
            refused(await world.check(encrypted(inner, **header)), reason)


async def test_header_claims_that_differ_from_those_inside_are_refused(server, world):
    await world.catalog(key_managers=[decrypting(server)])
    refused(await world.check(encrypted(server.issue_jwt(**GOOD), iss=server.issuer, sub="mallory")))
    refused(await world.check(encrypted(server.issue_jwt(**GOOD), iss=server.issuer, aud="us")))


async def test_an_encrypted_token_is_refused_where_no_key_is_configured(server, world):
    for header in ({}, {"iss": server.issuer}):
        refused(await world.check(encrypted(server.issue_jwt(**GOOD), **header)))


async def test_both_keys_of_a_rotation_open_tokens(server, world):
    await world.catalog(key_managers=[decrypting(server, "ours", "other")])
    for key in (ENCRYPTION, OTHER_ENCRYPTION):
        caller(await world.check(encrypted(server.issue_jwt(**GOOD), key)))
    await world.catalog(key_managers=[decrypting(server, "ours")])
    refused(await world.check(encrypted(server.issue_jwt(**GOOD), OTHER_ENCRYPTION)))


async def test_what_is_inside_chooses_among_key_managers_that_share_a_key(server, second, world):
    await world.catalog(key_managers=[decrypting(server), decrypting(second, id="second", introspection=None, **OFF)])
    for running, name in ((server, "km"), (second, "second")):
        assert caller(await world.check(encrypted(running.issue_jwt(**GOOD)))).key_manager.id == name


async def test_a_token_that_was_encrypted_for_another_key_manager_is_refused(server, second, world):
    """Otherwise whoever may use the one key could bring tokens of the other."""
    other = decrypting(second, "other", id="second", introspection=None, **OFF)
    await world.catalog(key_managers=[decrypting(server, "ours"), other])
    assert caller(await world.check(encrypted(second.issue_jwt(**GOOD), OTHER_ENCRYPTION))).key_manager.id == "second"
    refused(await world.check(encrypted(second.issue_jwt(**GOOD), ENCRYPTION)))
    refused(await world.check(encrypted(second.issue_jwt(**GOOD), ENCRYPTION, iss=second.issuer)))


async def test_all_keys_of_all_key_managers_share_one_limit_and_a_kid_finds_its_key_behind_it(server, second):
    strangers = {f"key-{number}": _pem(rsa_private_key(f"stranger {number}")) for number in range(MAX_ATTEMPTS)}
    async with deciding(server, own_secrets=strangers | {"other": _pem(OTHER_ENCRYPTION)}) as world:
        last = decrypting(second, "other", id="second", introspection=None, **OFF)
        await world.catalog(key_managers=[decrypting(server, *strangers), last])
        refused(await world.check(encrypted(second.issue_jwt(**GOOD), OTHER_ENCRYPTION)))
        caller(await world.check(encrypted(second.issue_jwt(**GOOD), OTHER_ENCRYPTION, kid="other")))


async def test_an_encrypted_token_may_be_introspected_unopened(server, world):
    await world.catalog(key_managers=[key_manager_of(server, validation="introspection")])
    server.introspection_override = {"active": True, **GOOD}
    caller(await world.check(encrypted("nothing signed", iss=server.issuer)))
    refused(await world.check(encrypted("nothing signed")))
    assert server.introspection.calls == 1


async def test_a_decryption_key_that_is_none_keeps_the_old_catalog(server, world):
    with pytest.raises(DocumentError, match="key manager km: secret `gateway` is not a private key"):
        await world.catalog(key_managers=[decrypting(server, "gateway")])
    with pytest.raises(DocumentError, match="secret `missing`"):
        await world.catalog(key_managers=[decrypting(server, "missing")])
    caller(await world.check(server.issue_jwt(**GOOD)))
