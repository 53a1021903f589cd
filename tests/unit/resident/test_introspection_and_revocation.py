"""What the server says about a token, and when it stops saying so."""

from pathlib import Path
from typing import Any

import jwt
import pytest
from support.clock import Clock
from support.resident import AUDIENCE, ISSUER, Resident, Start, client

from extauthz.resident.signing_key import generated_pem


@pytest.mark.parametrize("client_id", ["weather", "opaque"])
async def test_introspection_tells_a_resource_server_about_both_formats(resident: Resident, client_id: str) -> None:
    answer = await resident.introspect(await resident.token(client_id, scope="read"))
    expected = {"active": True, "token_type": "Bearer", "iss": resident.issuer, "sub": client_id, "aud": AUDIENCE}
    assert expected.items() <= answer.items()
    assert (answer["client_id"], answer["scope"]) == (client_id, "read")
    assert answer["exp"] - answer["iat"] == {"weather": 3600, "opaque": 600}[client_id]
    assert answer["jti"]
    assert answer.get("department") == {"weather": "weather"}.get(client_id)
    assert "username" not in answer


async def test_introspection_of_a_jwt_says_what_the_jwt_says(resident: Resident) -> None:
    token = await resident.token("weather")
    answer = await resident.introspect(token)
    assert (await resident.claims(token)).items() <= answer.items()


async def test_a_client_may_introspect_its_own_tokens_only(resident: Resident) -> None:
    token = await resident.token("weather")
    assert (await resident.introspect(token, "weather"))["active"] is True
    assert await resident.introspect(token, "opaque") == {"active": False}


async def test_what_was_not_issued_letter_by_letter_is_inactive(resident: Resident) -> None:
    token = await resident.token("weather")
    header, _, signature = token.split(".")
    forged = jwt.utils.base64url_encode(b'{"client_id":"weather"}').decode()
    for other in ("x", f"{header}.{forged}.{signature}", token + "=", "\u00e9" * 10):
        assert await resident.introspect(other) == {"active": False}


async def test_introspection_without_token_is_an_invalid_request(resident: Resident) -> None:
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        answer = await resident.post(path, {"token_type_hint": "access_token"}, "gateway")
        assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_an_unknown_token_type_hint_changes_nothing(resident: Resident) -> None:
    form = {"token": await resident.token("weather"), "token_type_hint": "something_else"}
    assert (await resident.post("/oauth2/introspect", form, "gateway")).body["active"] is True
    assert (await resident.post("/oauth2/revoke", form, "weather")).status == 200
    assert (await resident.post("/oauth2/introspect", form, "gateway")).body == {"active": False}


@pytest.mark.parametrize("client_id", ["weather", "opaque"])
async def test_an_expired_token_is_inactive(resident: Resident, clock: Clock, client_id: str) -> None:
    token = await resident.token(client_id)
    clock.advance({"weather": 3590, "opaque": 590}[client_id])
    assert (await resident.introspect(token))["active"] is True
    clock.advance(11)
    assert await resident.introspect(token) == {"active": False}


@pytest.mark.parametrize("client_id", ["weather", "opaque"])
async def test_a_revoked_token_is_inactive_and_another_is_not(resident: Resident, client_id: str) -> None:
    revoked, kept = await resident.token(client_id), await resident.token(client_id)
    assert await resident.revoke(revoked, client_id) == 200
    assert await resident.introspect(revoked) == {"active": False}
    assert (await resident.introspect(kept))["active"] is True


async def test_only_its_own_client_may_revoke_a_token(resident: Resident) -> None:
    token = await resident.token("weather")
    answer = await resident.post("/oauth2/revoke", {"token": token}, "gateway")
    assert (answer.status, answer.body["error"]) == (400, "invalid_grant")
    assert (await resident.introspect(token))["active"] is True


async def test_revoking_an_unknown_or_a_revoked_token_succeeds(resident: Resident) -> None:
    token = await resident.token("opaque")
    assert [await resident.revoke(each, "opaque") for each in ("unknown", token, token)] == [200, 200, 200]


@pytest.mark.parametrize(
    "changed",
    [
        {"clients": [client("gateway", may_introspect=True)]},
        {"issuer": "https://other.example.com"},
        {"signing_key": {"file": "other.pem"}},
    ],
    ids=["client removed", "issuer changed", "key changed"],
)
async def test_a_token_of_another_configuration_is_inactive(
    start: Start, tmp_path: Path, changed: dict[str, Any]
) -> None:
    settings = {"database": f"sqlite:///{tmp_path}/resident.db", "issuer": ISSUER}
    if "signing_key" in changed:
        (tmp_path / "other.pem").write_text(generated_pem())
        changed = {"signing_key": {"file": str(tmp_path / "other.pem")}}
    async with start(**settings) as resident:
        token = await resident.token("weather")
    async with start(**settings | changed) as resident:
        assert await resident.introspect(token) == {"active": False}
