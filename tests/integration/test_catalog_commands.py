"""`extauthz catalog` and a real server: what an operator sees, and what is then in Redis."""

import asyncio
import contextlib
import dataclasses
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
import yaml
from redis import Redis
from support.catalogs import api, application, catalog_document, key_manager
from support.full_catalog import full_catalog
from support.shared_catalog import CATALOG_SECRET, key, shared_catalog
from support.terminal import on_a_terminal
from support.valkey import ValkeyServer
from typer.testing import CliRunner

from extauthz.cli.application import application as extauthz
from extauthz.document.text import written

pytestmark = pytest.mark.external_service


@contextlib.contextmanager
def running(*arguments):
    server = ValkeyServer(*arguments)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.close())


@pytest.fixture(autouse=True)
def logs_of_its_own():
    """The commands send logs to their standard error, which ends with them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def valkey():
    with running() as server:
        yield server


@dataclasses.dataclass
class Operator:
    """Somebody with a settings file, a secret and a folder."""

    folder: Path
    url: str

    def settings(self, **catalog):
        catalog = {"redis": {"url": self.url}, "secret": ["catalog"]} | catalog
        secrets = {"catalog": {"file": "catalog.secret"}, "not_here": {"env": "NOT_ON_THIS_MACHINE"}}
        (self.folder / "extauthz.yaml").write_text(yaml.safe_dump({"catalog": catalog, "secrets": secrets}))
        (self.folder / "catalog.secret").write_bytes(CATALOG_SECRET)

    def run(self, command, *options, file=None):
        arguments = [command, *options, "--config", str(self.folder / "extauthz.yaml")]
        if file is not None:
            path = self.folder / "catalog.yaml"
            path.write_text(file if isinstance(file, str) else written(file), encoding="utf-8")
            arguments += ["-f", str(path)]
        return CliRunner().invoke(extauthz, ["catalog", *arguments])

    def apply(self, file, *options):
        result = self.run("apply", "--begin", *options, file=file)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    def snapshot(self):
        async def taken():
            async with shared_catalog(self.url) as catalog:
                return await catalog.snapshot()

        return asyncio.run(taken())

    def revision(self):
        return self.snapshot().head.revision


@pytest.fixture
def operator(tmp_path, valkey):
    made = Operator(tmp_path, valkey.url)
    made.settings()
    return made


def test_a_first_apply_begins_a_catalog(operator):
    assert operator.apply(catalog_document()) == [
        "+ key_manager km (default)",
        "+ api petstore (default)",
        "+ application app (default)",
        "+ subscription app petstore (default)",
        "a new catalog began: replicas take it in the place of any that was begun before",
        "4 created, 0 changed, 0 removed: revision 1",
    ]


def test_the_same_file_again_writes_nothing(operator):
    operator.apply(catalog_document())
    before = operator.snapshot()
    assert operator.apply(catalog_document()) == ["nothing to change at revision 1"]
    assert operator.apply(catalog_document(), "--prune") == ["nothing to change at revision 1"]
    assert operator.snapshot() == before


def test_what_changes_is_told_and_written(operator):
    operator.apply(catalog_document())
    changed = catalog_document(apis=[api(publisher="someone"), api(id="new", context="/new")])
    assert operator.apply(changed) == [
        "~ api petstore (default): publisher",
        "+ api new (default)",
        "1 created, 1 changed, 0 removed: revision 2",
    ]
    assert {identity.id for identity in operator.snapshot().stored if identity.kind == "api"} == {"petstore", "new"}


def test_a_dry_run_tells_the_same_and_writes_nothing(operator):
    first = operator.apply(catalog_document(), "--dry-run")
    assert first[-2:] == [
        "a new catalog begins: replicas take it in the place of any that was begun before",
        "4 to create, 0 to change, 0 to remove; nothing is written",
    ]
    assert operator.snapshot().head is None
    operator.apply(catalog_document())
    before = operator.snapshot()
    assert operator.apply({"applications": [application(name="Other")]}, "--dry-run") == [
        "~ application app (default): name",
        "0 to create, 1 to change, 0 to remove; nothing is written",
    ]
    assert operator.snapshot() == before


def test_prune_takes_away_what_the_file_does_not_name(operator):
    operator.apply(catalog_document(apis=[api(), api(id="old", context="/old")]))
    operator.apply({"organization": "acme", "applications": [application(id="theirs", keys=[])]})
    assert operator.apply(catalog_document()) == ["nothing to change at revision 2"]
    assert operator.apply(catalog_document(), "--prune") == [
        "- api old (default)",
        "0 created, 0 changed, 1 removed: revision 3",
    ]
    assert "theirs" in {identity.id for identity in operator.snapshot().stored}


@pytest.mark.parametrize("options", [(), ("--prune",), ("--allow-empty",)])
def test_no_api_is_left_only_if_it_is_said_twice(operator, options):
    operator.apply(catalog_document())
    before = operator.snapshot()
    result = operator.run("apply", *options, file={"organization": "default"})
    assert result.exit_code == (2 if options else 0)
    assert operator.snapshot() == before


def test_an_empty_catalog_says_that_it_is_meant(operator):
    operator.apply(catalog_document())
    lines = operator.apply({"organization": "default"}, "--prune", "--allow-empty")
    assert lines[-1] == "0 created, 0 changed, 4 removed: revision 2"
    assert operator.snapshot().head.empty
    operator.apply(catalog_document())
    assert not operator.snapshot().head.empty


def test_a_catalog_can_be_begun_without_an_api(operator):
    assert operator.run("apply", file={"organization": "default"}).exit_code == 2
    operator.apply({"organization": "default"}, "--prune", "--allow-empty")
    assert operator.snapshot().head.empty


def test_a_part_is_checked_against_the_whole(operator):
    operator.apply(catalog_document())
    before = operator.snapshot()
    result = operator.run("apply", file={"apis": [api(id="other")]})
    assert result.exit_code == 2
    assert "`petstore` (in Redis, not in this document): has the same host and context as apis[0]" in result.stderr
    result = operator.run("apply", file={"subscriptions": [{"application": "app", "api": "nosuch"}]})
    assert result.exit_code == 2
    assert "subscriptions[0].api (line 3): `nosuch` is not the id of a API" in result.stderr
    assert operator.snapshot() == before


def test_diff_ends_as_diff_does(operator):
    assert operator.run("diff", file=catalog_document()).exit_code == 1
    operator.apply(catalog_document())
    same = operator.run("diff", file=catalog_document())
    assert (same.exit_code, same.stdout) == (0, "nothing to change at revision 1\n")
    assert operator.run("diff", file={"applications": [application(name="Other")]}).exit_code == 1
    assert operator.run("diff", "--prune", file={"apis": [api()]}).exit_code == 1
    assert operator.run("diff", file={"applications": [{"nonsense": 1}]}).exit_code == 2
    assert operator.revision() == 1


def test_diff_that_cannot_ask_is_not_the_same_as_a_difference(operator, valkey):
    asyncio.run(valkey.stop())
    assert operator.run("diff", file=catalog_document()).exit_code == 2
    assert operator.run("apply", file=catalog_document()).exit_code == 1
    assert operator.run("export").exit_code == 1


def test_an_export_is_a_catalog_that_changes_nothing(operator, tmp_path):
    whole = full_catalog(tmp_path)
    operator.apply(whole)
    before = operator.snapshot()
    assert operator.run("export", "--output-file", str(tmp_path / "export.yaml")).exit_code == 0
    exported = (tmp_path / "export.yaml").read_text(encoding="utf-8")
    assert operator.run("export").stdout == exported
    assert operator.apply(exported, "--prune") == ["nothing to change at revision 1"]
    assert operator.apply(whole, "--prune") == ["nothing to change at revision 1"]
    assert operator.snapshot() == before


def test_names_of_files_stay_as_they_are_written_and_certificates_are_read(operator, tmp_path):
    operator.apply(full_catalog(tmp_path))
    entities = {identity.id: entity for identity, entity in operator.snapshot().entities().items()}
    assert entities["by_jwt"].jwt.ca_file == "tls/ca.pem"
    assert entities["by_mutual_tls"].introspection.authentication.certificate_file == "tls/client.pem"
    assert all(pem.startswith("-----BEGIN") for pem in entities["by_jwt"].jwt.certificates)


def test_there_is_nothing_to_export_where_no_catalog_is(operator):
    result = operator.run("export")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "extauthz catalog apply" in result.stderr


def test_no_value_of_the_catalog_is_printed(operator):
    hashed = "C" * 42 + "A"
    keys = [{"id": "k", "hash": hashed, "application": "app"}]
    lines = operator.apply(catalog_document(api_keys=keys))
    lines += operator.apply(catalog_document(api_keys=[keys[0] | {"hash": "D" * 42 + "A"}]))
    assert "~ api_key k (default): hash" in lines
    assert not any(hashed in line or "DDDD" in line for line in lines)


def test_a_catalog_that_is_not_to_be_trusted_is_not_written_over(operator):
    operator.apply(catalog_document())

    async def forge():
        async with shared_catalog(operator.url) as catalog:
            await catalog.store.server.execute(b"HSET", key("api").encode(), b"default/x", b"nonsense")

    asyncio.run(forge())
    for command, status in (("apply", 1), ("diff", 2), ("export", 1)):
        result = operator.run(command, file=None if command == "export" else catalog_document())
        assert result.exit_code == status
        assert "cannot be trusted" in result.stderr


def test_another_secret_does_not_open_it(operator):
    operator.apply(catalog_document())
    (operator.folder / "catalog.secret").write_bytes(b"quite another secret, and 32 bytes at least")
    assert operator.run("export").exit_code == 1


def test_many_changes_at_once_are_one_transaction(operator):
    operator.settings(kept_changes=100)
    operator.apply(catalog_document())
    many = [application(id=f"app{number}", keys=[]) for number in range(300)]
    assert operator.apply({"applications": many})[-1] == "300 created, 0 changed, 0 removed: revision 2"
    assert operator.apply({"applications": many}) == ["nothing to change at revision 2"]


def test_of_several_who_apply_at_once_nobody_is_lost(operator, tmp_path):
    """Each reads again when another was faster."""
    operator.apply(catalog_document())
    commands = []
    for number in range(4):
        file = tmp_path / f"part{number}.yaml"
        file.write_text(written({"applications": [application(id=f"app{number}", keys=[])]}))
        arguments = ("catalog", "apply", "-f", str(file), "-c", str(tmp_path / "extauthz.yaml"))
        commands.append(subprocess.Popen((sys.executable, "-m", "extauthz", *arguments), stdout=subprocess.DEVNULL))
    assert [command.wait(60) for command in commands] == [0, 0, 0, 0]
    assert {f"app{number}" for number in range(4)} <= {identity.id for identity in operator.snapshot().stored}
    assert operator.revision() == 5


def test_a_lost_catalog_is_not_begun_again_by_a_part_of_it(operator):
    """Replicas would take it: the APIs of everybody else would be gone, and their paths fall to others."""
    result = operator.run("apply", file=catalog_document())
    assert result.exit_code == 1
    assert "--begin" in result.stderr
    assert operator.snapshot().head is None


def test_what_was_written_under_another_prefix_is_no_proof(operator):
    """With the same secret: the keys of one stage copied to another."""
    operator.apply(catalog_document())
    copied = operator.snapshot().head
    settings = yaml.safe_load((operator.folder / "extauthz.yaml").read_text())
    settings["catalog"]["redis"]["key_prefix"] = "other:"
    with Redis.from_url(operator.url) as client:
        for key in client.keys("*"):
            client.copy(key, key.replace(b"extauthz:", b"other:"))
    (operator.folder / "extauthz.yaml").write_text(yaml.safe_dump(settings))
    result = operator.run("export")
    assert copied is not None
    assert result.exit_code == 1
    assert "cannot be trusted" in result.stderr


def test_a_server_that_throws_entries_away_is_refused(tmp_path):
    with running("--maxmemory-policy", "allkeys-lru") as server:
        operator = Operator(tmp_path, server.url)
        operator.settings()
        result = operator.run("apply", "--begin", file=catalog_document())
        assert result.exit_code == 2
        assert "allkeys-lru" in result.stderr
        assert operator.snapshot().head is None


def test_a_catalog_in_a_file_is_not_written_here(operator):
    (operator.folder / "extauthz.yaml").write_text(yaml.safe_dump({"catalog": {"file": "catalog.yaml"}}))
    result = operator.run("apply", file=catalog_document())
    assert result.exit_code == 2
    assert "catalog.redis" in result.stderr


def test_a_revocation_is_looked_up_where_the_catalog_is(operator):
    operator.apply(catalog_document(key_managers=[key_manager(id="km")]))
    settings = yaml.safe_load((operator.folder / "extauthz.yaml").read_text())
    settings["revocation"] = {"backend": "redis", "redis": {"url": operator.url}, "secret": ["catalog"]}
    (operator.folder / "extauthz.yaml").write_text(yaml.safe_dump(settings))
    config = ["--config", str(operator.folder / "extauthz.yaml")]
    run = CliRunner().invoke
    assert run(extauthz, ["revoke", "--initialize", *config]).exit_code == 0
    assert run(extauthz, ["revoke", "--client", "c", "--key-manager", "km", *config]).exit_code == 0
    result = run(extauthz, ["revoke", "--client", "c", "--key-manager", "nosuch", *config])
    assert result.exit_code == 2
    assert "known: km (default)" in result.stderr


def test_long_work_shows_on_a_terminal_how_far_it_is(operator):
    operator.apply(catalog_document())
    config = ("--config", operator.folder / "extauthz.yaml")
    file = ("--file", operator.folder / "exported.yaml")
    for command in (("export", *config, "--output-file", file[1]), ("diff", *file, *config), ("apply", *file, *config)):
        status, _, seen = asyncio.run(on_a_terminal("catalog", *command))
        assert status == 0, seen
        assert "reading the catalog in redis" in seen
    for name in ("diff", "apply"):
        status, out, seen = asyncio.run(on_a_terminal("catalog", name, *file, *config, "--output", "json"))
        assert (status, seen) == (0, "")
        assert out.startswith("{")
