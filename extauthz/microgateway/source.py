"""The tables of a Microgateway's TOML: found in any spelling, and no key is lost from sight."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.microgateway.report import Report

_LINE = re.compile(r" \(at line (?P<line>[0-9]+), column [0-9]+\)$")
_FROM_ENVIRONMENT = re.compile(r"@env:\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_ENCRYPTED = "@encrypted:"
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSecret:
    """That a secret is set, and how."""

    key: str
    env: str | None
    """The environment variable that holds it already."""


class Table:
    """A table whose keys are found whatever their case: the documentation has both `keyManager` and `keymanager`.

    It remembers what was asked for; `untouched` is the rest.
    """

    def __init__(self, path: str, values: Mapping[str, Any], report: Report) -> None:
        self._path = path
        self._report = report
        self._values: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._inner: dict[str, list[Table]] = {}
        for name, value in values.items():
            self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        low = name.lower()
        first = self._values.get(low)
        if isinstance(first, dict) and isinstance(value, dict):
            self._values[low] = _joined(first, value, f"{self._path}{self._names[low]}", self._report)
        elif low in self._values:
            self._report.note(f"{self._path}{name}", f"stands twice; what `{self._names[low]}` says is taken")
        else:
            self._values[low], self._names[low] = value, name

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._values

    @property
    def name(self) -> str:
        """The path of the table itself."""
        return self._path.rstrip(".")

    def path(self, key: str) -> str:
        """The name of a key, as the file writes it where it does."""
        return f"{self._path}{self._names.get(key.lower(), key)}"

    def text(self, key: str) -> str | None:
        """A string that is not empty."""
        value = self._take(key)
        if value is None:
            return None
        if value == "":
            self._report.note(self.path(key), "is empty: taken as not set")
            return None
        if not isinstance(value, str):
            self._report.note(self.path(key), "is no string: left out")
            return None
        if value.startswith(_ENCRYPTED) or _FROM_ENVIRONMENT.fullmatch(value):
            self._report.note(self.path(key), "is not in the file itself: left out; write its value where it belongs")
            return None
        return value

    def is_text(self, key: str) -> bool:
        """Whether a key has one string, and no list."""
        return isinstance(self._values.get(key.lower()), str)

    def has_value(self, key: str) -> bool:
        """Whether a key says anything, be it readable or not."""
        return self._values.get(key.lower()) not in (None, "", [])

    def texts(self, key: str) -> list[str]:
        """Strings, from a list or from one string with commas."""
        value = self._values.get(key.lower())
        if not isinstance(value, list):
            text = self.text(key)
            return [part for part in re.split(r"[,\s]+", text or "") if part]
        self._take(key)
        if not all(isinstance(part, str) for part in value):
            self._report.note(self.path(key), "is no list of strings: left out")
            return []
        return [part for part in value if part]

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._take(key)
        if value is None or value == "":
            return None
        flag = _WORDS.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(flag, bool):
            self._report.note(self.path(key), "is neither true nor false: left out")
            return None
        return flag

    def number(self, key: str) -> float | None:
        """A number that is not negative."""
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
            value = int(value)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:  # noqa: PLR2004
            self._report.note(self.path(key), "is no number that could be meant: left out")
            return None
        return value

    def secret(self, key: str) -> GivenSecret | None:
        """That a secret is set, or meant to be; not what it is."""
        value = self._take(key)
        if value is None:
            return None
        if value == "":
            self._report.note(self.path(key), "is empty: a value has to be set")
        found = _FROM_ENVIRONMENT.fullmatch(value) if isinstance(value, str) else None
        return GivenSecret(key=self.path(key), env=found["name"] if found else None)

    def table(self, key: str) -> "Table":
        """The table below a key; an empty one if there is none."""
        found = self.tables(key)
        return found[0] if found else Table(f"{self.path(key)}.", {}, self._report)

    def tables(self, key: str) -> list["Table"]:
        """The tables of an array; a single table is an array of one."""
        low = key.lower()
        if low not in self._inner:
            value, path = self._values.get(low), self.path(key)
            if isinstance(value, dict):
                self._inner[low] = [Table(f"{path}.", value, self._report)]
            elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                named = [(f"{path}[{index}].", item) for index, item in enumerate(value)]
                self._inner[low] = [Table(place, item, self._report) for place, item in named]
            else:
                return []
        return self._inner[low]

    def leave(self, reason: str) -> None:
        """What nobody asked for yet is told in one line, and counts as asked for."""
        left = [path.removeprefix(self._path) for path in self.untouched()]
        self._taken |= self._values.keys()
        if left:
            self._report.note(self.name, f"{reason} ({', '.join(left)})")

    def untouched(self) -> Iterator[str]:
        """The paths of all that nobody asked for."""
        for low, value in self._values.items():
            if low in self._taken:
                continue
            inner = self.tables(low)
            if inner:
                for table in inner:
                    yield from table.untouched()
            elif value != {}:
                yield self.path(low)

    def _take(self, key: str) -> Any:
        self._taken.add(key.lower())
        return self._values.get(key.lower())


def read(text: str, source: str, report: Report) -> Table:
    """The top of a file.

    Raises:
        DocumentError: it is not TOML; a table that stands twice is not.
    """
    try:
        return Table("", tomllib.loads(text), report)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found["line"]) if found else None
        message = f"is not TOML: {_LINE.sub('', str(error))}"
        raise DocumentError(source, [Mistake(location=(), message=message, line=line)]) from error
    except RecursionError as error:
        raise DocumentError(source, [Mistake(location=(), message="is nested too deeply")]) from error


def _joined(first: dict[str, Any], second: dict[str, Any], path: str, report: Report) -> dict[str, Any]:
    """Both tables as one; where they meet, the first one counts."""
    joined = dict(first)
    spelled = {name.lower(): name for name in first}
    for name, value in second.items():
        known = spelled.get(name.lower())
        if known is None:
            joined[name] = value
        elif isinstance(joined[known], dict) and isinstance(value, dict):
            joined[known] = _joined(joined[known], value, f"{path}.{known}", report)
        else:
            report.note(f"{path}.{name}", "stands twice, in tables of different spelling; the first one is taken")
    return joined
