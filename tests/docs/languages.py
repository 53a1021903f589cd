"""How blocks are checked that are neither YAML nor commands."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from docs.pages import ROOT, Block, text

from extauthz.extensions.kind import Kind

_DIRECTIVES = frozenset(
    {
        *("auth_request", "auth_request_set"),
        *("proxy_connect_timeout", "proxy_pass", "proxy_pass_request_body", "proxy_read_timeout", "proxy_set_header"),
        *("internal", "listen", "location", "server", "underscores_in_headers"),
    }
)
"""Those of nginx that pages use: of its core, its proxy module and `ngx_http_auth_request_module`."""
_PRINTED = {"README.md": "tests/docs/test_readme.py"}
"""Pages with something that a program prints, and the test that compares it with the program."""


def check_nginx(block: Block) -> None:
    """Statements end, braces match, and directives are known ones."""
    plain = [line.partition("#")[0].strip() for line in block.text.splitlines()]
    assert all(not line or line[-1] in ";{}" for line in plain), f"{block}: a statement does not end"
    assert block.text.count("{") == block.text.count("}"), f"{block}: braces do not match"
    unknown = {line.split()[0].rstrip(";") for line in plain if line and line != "}"} - _DIRECTIVES
    assert not unknown, f"{block}: directives that nobody looked up: {', '.join(sorted(unknown))}"


def check_promql(block: Block) -> None:
    """Each metric is one of docs/metrics.md; test_alerts.py parses the expressions."""
    known = set(re.findall(r"^\| `(\w+)`", text("docs/metrics.md"), re.MULTILINE))
    named = set(re.findall(r"\bextauthz_\w+", block.text))
    assert named, f"{block}: no metric of ours"
    unknown = {name for name in named if {name, re.sub(r"_(bucket|sum|count)$", "", name)}.isdisjoint(known)}
    assert not unknown, f"{block}: there is no {', '.join(sorted(unknown))}"


def check_json(block: Block) -> None:
    """It is JSON, and a line of the log has the members that docs/operations.md names."""
    document = json.loads(block.text)
    if "event" in document:
        members = set(
            re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?) \|", text("docs/operations.md"), re.MULTILINE)))
        )
        assert document.keys() <= members, f"{block}: no member of the log: {document.keys() - members}"


def check_python(block: Block) -> None:
    """It runs, so what it imports is there."""
    exec(compile(block.text, str(block), "exec"), {"__name__": "page"})  # noqa: S102 - our own page


def check_toml(block: Block) -> None:
    """It is TOML; entry points are of our groups, and in the package of docs/examples/extension."""
    groups = tomllib.loads(block.text)["project"]["entry-points"]
    example = tomllib.loads(text("docs/examples/extension/pyproject.toml"))["project"]["entry-points"]
    assert groups.keys() <= {kind.group for kind in Kind}, f"{block}: no group of ours"
    assert all(points.items() <= example[group].items() for group, points in groups.items()), (
        f"{block}: not in the example"
    )


def check_dockerfile(block: Block) -> None:
    """The linter finds nothing, and packages go where the image of deploy/docker has its own."""
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, "-"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}: {done.stdout}"
    folders = set(re.findall(r"/opt/extauthz(?=[/\s])", block.text))
    assert folders <= set(re.findall(r"/opt/extauthz(?=[/\s])", (ROOT / "deploy/docker/Dockerfile").read_text()))


def check_printed(block: Block) -> None:
    """Something else compares it with what is printed."""
    assert block.page in _PRINTED, f"{block}: say in {__name__} which test compares this text with the program"
    assert (ROOT / _PRINTED[block.page]).exists()
