"""What the token endpoint issues; checked by a JOSE library that the server does not use."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.resident import AUDIENCE, SECRETS, Resident, Start, basic


async def test_jwt_is_an_rfc9068_access_token_that_the_published_keys_verify(resident: Resident) -> None:
    token = await resident.token("weather", scope="read")
    claims = await resident.claims(token)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert (claims["sub"], claims["client_id"], claims["azp"]) == ("weather", "weather", "weather")
    assert (claims["scope"], claims["department"], claims["aud"]) == ("read", "weather", AUDIENCE)


async def test_each_token_has_an_identifier_of_its_own(resident: Resident) -> None:
    first, second = [await resident.claims(await resident.token("weather")) for _ in range(2)]
    assert first["jti"] != second["jti"]


async def test_key_is_named_by_its_rfc7638_thumbprint_and_shows_nothing_private(resident: Resident) -> None:
    (jwk,) = (await resident.get("/oauth2/jwks")).body["keys"]
    members = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True)
    thumbprint = jwt.utils.base64url_encode(hashlib.sha256(members.encode()).digest()).decode()
    assert jwk["kid"] == thumbprint
    assert set(jwk) == {"kty", "n", "e", "kid", "use", "alg"}


async def test_a_configured_ec_key_signs_with_es256(start: Start, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = tmp_path / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    async with start(signing_key={"file": str(pem)}) as resident:
        token = await resident.token("weather")
        assert jwt.get_unverified_header(token)["alg"] == "ES256"
        assert (await resident.claims(token))["sub"] == "weather"


async def test_opaque_token_is_256_random_bits(resident: Resident) -> None:
    first, second = await resident.token("opaque"), await resident.token("opaque")
    assert first != second
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first)


async def test_lifetime_is_an_hour_unless_the_client_has_its_own(resident: Resident) -> None:
    token = await resident.token_response("weather")
    claims = await resident.claims(token["access_token"])
    assert token["expires_in"] == 3600
    assert claims["exp"] - claims["iat"] == 3600
    assert (await resident.token_response("opaque"))["expires_in"] == 600


async def test_token_response_may_not_be_stored_and_has_no_refresh_token(resident: Resident) -> None:
    answer = await resident.post("/oauth2/token", {"grant_type": "client_credentials"}, "weather")
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.body) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.body["token_type"] == "Bearer"


async def test_a_client_that_names_no_scope_gets_all_of_its_own(resident: Resident) -> None:
    assert (await resident.token_response("weather"))["scope"] == "read write"


async def test_a_client_without_scopes_gets_a_token_without_scope(resident: Resident) -> None:
    token = await resident.token_response("gateway")
    assert "scope" not in token
    assert "scope" not in await resident.claims(token["access_token"])


@pytest.mark.parametrize("scope", ["admin", "read admin", "read  write", 'read"'])
async def test_a_scope_beyond_the_clients_is_refused_whole(resident: Resident, scope: str) -> None:
    answer = await resident.post("/oauth2/token", {"grant_type": "client_credentials", "scope": scope}, "weather")
    assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "<script>"}, "unsupported_grant_type"),
        ({"scope": "read"}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ([("grant_type", "client_credentials"), ("scope", "read"), ("scope", "write")], "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "opaque"}, "invalid_request"),
        ({"grant_type": "client_credentials", "client_secret": SECRETS["weather"]}, "invalid_request"),
        (b"grant_type=%ff", "invalid_request"),
    ],
)
async def test_a_wrong_request_is_refused_without_repeating_it(resident: Resident, form: Any, error: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await resident.post("/oauth2/token", form, "weather", headers=headers)
    assert (answer.status, answer.body["error"]) == (400, error)
    assert "<script>" not in json.dumps(answer.body)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_only_a_form_of_bounded_size_is_read(resident: Resident) -> None:
    as_json = await resident.send("POST", "/oauth2/token", json={"grant_type": "client_credentials"})
    large = await resident.post("/oauth2/introspect", {"token": "x" * 70_000}, "gateway")
    assert (as_json.status, as_json.body["error"]) == (400, "invalid_request")
    assert (large.status, large.body["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"])
@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("weather", "wrong"),
        ("weather", SECRETS["opaque"]),
        ("nobody", SECRETS["weather"]),
        ("poster", SECRETS["poster"]),
    ],
    ids=["wrong secret", "secret of another", "unknown client", "other method"],
)
async def test_failed_authentication_has_one_answer(resident: Resident, path: str, client_id: str, secret: str) -> None:
    form = {"grant_type": "client_credentials", "token": "x"}
    answer = await resident.post(path, form, headers=basic(client_id, secret))
    assert answer.status == 401
    assert answer.body == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="')
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("value", ["", "Basic", "Basic !!!", "Basic /w==", "Bearer x", "Basic d2VhdGhlcg=="])
async def test_a_malformed_authorization_header_is_failed_authentication(resident: Resident, value: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = await resident.post("/oauth2/token", form, headers={"Authorization": value})
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_client_secret_post_is_for_the_clients_registered_for_it(resident: Resident) -> None:
    def form(client_id: str) -> dict[str, str]:
        return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRETS[client_id]}

    assert (await resident.post("/oauth2/token", form("poster"))).status == 200
    assert (await resident.post("/oauth2/token", form("weather"))).status == 401


async def test_credentials_in_the_query_are_not_read(resident: Resident) -> None:
    query = f"?client_id=poster&client_secret={SECRETS['poster']}"
    answer = await resident.post("/oauth2/token" + query, {"grant_type": "client_credentials"})
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_several_audiences_are_a_list(start: Start) -> None:
    async with start(audience=[AUDIENCE, "other"]) as resident:
        assert (await resident.claims(await resident.token("weather")))["aud"] == [AUDIENCE, "other"]
