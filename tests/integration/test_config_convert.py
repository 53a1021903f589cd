"""`extauthz config convert` as operators run it, and a start with what it wrote."""

import os
from pathlib import Path

import pytest
import yaml
from support.authorization_server import AuthorizationServer
from support.service import serve_program
from support.signing_keys import private_key, self_signed_certificate
from typer.testing import CliRunner

from extauthz.catalog.file_source import load_contents
from extauthz.cli.application import application
from extauthz.cli.demo.processes import Processes
from extauthz.cli.demo.programs import answers_ok, free_port
from extauthz.document.strict import load
from extauthz.settings.process import Settings

FIXTURES = Path(__file__).parents[1] / "fixtures" / "microgateway"


def convert(conf, folder):
    return CliRunner().invoke(application, ["config", "convert", str(conf), "--output-dir", str(folder)])


def test_it_writes_two_files_and_tells_what_is_left_to_do(tmp_path):
    done = convert(FIXTURES / "whole.toml", tmp_path / "new")
    assert done.exit_code == 0
    assert "keyManager.timestampSkew: documented as seconds, used as milliseconds" in done.stderr
    assert "keytool -exportcert -rfc -alias wso2apim310" in done.stderr
    assert "KEYMANAGER_SECURITY_BASIC_PASSWORD must hold keyManager.security.basic.password" in done.stdout
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"extauthz.yaml", "catalog.yaml"}
    assert "issuer: https://localhost:9443/oauth2/token  # jwtTokenConfig[0].issuer" in (
        tmp_path / "new" / "catalog.yaml"
    ).read_text(encoding="utf-8")


def test_what_is_missing_is_told_as_our_own_loader_tells_it(tmp_path):
    done = convert(FIXTURES / "client_credential.toml", tmp_path)
    assert done.exit_code == 0
    assert "introspection.authentication.client_credentials.token_endpoint (line 9): is missing" in done.stderr
    assert "(to be completed)" in done.stdout


def test_files_that_are_there_are_not_overwritten(tmp_path):
    (tmp_path / "catalog.yaml").write_text("mine", encoding="utf-8")
    done = convert(FIXTURES / "whole.toml", tmp_path)
    assert done.exit_code == 2
    assert "exists" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.yaml"]
    assert (tmp_path / "catalog.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("content", [None, b"[keyManager\n", b"\xff"])
def test_what_cannot_be_read_is_told_with_status_2(tmp_path, content):
    conf = tmp_path / "micro-gw.conf"
    if content is not None:
        conf.write_bytes(content)
    done = convert(conf, tmp_path / "new")
    assert done.exit_code == 2
    assert str(conf) in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.external_service
async def test_the_whole_example_starts(tmp_path, monkeypatch):
    """With the certificates exported and the password set, as the report says."""
    folder = tmp_path / "new"
    assert convert(FIXTURES / "whole.toml", folder).exit_code == 0
    (folder / "certificates").mkdir()
    for alias in ("wso2apim310", "alias"):
        pem = self_signed_certificate(private_key("RS256", alias))
        (folder / "certificates" / f"{alias}.pem").write_text(pem, encoding="utf-8")
    load(folder / "extauthz.yaml", Settings)
    assert [km.id for km in load_contents(folder / "catalog.yaml").key_managers] == ["localhost", "host"]
    monkeypatch.setenv("KEYMANAGER_SECURITY_BASIC_PASSWORD", "a password")
    operations = free_port()
    addresses = {"listen": f"127.0.0.1:{free_port()}", "operations": {"listen": f"127.0.0.1:{operations}"}}
    with (folder / "extauthz.yaml").open("a", encoding="utf-8") as settings:
        settings.write(yaml.safe_dump(addresses))
    ready = answers_ok(f"http://127.0.0.1:{operations}/readyz")
    async with Processes(folder) as processes:
        process_id = await processes.start(serve_program(folder, AuthorizationServer(), ready))
        os.kill(process_id, 0)
