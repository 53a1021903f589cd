"""A running process with extensions of another installed package: the worked example, and one that does all wrong."""

import hashlib
import hmac
import json
import subprocess
import sys

import pytest
import yaml
from support.catalogs import application
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, headers_of, status_of
from support.deciding import unverified_claims
from support.decisions import GOOD
from support.extensions import EXAMPLE, install
from support.service import running_service

pytestmark = [pytest.mark.external_service, OVERWRITES]
KEY = "a key that partners share with us"

FAULTY = """
import asyncio

class DenyAll:
    def __init__(self, options):
        pass

    async def authorize(self, request, access):
        from extauthz.extensions import Denied, Reason
        raise Denied(Reason.RESOURCE_FORBIDDEN, "nobody may")

class Faulty:
    def __init__(self, options):
        pass

    async def authorize(self, request, access):
        match request.headers.get("x-fault"):
            case "exit":
                raise SystemExit
            case "hang":
                await asyncio.Event().wait()
            case "false":
                return False
            case "quote":
                raise ValueError(request.headers.get("authorization"))
"""
FAULTY_PROJECT = """
[project]
name = "faulty-extension"
version = "1.0"
[project.entry-points."extauthz.authorizers"]
deny-all = "faulty:DenyAll"
faulty = "faulty:Faulty"
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder that processes find packages in: the example's, and the faulty one's."""
    source, target = tmp_path / "faulty-source", tmp_path / "packages"
    source.mkdir()
    (source / "faulty.py").write_text(FAULTY, encoding="utf-8")
    (source / "pyproject.toml").write_text(FAULTY_PROJECT, encoding="utf-8")
    install(EXAMPLE, target)
    install(source, target)
    monkeypatch.setenv("PYTHONPATH", str(target))
    monkeypatch.setenv("TICKET_KEY", KEY)


def ticket(name, api="petstore"):
    signature = hmac.new(KEY.encode(), f"{api}\n{name}".encode(), hashlib.sha256).hexdigest()
    return {"x-ticket": f"{name}.{signature}"}


def bearer(server):
    return {"authorization": f"Bearer {server.issue_jwt(**GOOD)}"}


async def code_of(stub, **about):
    answer = await stub.check(check_request(**about))
    return status_of(answer), json.loads(denied(answer).body)["code"]


def extensions(**kinds):
    return {"extensions": {kind: list(named) for kind, named in kinds.items()}}


async def test_the_ticket_of_the_worked_example_is_a_credential_like_a_token(tmp_path, server, packages):
    catalog = {"applications": [application(), application(id="other", keys=[])]}
    settings = extensions(authenticators=[{"name": "ticket"}])
    async with (
        running_service(tmp_path / "replica", server, settings=settings, catalog=catalog) as service,
        connected(service.port) as stub,
    ):
        allowed(await stub.check(check_request(headers=ticket("app"))))
        assert await code_of(stub, headers=ticket("other")) == (403, "900908")  # has not subscribed
        assert await code_of(stub, headers=ticket("nobody")) == (403, "900908")
        assert await code_of(stub, headers=ticket("app", api="another")) == (401, "900901")
        assert await code_of(stub, headers=ticket("app", api="another") | bearer(server)) == (401, "900901")
        allowed(await stub.check(check_request(headers=bearer(server))))
        assert await code_of(stub) == (401, "900902")


async def test_the_authorizer_of_the_worked_example_refuses_changes_and_its_claim_reaches_the_upstream(
    tmp_path, server, packages
):
    settings = extensions(
        authorizers=[{"name": "read-only", "options": {"apis": ["petstore"]}}],
        claim_sources=[{"name": "department", "options": {"departments": {"app": "Sales"}}}],
    )
    async with (
        running_service(tmp_path / "replica", server, settings=settings) as service,
        connected(service.port) as stub,
    ):
        answer = allowed(await stub.check(check_request(headers=bearer(server))))
        assert unverified_claims(headers_of(answer)["x-jwt-assertion"])["department"] == "Sales"
        assert await code_of(stub, method="POST", headers=bearer(server)) == (403, "900908")


async def test_an_authorizer_that_denies_all_denies_all_that_needs_a_credential(tmp_path, server, packages):
    settings = extensions(authorizers=[{"name": "deny-all"}])
    async with (
        running_service(tmp_path / "replica", server, settings=settings) as service,
        connected(service.port) as stub,
    ):
        assert await code_of(stub, headers=bearer(server)) == (403, "900908")
        allowed(await stub.check(check_request(path="/petstore/v1/about")))


async def test_whatever_an_extension_does_wrong_refuses_and_the_process_goes_on(tmp_path, server, packages):
    settings = extensions(authorizers=[{"name": "faulty", "timeout_seconds": 0.01}])
    good = bearer(server)
    async with (
        running_service(tmp_path / "replica", server, settings=settings) as service,
        connected(service.port) as stub,
    ):
        for fault in ("exit", "false", "quote"):
            assert await code_of(stub, headers=good | {"x-fault": fault}) == (500, "900900")
        assert await code_of(stub, headers=good | {"x-fault": "hang"}) == (503, "900900")
        allowed(await stub.check(check_request(headers=good)))
        await service.processes.__aexit__(None, None, None)
        logged = service.logged()
    assert "extension faulty: SystemExit" in logged
    assert "extension faulty: ValueError" in logged
    assert good["authorization"] not in logged
    assert "Traceback" not in logged


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"name": "absent"}, "extensions.authenticators[0]: no installed package"),
        ({"name": "ticket", "options": {"key_variable": "NOT_SET"}}, "the environment has no NOT_SET"),
    ],
)
def test_an_extension_that_cannot_be_made_ends_the_start(tmp_path, packages, named, told):
    settings = {"catalog": {"file": "catalog.yaml"}} | extensions(authenticators=[named])
    (tmp_path / "extauthz.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    argv = [sys.executable, "-m", "extauthz", "serve", "--config", str(tmp_path / "extauthz.yaml")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert told in done.stderr
