"""A Dockerfile's instructions, and its build steps carried out in folders instead of in an image."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.envoy import ROOT

DOCKERFILE = ROOT / "deploy/docker/Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One of a stage."""

    name: str
    value: str

    def words(self) -> list[str]:
        """The value in its exec form, or split as a shell would."""
        words: list[str] = json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)
        return words


def stages() -> list[list[Instruction]]:
    """The instructions of each stage; those before the first are left out."""
    found: list[list[Instruction]] = []
    for instruction in _instructions():
        if instruction.name == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def the(stage: list[Instruction], name: str) -> Instruction:
    """The one instruction of that name in a stage."""
    (found,) = (instruction for instruction in stage if instruction.name == name)
    return found


def version() -> str:
    """What the image says of itself, unless it is told otherwise."""
    arguments = [each.value.partition("=") for stage in stages() for each in stage if each.name == "ARG"]
    (default,) = (value for name, _, value in arguments if name == "VERSION")
    return default


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Stands for the file system of an image, as far as the Dockerfile names it."""

    root: Path

    def moved(self, text: str) -> str:
        """The text with the image's paths below our root."""
        return re.sub(r"(?<![\w/.])/(opt|src|etc)(?=/|\b)", lambda path: f"{self.root}{path[0]}", text)

    def build(self, stage: list[Instruction], environment: Mapping[str, str]) -> None:
        """Carries out a stage.

        Raises:
            subprocess.CalledProcessError: a step failed; the message has what it printed.
        """
        folder = self.root
        for instruction in stage:
            if instruction.name == "WORKDIR":
                folder = Path(self.moved(instruction.value))
                folder.mkdir(parents=True, exist_ok=True)
            elif instruction.name == "COPY":
                *sources, target = instruction.words()
                for source in sources:
                    _copy(ROOT / source, folder / target)
            elif instruction.name == "RUN":
                _run(self.moved(instruction.value), folder, environment)

    def state(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file: what changes when something is written."""
        found = {}
        for path in self.root.rglob("*"):
            status = path.lstat()
            found[str(path)] = (status.st_size, status.st_mtime_ns)
        return found


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _run(command: str, folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", command],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def _instructions() -> Iterator[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, value = line.strip().partition(" ")
            yield Instruction(name=name, value=value.strip())
