"""How long an instance of an extension lives, as docs/extensions.md tells it."""

import importlib
import sys

import pytest
from support.check_client import OVERWRITES, allowed
from support.decisions import GOOD
from support.extensions import install
from support.reloading import files_of, reloading

pytestmark = OVERWRITES

MODULE = """
import asyncio

CLOSED = asyncio.Queue()
LIVES = []

class Counts:
    def __init__(self, options):
        if options.get("fail"):
            raise ValueError("no")
        self.name = len([life for life in LIVES if life[1] == "made"]) + 1
        LIVES.append((self.name, "made"))

    async def authorize(self, request, access):
        LIVES.append((self.name, "asked"))

    async def close(self):
        LIVES.append((self.name, "closed"))
        await CLOSED.put(self.name)
"""
PROJECT = """
[project]
name = "counting-extension"
version = "1.0"
[project.entry-points."extauthz.authorizers"]
counts = "counting_extension:Counts"
"""


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """The module of the extension; `LIVES` is what became of its instances, in the order of time."""
    source, target = tmp_path / "source", tmp_path / "packages"
    source.mkdir()
    (source / "counting_extension.py").write_text(MODULE, encoding="utf-8")
    (source / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    install(source, target)
    monkeypatch.syspath_prepend(target)
    yield importlib.import_module("counting_extension")
    del sys.modules["counting_extension"]


def named(**options):
    return {"authorizers": [{"name": "counts", "options": options}]}


@pytest.fixture
async def world(tmp_path, server, counting):
    files = files_of(tmp_path, server)
    files.document["extensions"] = named()
    files.write()
    async with reloading(files) as running:
        yield running


async def test_settings_that_are_read_anew_make_new_instances_and_the_old_are_closed(world, server, counting):
    allowed(await world.check(server.issue_jwt(**GOOD)))
    world.files.write(errors={"format": "fault"})  # whatever the change is about
    await world.reload.refresh()
    assert await counting.CLOSED.get() == 1
    allowed(await world.check(server.issue_jwt(**GOOD)))
    assert counting.LIVES == [(1, "made"), (1, "asked"), (2, "made"), (1, "closed"), (2, "asked")]


async def test_a_catalog_that_changes_makes_none(world, counting):
    world.files.write_catalog(applications=[])
    await world.reload.refresh()
    assert counting.LIVES == [(1, "made")]


async def test_a_factory_that_fails_leaves_the_old_instance(world, server, counting):
    world.files.write(extensions=named(fail=True))
    await world.reload.refresh()
    allowed(await world.check(server.issue_jwt(**GOOD)))
    assert counting.LIVES == [(1, "made"), (1, "asked")]


async def test_a_new_instance_that_never_serves_is_closed(world, counting):
    (world.files.folder / "useless.yaml").write_text("apis: none", encoding="utf-8")
    world.files.write(catalog={"file": "useless.yaml"})
    await world.reload.refresh()
    assert counting.LIVES == [(1, "made"), (2, "made"), (2, "closed")]
