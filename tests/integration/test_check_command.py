"""`extauthz check` against a running replica, and against the data plane in its own process."""

import json

import grpc
import pytest
import yaml
from support.catalogs import catalog_document
from support.certificate_authority import CertificateAuthority
from support.deciding import key_manager_of
from support.decisions import GOOD
from support.operator import Operator
from support.service import CACHE_SECRET, running_service, write_files

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.servicer import Answering, AuthorizationServicer, rpc_handlers
from extauthz.model.check import Deny
from extauthz.model.errors import Reason

pytestmark = pytest.mark.external_service
PETS = "https://api.example.com/petstore/v1/pets"


class Checker(Operator):
    """An operator with tokens, and the secrets of the settings."""

    def __init__(self, server, **tokens):
        secrets = {"TEST_CACHE_SECRET": CACHE_SECRET, "TEST_GATEWAY_SECRET": server.client_secret}
        super().__init__(**secrets, **tokens)

    async def check(self, *arguments, given=b""):
        return await self.run("check", *arguments, given=given)


@pytest.fixture
def operator(server):
    return Checker(server, TOKEN=server.issue_jwt(**GOOD, sub="ann"), NONE=server.issue_jwt(**GOOD | {"scope": "x"}))


def stages(out):
    return {stage["name"]: (stage["outcome"], stage["said"]) for stage in json.loads(out)["stages"]}


async def test_a_replica_is_asked_and_its_answer_explained(tmp_path, server, operator):
    async with running_service(tmp_path, server) as service:
        to = ("--address", f"127.0.0.1:{service.port}", "--url", PETS)
        status, out, _ = await operator.check(*to, "--token", "env:TOKEN", "--explain")
        assert status == 0
        assert "allowed" in out
        assert "client client, subject ann, application app" in out
        assert "x-jwt-assertion: (a JWT of" in out
        status, out, _ = await operator.check(*to, "--token", "-", "--output", "json", given=b"no token at all?")
        assert (status, json.loads(out)["code"]) == (1, "900901")
        status, out, _ = await operator.check(*to, "--token", "env:NONE", "--explain", "--output", "json")
        assert status == 1
        assert stages(out)["scopes"][0] == "refused"
        assert stages(out)["API and resource"][0] == "passed"
    assert operator.printed_no_secret()


async def test_the_data_plane_of_some_settings_tells_its_decision(tmp_path, server, operator):
    write_files(tmp_path, server, {"revocation": {"unbounded_tokens": "introspect"}}, {})
    ask = ("--config", tmp_path / "extauthz.yaml", "--explain", "--output", "json", "--url", PETS)
    status, out, err = await operator.check(*ask, "--token", "env:TOKEN")
    assert (status, err) == (0, "")
    said = stages(out)
    assert said["API and resource"] == ("passed", "petstore at /petstore/v1, /pets")
    told = "token (jwt) of key manager km; not in the jwt cache (memory); asked for jwks of km: ok"
    assert said["credential"] == ("passed", told)
    assert said["subscription"] == ("passed", "UNBLOCKED, policy Gold")
    assert said["scopes"] == ("passed", "any of read; the caller has read")
    status, out, _ = await operator.check(*ask, "--token", "env:NONE")
    assert (status, json.loads(out)["resource"]) == (1, "/pets")
    assert "scopes that would have done: read" in stages(out)["scopes"][1]
    assert operator.printed_no_secret()


async def test_where_a_token_was_looked_for_and_who_was_asked_is_told(tmp_path, server, operator):
    introspection = {
        "endpoint": server.introspection_endpoint,
        "authentication": {"basic": {"username": server.client_id, "password": "gateway"}},
    }
    manager = {"id": "km", "issuer": server.issuer, "introspection": introspection}
    write_files(tmp_path, server, {}, {"key_managers": [manager]})
    again = READER | {"name": "once more"}
    file = expectations(tmp_path, READER, again)
    ask = ("--config", tmp_path / "extauthz.yaml", "--file", file, "--explain", "--output", "json")
    operator.environment["TOKEN"] = server.issue_opaque(**GOOD)
    _, out, err = await operator.check(*ask)
    first, second = (case["asked"] for case in json.loads(out)["cases"])
    told = {"caches": ["not in the introspection cache (memory)"], "key_managers": ["introspection of km: ok"]}
    assert first == told, err
    assert second == {"caches": ["found in the introspection cache (memory)"], "key_managers": []}
    assert operator.printed_no_secret()


async def test_a_refusal_names_the_key_manager(tmp_path, server, operator):
    write_files(tmp_path, server, {}, {})
    ask = ("--config", tmp_path / "extauthz.yaml", "--explain", "--output", "json", "--url", PETS)
    operator.environment["OVER"] = server.issue_jwt(**GOOD, exp=1)
    status, out, _ = await operator.check(*ask, "--token", "env:OVER")
    outcome, said = stages(out)["credential"]
    assert (status, outcome) == (1, "refused")
    assert "token of key manager km" in said
    assert operator.printed_no_secret()


async def test_what_the_file_says_is_no_option(tmp_path, server, operator):
    write_files(tmp_path, server, {}, {})
    ask = ("--config", tmp_path / "extauthz.yaml", "--file", expectations(tmp_path, READER))
    for option in (("--token", "env:TOKEN"), ("--method", "POST"), ("--api", "a"), ("--header", "a: b")):
        status, out, err = await operator.check(*ask, *option)
        assert (status, out) == (2, "")
        assert option[0] in err


async def test_it_opens_no_port(tmp_path, server, operator):
    """The address of the settings is taken, and the check does not mind."""
    async with running_service(tmp_path, server):
        ask = ("--config", tmp_path / "extauthz.yaml", "--url", PETS)
        assert (await operator.check(*ask, "--token", "env:TOKEN"))[0] == 0


def expectations(folder, *cases):
    path = folder / "expectations.yaml"
    path.write_text(yaml.safe_dump({"cases": list(cases)}))
    return path


READER = {
    "name": "readers may read",
    "request": {"url": PETS, "token": {"env": "TOKEN"}},
    "expect": {"decision": "allow", "api": "petstore", "application": "app", "sets": ["x-jwt-assertion"]},
}
STRANGER = {
    "name": "nobody else may",
    "request": {"url": PETS, "token": {"env": "NONE"}},
    "expect": {"decision": "deny", "code": "900910", "status": 403, "api": "petstore"},
}


async def test_a_file_of_expectations_is_run_and_told_as_a_table(tmp_path, server, operator):
    write_files(tmp_path, server, {}, {})
    good = expectations(tmp_path, READER, STRANGER)
    config = ("--config", tmp_path / "extauthz.yaml")
    status, out, _ = await operator.check(*config, "--file", good)
    assert status == 0
    assert "2 as expected, 0 not" in out
    wrong = STRANGER | {"expect": {"decision": "deny", "status": 401}}
    status, out, _ = await operator.check(*config, "--file", expectations(tmp_path, READER, wrong), "--explain")
    assert status == 1
    assert "status is 403, not 401" in out
    assert "1 as expected, 1 not" in out
    status, out, _ = await operator.check(*config, "--file", tmp_path / "expectations.yaml", "--output", "json")
    assert status == 1
    assert [case["as_expected"] for case in json.loads(out)["cases"]] == [True, False]
    assert operator.printed_no_secret()


async def test_nobody_who_answers_is_a_status_of_its_own(tmp_path, server, operator):
    write_files(tmp_path, server, {}, {})
    nobody = ("--address", f"unix:{tmp_path}/nobody.sock", "--timeout", "5")
    status, _, err = await operator.check(*nobody, "--url", PETS, "--token", "env:TOKEN")
    assert status == 3
    assert "gives no answer (UNAVAILABLE)" in err
    assert (await operator.check(*nobody, "--file", expectations(tmp_path, READER)))[0] == 3
    silent = {"revocation": {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": "redis://127.0.0.1:1"}}}
    write_files(tmp_path, server, silent, {})
    status, _, err = await operator.check("--config", tmp_path / "extauthz.yaml", "--url", PETS, "--timeout", "1")
    assert status == 3
    assert "revocations" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", PETS],
        ["--address", "127.0.0.1:1"],
        ["--address", "127.0.0.1:1", "--config", "extauthz.yaml", "--url", PETS],
        ["--address", "nowhere", "--url", PETS],
        ["--address", "127.0.0.1:1", "--url", "/pets"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--token", "env:NOT_SET"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--header", "no colon"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--header", "no name: x"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--method", "NO METHOD"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--peer-address", "localhost"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--certificate", "missing.pem"],
        ["--address", "127.0.0.1:1", "--url", PETS, "--cert", "a.pem"],
        ["--config", "missing.yaml", "--url", PETS],
        ["--address", "127.0.0.1:1", "--file", "missing.yaml"],
    ],
)
async def test_what_cannot_be_asked_is_bad_input(operator, arguments):
    status, out, err = await operator.check(*arguments)
    assert (status, out) == (2, "")
    assert err


@pytest.mark.parametrize("option", [("--token",), ("--header", "Authorization: Bearer ")])
async def test_a_token_is_no_argument(operator, option):
    *names, last = option
    argument = f"{last}{operator.environment['TOKEN']}" if names else operator.environment["TOKEN"]
    options = [*names, argument] if names else [last, argument]
    status, _, _ = await operator.check("--address", "127.0.0.1:1", "--url", PETS, *options)
    assert status == 2
    assert operator.printed_no_secret()


class _Refuses:
    async def decide(self, _request):
        return Deny(reason=Reason.API_BLOCKED)


async def test_tls_asks_for_a_trusted_certificate_and_shows_ones_own(tmp_path, operator):
    authority = CertificateAuthority(tmp_path)
    (tmp_path / "other").mkdir()
    stranger = CertificateAuthority(tmp_path / "other")
    certificate, private_key = authority.certificate("gateway")
    (key := tmp_path / "gateway.key").write_bytes(private_key)
    credentials = grpc.ssl_server_credentials(
        [(private_key, certificate.read_bytes())], authority.ca_file.read_bytes(), require_client_auth=True
    )
    servicer = AuthorizationServicer(
        Answering(decider=_Refuses(), responses=ResponseBuilder(ResponsePolicy()), budget_seconds=1.0)
    )
    replica = grpc.aio.server()
    replica.add_generic_rpc_handlers((rpc_handlers(servicer),))
    port = replica.add_secure_port("127.0.0.1:0", credentials)
    await replica.start()
    try:
        to = ("--address", f"127.0.0.1:{port}", "--url", PETS, "--timeout", "5")
        own = ("--cert", certificate, "--key", key)
        status, out, _ = await operator.run_apart("check", *to, "--ca", authority.ca_file, *own)
        assert (status, "api_blocked" in out) == (1, True)
        assert (await operator.run_apart("check", *to, "--ca", stranger.ca_file, *own))[0] == 3
        assert (await operator.run_apart("check", *to, "--ca", authority.ca_file))[0] == 3
        assert (await operator.run_apart("check", *to))[0] == 3
    finally:
        await replica.stop(None)


async def test_a_key_manager_that_does_not_answer_is_no_mistake_of_the_file(tmp_path, server, operator):
    key_manager = key_manager_of(server) | {"jwt": {"discovery": True}}
    write_files(tmp_path, server, {}, catalog_document(key_managers=[key_manager | {"issuer": "http://127.0.0.1:1"}]))
    status, _, err = await operator.check("--config", tmp_path / "extauthz.yaml", "--url", PETS, "--timeout", "5")
    assert status == 3, err
