"""A configuration document in YAML, and all that is wrong with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 16 * 1024 * 1024
"""Far above any hand-written file; a guard against pointing the program at the wrong one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong, and how to put it right."""

    place: str
    """`clients[0].scopes`, or empty for the whole document."""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n    hint: {self.hint}" if self.hint else text


class SettingsError(Exception):
    """A configuration that cannot be used; `mistakes` has all that is wrong with it."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(source, tuple(mistakes))
        self.source = source
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        count = f"{len(self.mistakes)} mistake" + ("" if len(self.mistakes) == 1 else "s")
        return "\n".join([f"{self.source}: {count}", *(f"  {mistake}" for mistake in self.mistakes)])


def read_document(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        SettingsError: the file cannot be read, is not YAML, repeats a key, or holds something else than a mapping.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise _unusable(path, f"cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"has more than {MAX_BYTES} bytes")
    document = _parse(path, content)
    if not isinstance(document, dict):
        raise _unusable(path, "must hold a mapping, `issuer: ...` and so on")
    return document


class _Loader(yaml.SafeLoader):
    """Refuses a repeated key, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the loader's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value} stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _parse(path: Path, content: bytes) -> Any:
    try:
        return yaml.load(content, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as exc:
        # Not str(exc): it quotes the document around the mistake.
        line = f"line {exc.problem_mark.line + 1}: " if exc.problem_mark else ""
        raise _unusable(path, f"{line}{exc.problem}") from exc
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as exc:
        raise _unusable(path, "is not a YAML document") from exc


def _unusable(path: Path, message: str) -> SettingsError:
    return SettingsError(str(path), [Mistake(place="", message=message)])
