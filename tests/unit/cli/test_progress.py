import io

import pytest
import yaml
from rich.console import Console
from support.catalogs import catalog_document, text_of
from support.terminal import on_a_terminal

from extauthz.cli.progress import working


def shown(*, terminal, wanted=True):
    out = io.StringIO()
    with working(Console(file=out, force_terminal=terminal, width=100), shown=wanted) as work:
        work.begin("reading [file]")
        work.come(1, 2)
        work.begin("writing")
        work.come(3, 4)
    return out.getvalue()


def test_a_terminal_sees_what_is_done_and_how_far():
    assert "writing" in shown(terminal=True)
    assert "3/4" in shown(terminal=True)


def test_nobody_else_sees_anything():
    assert shown(terminal=False) == ""


def test_a_program_that_reads_what_is_printed_is_not_disturbed():
    assert shown(terminal=True, wanted=False) == ""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "extauthz.yaml"
    path.write_text(yaml.safe_dump({"catalog": {"file": "catalog.yaml"}}))
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document()))
    request = {"url": "https://host/petstore/v1/about"}
    cases = [{"name": "about", "request": request, "expect": {"decision": "allow"}}]
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump({"cases": cases}))
    return path


def commands(config):
    cases = config.with_name("cases.yaml")
    return {
        f"reading {config.with_name('catalog.yaml')}": ("config", "validate", "--config", config),
        "checking": ("check", "--config", config, "--file", cases),
    }


async def test_long_work_shows_on_a_terminal_how_far_it_is(config):
    for said, command in commands(config).items():
        status, out, seen = await on_a_terminal(*command)
        assert status == 0
        assert said in seen
        assert said not in out


async def test_with_json_a_terminal_sees_nothing(config):
    for command in commands(config).values():
        status, out, seen = await on_a_terminal(*command, "--output", "json")
        assert (status, seen) == (0, "")
        assert out.startswith("{")
