"""The commands of a block: taken apart as a shell does, and checked as far as that goes without running them."""

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import click
from docs.pages import ROOT, Block
from typer.main import get_command

from extauthz.cli.application import application

_BETWEEN = frozenset({"|", "||", "&&", ";", "&"})
_REDIRECTIONS = frozenset({"<", ">", ">>"})
_ASSIGNMENT = re.compile(r"^\w+=")
_HERE_DOCUMENT = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program with its arguments."""

    words: tuple[str, ...]
    stdin: str = ""
    """Name of a file, or empty."""
    stdout: str = ""

    def __str__(self) -> str:
        return shlex.join(self.words)


def commands(text: str) -> list[Command]:
    """The commands of a shell script without control structures.

    Raises:
        ValueError: a quotation does not end.
    """
    found: list[Command] = []
    for line in _logical_lines(text):
        found += _of_line(line)
        found += [command for inner in _SUBSTITUTION.findall(line) for command in commands(inner)]
    return found


def commands_of(block: Block) -> list[Command]:
    """The commands of a block, if it is one of a shell or a transcript."""
    if block.language == "sh":
        return commands(block.text)
    if block.language == "console" or (not block.language and block.text.startswith("$ ")):
        return commands("\n".join(_typed(block.text)))
    return []


def _typed(transcript: str) -> Iterator[str]:
    """What somebody typed, without what was answered; a line that ends with a backslash goes on."""
    going_on = False
    for line in transcript.splitlines():
        if going_on or line.startswith("$ "):
            yield line if going_on else line.removeprefix("$ ")
            going_on = line.endswith("\\")


def _logical_lines(text: str) -> Iterator[str]:
    pending, end = "", ""
    for line in text.replace("\\\n", " ").splitlines():
        if end:
            end = "" if line.strip() == end else end
            continue
        pending = f"{pending}\n{line}" if pending else line
        if here := _HERE_DOCUMENT.search(pending):
            end, pending = here[1], pending[: here.start()]
        try:
            list(_tokens(pending))
        except ValueError:
            continue  # a quotation goes on in the next line
        yield pending
        pending = ""
    if pending:
        raise ValueError(f"a quotation does not end: {pending}")


def _tokens(line: str) -> Iterator[str]:
    lexer = shlex.shlex(_SUBSTITUTION.sub("SUBSTITUTED", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    yield from lexer


def _of_line(line: str) -> Iterator[Command]:
    words: list[str] = []
    files = {"<": "", ">": ""}
    tokens = iter([*_tokens(line), ";"])
    for token in tokens:
        if token in _BETWEEN:
            while words and _ASSIGNMENT.match(words[0]):
                words.pop(0)
            if words:
                yield Command(words=tuple(words), stdin=files["<"], stdout=files[">"])
            words, files = [], {"<": "", ">": ""}
        elif token in _REDIRECTIONS:
            files[token[0]] = next(tokens)
        else:
            words.append(token)


def check_commands(block: Block) -> None:
    """Each command is one that there is, with options and files that there are."""
    found = commands_of(block)
    assert found, f"{block}: no command"
    for command in found:
        program = command.words[0].rpartition("/")[2]
        assert program in PROGRAMS, f"{block}: nobody checks `{program}`: add it to PROGRAMS in tests/docs/commands.py"
        PROGRAMS[program](command.words[1:], str(block))


check_console = check_commands


def check_synopsis(block: Block) -> None:
    """Each line names a command of ours, and no option that it lacks."""
    for line in re.split(r"\n(?! )", block.text.rstrip("\n")):
        command, path = _command(re.findall(r"[\w-]+", line.partition(" -")[0])[1:])
        known = {spelling for parameter in command.params for spelling in parameter.opts} | {"--help"}
        unknown = set(_OPTION.findall(line)) - known
        assert not unknown, f"{block}: `{path}` has no {', '.join(sorted(unknown))}"


def check_inline(code: str, place: str) -> None:
    """A command in the prose: as a line of a synopsis, or as a command of a block."""
    code = code.partition(" | ")[0]
    program = code.partition(" ")[0]
    if program == "extauthz":
        words = re.findall(r"[\w-]+", code.partition(" -")[0])[1:]
        command = _command(words)[0] if words and words != ["COMMAND"] else get_command(application)
        options = {each.partition("=")[0] for each in code.split() if each.startswith("-")}
        known = {spelling for parameter in command.params for spelling in parameter.opts} | {"--help"}
        assert options <= known, f"{place}: `{code}`: there is no {', '.join(sorted(options - known))}"
    else:
        PROGRAMS[program](tuple(shlex.split(code)[1:]), place)


def _command(words: list[str]) -> tuple[Any, str]:
    """The command that the first words name, and its name."""
    command: Any = get_command(application)
    context = click.Context(command)
    path = ["extauthz"]
    for word in words:
        inner = command.get_command(context, word) if hasattr(command, "get_command") else None
        if inner is None:
            break
        command = inner
        path.append(word)
    assert len(path) > 1, f"`{' '.join(['extauthz', *words])}` is no command"
    return command, " ".join(path)


def name_of(words: tuple[str, ...]) -> str:
    """The name of a command of ours, such as `config validate`; empty: the program itself, for its help or version."""
    if words[1:2] and words[1].startswith("-"):
        return ""
    return _command(list(words[1:]))[1].partition(" ")[2]


def _parsed(arguments: tuple[str, ...], place: str) -> None:
    """Parses the arguments as the command itself does, and does not call it."""
    command: Any = get_command(application)
    rest, context = list(arguments), None
    try:
        while True:
            context = command.make_context(command.name, rest, parent=context)
            given = [*getattr(context, "_protected_args", []), *context.args]
            if not given or not hasattr(command, "resolve_command"):
                break
            _, command, rest = command.resolve_command(context, given)
            assert command is not None, f"{place}: no such command"
    except Exception as error:
        if type(error).__name__ == "Exit":  # --help and --version
            return
        raise AssertionError(f"{place}: extauthz {' '.join(arguments)}: {error}") from error


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _make(arguments: tuple[str, ...], place: str) -> None:
    targets = {each for each in arguments if "=" not in each}
    assert targets <= _targets(), f"{place}: no such target: {', '.join(targets - _targets())}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for variable in (each.partition("=")[0] for each in arguments if "=" in each):
        assert f"$({variable}" in makefile or f",$({variable})" in makefile, f"{place}: the Makefile has no {variable}"


def _pip(arguments: tuple[str, ...], place: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = {".", project["name"]} | {
        f"{name}[{extra}]" for name in (".", project["name"]) for extra in project["optional-dependencies"]
    }
    named = {each for each in arguments[1:] if not each.startswith("-")}
    assert arguments[0] == "install", f"{place}: not an installation"
    assert named <= known, f"{place}: nothing to install: {', '.join(named - known)}"


def _files(arguments: tuple[str, ...], place: str) -> None:
    """What looks like a file of this repository is one."""
    for each in arguments:
        path = each.partition("=")[2] or each
        if re.match(r"(?:\./)?(?:deploy|docs|tests|extauthz|benchmarks)/", path):
            assert (ROOT / path).exists(), f"{place}: there is no {path}"


_HELM_OPTIONS = frozenset(
    {
        *("--namespace", "-n", "--create-namespace", "--values", "-f", "--set", "--version", "--wait"),
        *("--sign", "--key", "--keyring"),
    }
)
_HELM = frozenset(
    {"install", "upgrade", "template", "test", "package", "push", "lint", "uninstall", "show", "repo", "diff"}
)
_KUBECTL = frozenset({"create", "label", "apply", "get", "rollout", "logs", "port-forward", "exec", "delete", "wait"})
_KUBECTL_OPTIONS_WITH_VALUE = frozenset({"--namespace", "-n", "--context"})


def _helm(arguments: tuple[str, ...], place: str) -> None:
    assert arguments[0] in _HELM, f"{place}: helm {arguments[0]}?"
    unknown = {each.partition("=")[0] for each in arguments if each.startswith("-")} - _HELM_OPTIONS
    assert not unknown, f"{place}: helm with {', '.join(unknown)}?"
    _files(arguments, place)


def _kubectl(arguments: tuple[str, ...], place: str) -> None:
    words, rest = [], iter(arguments)
    for each in rest:
        if each in _KUBECTL_OPTIONS_WITH_VALUE:
            next(rest)
        elif not each.startswith("-"):
            words.append(each)
    assert words[0] in _KUBECTL, f"{place}: kubectl {words[0]}?"
    _files(arguments, place)


def _docker(arguments: tuple[str, ...], place: str) -> None:
    assert arguments[0] in {"build", "buildx", "run", "push"}, f"{place}: docker {arguments[0]}?"
    _files(arguments, place)


def _cosign(arguments: tuple[str, ...], place: str) -> None:
    assert arguments[0] in {"sign", "verify"}, f"{place}: cosign {arguments[0]}?"


def _curl(arguments: tuple[str, ...], place: str) -> None:
    urls = [each for each in arguments if re.match(r"(?:https?://|\w[\w.-]*:\d)", each)]
    assert urls, f"{place}: curl without a URL"


def _envoy(arguments: tuple[str, ...], place: str) -> None:
    known = {"-c", "--config-path", "--mode", "--log-level", "--base-id", "--concurrency", "--use-dynamic-base-id"}
    unknown = {each for each in arguments if each.startswith("-")} - known
    assert not unknown, f"{place}: envoy has no {', '.join(unknown)}"
    _files(arguments, place)


def _git(arguments: tuple[str, ...], place: str) -> None:
    """It is run in this repository, so only what writes nothing; not where files came without their history."""
    assert arguments[0] == "rev-parse", f"{place}: git {arguments[0]}?"
    program = shutil.which("git")
    if program and (ROOT / ".git").exists():
        done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{place}: git {' '.join(arguments)}: {done.stderr}"


PROGRAMS: dict[str, Callable[[tuple[str, ...], str], None]] = {
    "extauthz": _parsed,
    "make": _make,
    "pip": _pip,
    "helm": _helm,
    "kubectl": _kubectl,
    "docker": _docker,
    "cosign": _cosign,
    "curl": _curl,
    "envoy": _envoy,
    "python": _files,
    "git": _git,
    "promtool": _files,
    **dict.fromkeys(("cd", "export", "echo", "cat", "cp", "head", "base64", "mkdir", "grep", "printf"), _files),
}
"""How the commands of each program are checked; those of ours are run as well, by `test_commands.py`."""
