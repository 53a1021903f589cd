"""The resident key manager as a program: restarts, load, logs, signals."""

import asyncio
import hashlib
import json
import logging
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import yaml
from structlog.testing import capture_logs
from support.clock import Clock
from support.resident import AUDIENCE, ISSUER, SECRETS, Resident, Start, running

from extauthz.resident.address import Address
from extauthz.resident.server import listener


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Start:
    def _start(**settings: Any) -> AbstractAsyncContextManager[Resident]:
        return running(tmp_path, clock, **settings)

    return _start


@pytest.fixture
async def resident(start: Start) -> AsyncIterator[Resident]:
    async with start() as server:
        yield server


@pytest.mark.parametrize("client_id", ["weather", "opaque"])
async def test_tokens_and_revocations_survive_a_restart(start: Start, tmp_path: Path, client_id: str) -> None:
    """With a generated key, which has to survive too."""
    settings = {"database": f"sqlite:///{tmp_path}/resident.db", "issuer": ISSUER, "signing_key": None}
    async with start(**settings) as resident:
        revoked, kept = await resident.token(client_id), await resident.token(client_id)
        assert await resident.revoke(revoked, client_id) == 200
        keys = (await resident.get("/oauth2/jwks")).body
    async with start(**settings) as resident:
        assert await resident.introspect(revoked) == {"active": False}
        assert (await resident.introspect(kept))["active"] is True
        assert (await resident.get("/oauth2/jwks")).body == keys


async def test_expired_tokens_are_forgotten(start: Start, tmp_path: Path, clock: Clock) -> None:
    settings = {"database": f"sqlite:///{tmp_path}/resident.db", "issuer": ISSUER}
    async with start(**settings) as resident:
        await resident.token("opaque")
        await resident.token("weather")
    clock.advance(700)
    async with start(**settings) as resident:
        assert (await resident.get("/healthz")).status == 200
    with closing(sqlite3.connect(tmp_path / "resident.db")) as database:
        assert database.execute("SELECT client_id FROM resident_token").fetchall() == [("weather",)]


@pytest.mark.parametrize("database", ["sqlite://", "sqlite:///{folder}/resident.db"])
async def test_many_requests_at_once_are_all_recorded(start: Start, tmp_path: Path, database: str) -> None:
    async with start(database=database.format(folder=tmp_path)) as resident:
        tokens = await asyncio.gather(*(resident.token("opaque") for _ in range(60)))
        answers = await asyncio.gather(*(resident.introspect(token) for token in tokens))
    assert len(set(tokens)) == 60
    assert all(answer["active"] for answer in answers)


async def test_metadata_names_endpoints_that_answer(resident: Resident) -> None:
    metadata = (await resident.get("/.well-known/oauth-authorization-server")).body
    assert metadata["issuer"] == resident.issuer
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert metadata["scopes_supported"] == ["read", "write"]
    errors = {"token": "invalid_request", "introspection": "invalid_client", "revocation": "invalid_client"}
    for endpoint, error in errors.items():
        path = metadata[f"{endpoint}_endpoint"].removeprefix(resident.origin)
        assert (await resident.post(path, {"token": "x"})).body["error"] == error
    assert (await resident.get(metadata["jwks_uri"].removeprefix(resident.origin))).body["keys"]


async def test_an_issuer_with_a_path_has_its_metadata_before_and_its_endpoints_below_it(start: Start) -> None:
    issuer = f"{ISSUER}/tenant/a"
    async with start(issuer=issuer) as resident:
        metadata = (await resident.get("/.well-known/oauth-authorization-server/tenant/a")).body
        form = {"grant_type": "client_credentials"}
        token = await resident.post("/tenant/a/oauth2/token", form, "weather")
        elsewhere = await resident.post("/oauth2/token", form, "weather")
    assert (metadata["issuer"], metadata["token_endpoint"]) == (issuer, f"{issuer}/oauth2/token")
    assert jwt.decode(token.body["access_token"], options={"verify_signature": False})["iss"] == issuer
    assert elsewhere.status == 404


async def test_health_is_of_the_database_too(start: Start, tmp_path: Path) -> None:
    async with start(database=f"sqlite:///{tmp_path}/resident.db") as resident:
        assert (await resident.get("/healthz")).body == {"status": "ok"}


async def test_a_database_that_fails_is_503_and_no_token(start: Start, tmp_path: Path) -> None:
    async with start(database=f"sqlite:///{tmp_path}/resident.db") as resident:
        with closing(sqlite3.connect(tmp_path / "resident.db")) as database:
            database.execute("DROP TABLE resident_token")
        answer = await resident.post("/oauth2/token", {"grant_type": "client_credentials"}, "weather")
    assert (answer.status, answer.body) == (503, {"error": "temporarily_unavailable"})
    assert answer.headers["Retry-After"] == "1"


async def test_a_client_that_goes_away_leaves_no_error(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nContent-Type: "
    with capture_logs() as events:
        async with start() as resident:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(resident.origin.rpartition(":")[2]))
            writer.write(head + b"application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n")
            assert b"100" in await reader.readline()
            writer.close()
            await writer.wait_closed()
            assert await resident.token("weather")
    assert [event["status"] for event in events if event["event"] == "answered"] == [400, 200]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_no_log_line_shows_a_secret_or_a_token(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), capture_logs() as events:
        async with start() as resident:
            tokens = [await resident.token("weather"), await resident.token("opaque")]
            for token in tokens:
                await resident.introspect(token)
                await resident.post(f"/oauth2/revoke?token={token}", {"token": token}, "weather")
                await resident.get(f"/oauth2/introspect/{token}")
            await resident.post(f"/oauth2/token?client_secret={SECRETS['poster']}", {}, "opaque")
    answered = [(event["method"], event["route"]) for event in events if event["event"] == "answered"]
    assert answered.count(("POST", "/oauth2/introspect")) == answered.count(("GET", "(no route)")) == 2
    for hidden in (*tokens, *SECRETS.values()):
        assert hidden not in caplog.text
        assert hidden not in str(events)


def configuration(folder: Path) -> Path:
    """For the real program: one client's secret from a file, another's from the environment."""
    (folder / "weather.secret").write_text(SECRETS["weather"] + "\n")
    document = {
        "issuer": "http://127.0.0.1:9443",
        "listen": "127.0.0.1:0",
        "database": f"sqlite:///{folder}/resident.db",
        "audience": [AUDIENCE],
        "clients": [
            {"client_id": "weather", "client_secret": {"file": str(folder / "weather.secret")}},
            {"client_id": "opaque", "client_secret": {"env": "OPAQUE_SECRET"}, "token_format": "opaque"},
        ],
    }
    path = folder / "resident.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def database_bytes(folder: Path) -> bytes:
    """The database and its journals."""
    return b"".join(file.read_bytes() for file in folder.glob("resident.db*"))


async def command(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "extauthz",
        "resident",
        *arguments,
        env={**os.environ, "OPAQUE_SECRET": SECRETS["opaque"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def address_in(output: asyncio.StreamReader, seen: list[str]) -> str:
    """Reads the log until it says where the server listens."""
    async for line in output:
        seen.append(line.decode())
        if (event := json.loads(line))["event"] == "listening":
            return str(event["address"])
    raise AssertionError("".join(seen))


@pytest.mark.external_service
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_the_command_serves_until_a_signal_and_leaves_no_secret(tmp_path: Path, stop: signal.Signals) -> None:
    process = await command("--config", str(configuration(tmp_path)))
    assert process.stdout
    seen: list[str] = []
    address = await address_in(process.stdout, seen)
    async with aiohttp.ClientSession() as session:
        resident = Resident(issuer="http://127.0.0.1:9443", origin=f"http://{address}", session=session)
        tokens = [await resident.token("weather"), await resident.token("opaque")]
        assert [await resident.revoke(tokens[0], "weather")] == [200]
        written = database_bytes(tmp_path)
    process.send_signal(stop)
    seen.append((await process.stdout.read()).decode())
    output = "".join(seen)
    assert await process.wait() == 0, output
    assert "Traceback" not in output
    written += database_bytes(tmp_path)
    assert b"weather" in written
    for hidden in (*tokens, SECRETS["weather"], SECRETS["opaque"]):
        assert hidden.encode() not in written
        assert hidden not in output


@pytest.mark.external_service
async def test_the_command_reports_every_mistake_and_ends_with_status_2(tmp_path: Path) -> None:
    config = tmp_path / "resident.yaml"
    config.write_text("issuer: http://example.com\nlistn: x\naudience: [1]\nclients: [{client_id: a}]\n")
    process = await command("--config", str(config))
    output = (await process.communicate())[0].decode()
    assert process.returncode == 2
    assert "issuer (line 1): must use https" in output
    assert "listn (line 2): is not known here\n      hint: did you mean `listen`?" in output
    assert "audience[0] (line 3): Input should be a valid string" in output
    assert "clients[0].client_secret (line 4): is missing\n      hint: one of {env: NAME}" in output


@pytest.mark.external_service
async def test_the_command_says_so_when_its_address_is_taken(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with listener(Address(host="127.0.0.1", port=0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        process = await command("--config", str(config))
        output = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in output
    assert "Traceback" not in output


@pytest.mark.external_service
async def test_a_new_secret_is_printed_with_the_digest_that_the_configuration_takes() -> None:
    process = await command("secret")
    output = (await process.communicate())[0].decode()
    found = re.fullmatch(r"client_secret: (\S{43})\nsha256: ([0-9a-f]{64})\n", output)
    assert found, output
    assert hashlib.sha256(found[1].encode()).hexdigest() == found[2]
