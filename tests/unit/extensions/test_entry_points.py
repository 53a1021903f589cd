"""Extensions are found by entry point; whatever is wrong with one ends the start with its place in the settings."""

import importlib
import re
import sys
import textwrap
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from extauthz.data_plane.extensions import extensions
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.extensions import ExtensionsSettings

MODULE = """
closed = []

class Badge:
    def __init__(self, options):
        if options.get("color") == "none":
            raise ValueError("a badge has a color")
        self.options = options

    async def authorize(self, request, access):
        return None

    async def close(self):
        closed.append(self.options)
        raise LookupError("on the way out")

class Blocking:
    def __init__(self, options):
        pass

    def authorize(self, request, access):
        return None

def broken(options):
    raise LookupError(options["password"])

def leaving(options):
    raise SystemExit

nothing = 5
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with entry points onto the path."""

    def installed(name, *points, module=MODULE):
        (tmp_path / f"{name}.py").write_text(module)
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{point} = {name}:{value}" for point, value in points]
        (information / "entry_points.txt").write_text("\n".join(["[extauthz.authorizers]", *lines, ""]))
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield installed
    for name in ("badges", "others", "unfinished"):
        sys.modules.pop(name, None)


def settings(*lines):
    return loads("\n".join(["authorizers:", *lines]), ExtensionsSettings, "settings")


def mistake(*lines):
    with pytest.raises(DocumentError) as raised:
        extensions(settings(*lines), AsyncExitStack())
    (only,) = raised.value.mistakes
    return only


async def test_one_that_is_named_is_made_with_its_options_and_closed_with_the_process(install):
    install("badges", ("badge", "Badge"))
    async with AsyncExitStack() as stack:
        made = extensions(settings("- {name: badge, options: {color: red}}", "- {name: badge}"), stack)
        assert len(made.authorizers) == 2
        closed = sys.modules["badges"].closed
        assert closed == []
    assert closed == [{}, {"color": "red"}]


async def test_one_that_is_not_named_is_not_even_imported(install):
    install("unfinished", ("badge", "Badge"), module="raise SystemExit")
    assert extensions(ExtensionsSettings(), AsyncExitStack()).authorizers == ()


def test_one_that_is_not_installed_is_told_with_those_that_are(install):
    install("badges", ("badge", "Badge"))
    missing = mistake("- {name: badge}", "- {name: bagde}")
    assert str(missing).startswith("extensions.authorizers[1]: no installed package has an entry point `bagde`")
    assert "installed: badge" in missing.message


def test_a_name_that_two_packages_have_is_a_mistake(install):
    install("badges", ("badge", "Badge"))
    install("others", ("badge", "Badge"))
    assert "badges, others have it" in mistake("- {name: badge}").message


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Badge", "a badge has a color"),
        ("broken", "failed at start: LookupError"),
        ("leaving", "failed at start: SystemExit"),
        ("nothing", "is no factory"),
        ("absent", "cannot be imported: AttributeError"),
        ("Blocking", "has no `async def authorize`"),
        ("dict", "cannot be imported"),
    ],
)
def test_one_that_cannot_be_made_is_a_mistake_that_quotes_no_option(install, value, told):
    install("badges", ("badge", value))
    found = mistake("- {name: badge, options: {color: none, password: s3cret}}")
    assert told in found.message
    assert found.location == ("extensions", "authorizers", 0)
    assert "s3cret" not in str(found)


def test_a_module_that_ends_the_process_when_it_is_imported_is_a_mistake(install):
    install("unfinished", ("badge", "Badge"), module="raise SystemExit")
    assert "cannot be imported: SystemExit" in mistake("- {name: badge}").message


def test_the_page_about_extensions_shows_settings_that_are_right():
    page = (Path(__file__).parents[3] / "docs" / "extensions.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\nextensions:\n(.*?)```", page, re.DOTALL)
    shown = loads(textwrap.dedent(example), ExtensionsSettings, "docs/extensions.md")
    assert [one.name for one in shown.authorizers] == ["read-only"]
