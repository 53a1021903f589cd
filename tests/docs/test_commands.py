"""Every command of ours that a page shows is run as it stands, or named here with the test that runs it."""

import asyncio
import re
import shutil
from dataclasses import dataclass

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from docs.commands import Command, commands, commands_of, name_of
from docs.pages import ROOT, blocks
from docs.yaml_kinds import kind_of
from support.operator import Operator
from support.signing_keys import private_key
from support.valkey import ValkeyServer
from typer.main import get_command

from extauthz.cli.application import application

SECRET = "a secret of at least 32 bytes, for the commands of the pages"
UNKNOWN_JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cmFuZ2VyLmV4YW1wbGUuY29tIn0.c2ln"
"""Of an issuer that no catalog knows, so that nobody is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """It is run; it ends with one of these."""

    statuses: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """It does not end by itself, or needs a replica: its arguments are parsed here, and another test starts it."""

    test: str


HOW: dict[str, Run | Elsewhere] = {
    "serve": Elsewhere(test="tests/integration/test_serve.py"),
    "resident": Elsewhere(test="tests/integration/test_resident.py"),
    "demo": Elsewhere(test="tests/integration/test_demo.py"),
    "health": Elsewhere(test="tests/integration/test_health_command.py"),
    "check": Run(statuses=frozenset({0, 1})),  # refused is an answer
    "config convert": Run(),
    "config reference": Run(),
    "config schema": Run(),
    "config show": Run(),
    "config validate": Run(),
    "envoy-config": Run(),
    "catalog apply": Run(),
    "catalog diff": Run(statuses=frozenset({0, 1})),  # differences are an answer
    "catalog export": Run(),
    "revoke": Run(),
    "api-key create": Run(),
    "api-key hash": Run(),
    "resident secret": Run(),
}


def ours(found):
    return [command for command in found if command.words[0] == "extauthz"]


SHOWN = [block for block in blocks() if ours(commands_of(block))]


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_it_is_known_how_each_command_is_tried(block):
    for command in ours(commands_of(block)):
        name = name_of(command.words)
        assert not name or name in HOW, f"{block}: `{command}`: say in HOW of {__name__} how `{name}` is tried"


def test_the_tests_that_are_named_are_there():
    assert [how.test for how in HOW.values() if isinstance(how, Elsewhere) and not (ROOT / how.test).exists()] == []


@pytest.fixture(scope="module")
def valkey():
    server = ValkeyServer()
    asyncio.run(server.start())
    yield server
    asyncio.run(server.close())


class Desk(Operator):
    """Somebody in a folder with the files that the commands of a page are about."""

    def __init__(self, folder, page, valkey):
        secrets = ("CACHE_SECRET", "CORPORATE_PASSWORD", "CATALOG_SECRET", "REVOCATION_SECRET", "API_KEYS_SECRET")
        super().__init__(**dict.fromkeys(secrets, SECRET), TOKEN=UNKNOWN_JWT)
        self.folder = folder
        key = private_key("RS256", "backend")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "backend-jwt-key.pem").write_bytes(pem)
        (folder / "token.txt").write_text(UNKNOWN_JWT)
        shutil.copy(ROOT / "tests/fixtures/microgateway/whole.toml", folder / "micro-gw.conf")
        own = own_files(page)
        self.shared = own.keys() != {"catalog", "settings"}
        if self.shared:
            own = own_files("README.md") | {"settings": yaml.safe_dump(shared_settings(f"extauthz-{folder.name}:"))}
        (folder / "catalog.yaml").write_text(own["catalog"])
        text = own["settings"]
        local = {"redis://redis.example.com:6379/0": valkey.url, "/run/secrets": str(folder)}
        for there, here in local.items():
            text = text.replace(there, here)
        (folder / "extauthz.yaml").write_text(text)

    async def prepare(self):
        """What has to be there before: a catalog and a beginning of revocations, where they are in Redis."""
        if self.shared:
            assert (await self.run("catalog", "apply", "-f", "catalog.yaml", "-c", "extauthz.yaml", "--begin"))[0] == 0
            assert (await self.run("revoke", "-c", "extauthz.yaml", "--initialize"))[0] == 0

    async def tries(self, command: Command):
        how = HOW[name_of(command.words)]
        if isinstance(how, Elsewhere):
            return
        given = (self.folder / command.stdin).read_bytes() if command.stdin else b""
        # A page's dates grow old; what ends must end later.
        words = [re.sub(r"^20\d\d-(?=.*T.*Z$)", "2099-", word) for word in command.words[1:]]
        status, out, err = await self.run(*words, given=given)
        assert status in how.statuses, f"`{command}` ended with {status}: {out}{err}"
        if command.stdout:
            (self.folder / command.stdout).write_text(out)


def own_files(page):
    """The first catalog and the first settings that a page shows."""
    found: dict[str, str] = {}
    for block in blocks():
        if block.page == page and block.language == "yaml" and not block.marker:
            kind = kind_of(next(iter(yaml.safe_load_all(block.text))), block)
            found.setdefault(kind, block.text)
    return {kind: text for kind, text in found.items() if kind in {"catalog", "settings"}}


def shared_settings(prefix):
    redis = {"url": "redis://redis.example.com:6379/0", "key_prefix": prefix}
    return {
        "catalog": {"redis": redis, "secret": ["catalog-secret"]},
        "revocation": {"backend": "redis", "redis": redis, "secret": ["revocation-secret"]},
        "api_keys": {"secret": ["api-keys"]},
        "secrets": {
            "catalog-secret": {"env": "CATALOG_SECRET"},
            "revocation-secret": {"env": "REVOCATION_SECRET"},
            "api-keys": {"env": "API_KEYS_SECRET"},
            "corporate-password": {"env": "CORPORATE_PASSWORD", "hosts": ["login.example.com"]},
        },
    }


@pytest.mark.external_service
@pytest.mark.parametrize("block", SHOWN, ids=str)
async def test_the_commands_of_a_block_do_what_they_show(block, tmp_path, valkey, monkeypatch):
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path, block.page, valkey)
    await desk.prepare()
    for command in ours(commands_of(block)):
        await desk.tries(command)
    assert desk.printed_no_secret()


def every_command(command=None):
    command = command or get_command(application)
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from every_command(inner)


def test_the_examples_of_the_help_can_be_taken_apart():
    texts = [command.epilog.partition("Examples:")[2] for command in every_command() if command.epilog]
    found = [command for text in texts for command in ours(commands(text))]
    assert len(found) > 15
    assert {name_of(command.words) for command in found} <= HOW.keys()


def test_a_script_is_taken_apart_as_a_shell_does():
    text = (
        "A=b extauthz revoke --token-stdin < token.txt | cat > out.txt  # why\ncurl \\\n  -d '{\n}' http://a\n"
        'kubectl apply -f - <<EOF\nkind: Pod\nEOF\nmake test && echo "$(date)"\n'
    )
    assert commands(text) == [
        Command(words=("extauthz", "revoke", "--token-stdin"), stdin="token.txt"),
        Command(words=("cat",), stdout="out.txt"),
        Command(words=("curl", "-d", "{\n}", "http://a")),
        Command(words=("kubectl", "apply", "-f", "-")),
        Command(words=("make", "test")),
        Command(words=("echo", "SUBSTITUTED")),
        Command(words=("date",)),
    ]


def test_a_transcript_has_the_commands_that_were_typed():
    (block,) = [block for block in blocks() if block.text.startswith("$ extauthz check")]
    assert [command.words[:2] for command in commands_of(block)] == [("extauthz", "check")]
