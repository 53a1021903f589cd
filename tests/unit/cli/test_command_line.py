"""Every command as an operator meets it: its help, its examples, and its page."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from extauthz.cli.application import application

PAGE = (Path(__file__).parents[3] / "docs/command-line.md").read_text(encoding="utf-8")
GROUPS = {"config", "catalog", "api-key"}


def commands(command=None, path=()):
    """The commands with their names, groups left out that do nothing by themselves."""
    command = command or get_command(application)
    inner = getattr(command, "commands", {})
    if not inner or path == ("resident",):
        yield path, command
    for name, each in inner.items():
        yield from commands(each, (*path, name))


COMMANDS = dict(commands())


def section(path):
    """What the page says about a command."""
    title = f"## extauthz {' '.join(path)}\n"
    assert title in PAGE, path
    return PAGE.split(title)[1].split("\n## ")[0]


def test_every_command_of_the_issue_is_there():
    named = "serve resident demo revoke check health envoy-config config-validate config-schema config-show"
    named += " config-reference"
    named += " config-convert catalog-apply catalog-diff catalog-export api-key-create api-key-hash resident-secret"
    assert {"-".join(path) for path in COMMANDS} == set(named.split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_that_names_it(path):
    result = CliRunner().invoke(application, [*path, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"extauthz {' '.join(path)}" in result.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_help_and_stands_on_the_page(path):
    page = section(path)
    for parameter in COMMANDS[path].params:
        if parameter.name == "help":
            continue
        assert getattr(parameter, "help", None), parameter.name
        for spelling in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]:
            assert re.search(rf"{re.escape(spelling)}(?![\w-])", page), (path, spelling)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_page_names_no_option_that_is_not_there(path):
    known = {spelling for parameter in COMMANDS[path].params for spelling in parameter.opts}
    synopsis = section(path).split("```")[1]
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", synopsis)) <= known


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_group_without_a_command_tells_its_commands(group):
    result = CliRunner().invoke(application, [group])
    assert "Commands" in result.output


def test_the_version_is_that_of_the_package():
    result = CliRunner().invoke(application, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"extauthz {version('extauthz')} ")


def test_shells_can_complete():
    assert {"--install-completion", "--show-completion"} <= {
        spelling for parameter in get_command(application).params for spelling in parameter.opts
    }


def test_a_replica_that_starts_does_not_wait_for_what_only_others_need():
    """Import time is most of a start: half a second, if each command were imported for all."""
    run = "import sys; from extauthz.cli.application import application; application(['serve', '--help'])"
    printed = "import atexit, sys; atexit.register(lambda: print('modules', *sys.modules)); "
    ended = subprocess.run([sys.executable, "-c", printed + run], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.partition("modules ")[2].split())
    assert "extauthz.data_plane.run" in modules
    others = {"cli.demo", "cli.health", "cli.check", "cli.catalog", "cli.revoke", "cli.resident", "cli.envoy_config"}
    assert modules.isdisjoint({f"extauthz.{other}" for other in others} | {"joserfc", "redis", "jsonschema"})
