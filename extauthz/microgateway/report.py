"""What a conversion has to say, beside the files that it writes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is different about one key, and what to do; never the value of a secret."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value that is not written, and the environment variable or file that must hold it."""

    key: str
    """Where the Microgateway has the value."""
    env: str | None = None
    file: str | None = None
    hosts: frozenset[str] = frozenset()


@dataclass(slots=True)
class Report:
    """Collects notes and secrets while tables are read."""

    notes: list[Note] = field(default_factory=list)
    secrets: dict[str, Secret] = field(default_factory=dict)

    def note(self, key: str, text: str) -> None:
        """One more line."""
        self.notes.append(Note(key=key, text=text))

    def secret(self, key: str, *, env: str | None, urls: Iterable[str | None]) -> str:
        """The name of a secret that may be sent to these URLs; `env` None: the variable is named for the key."""
        name = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
        hosts = {urlsplit(url).hostname for url in urls if url}
        variable = env or name.replace("-", "_").upper()
        self.secrets[name] = Secret(key=key, env=variable, hosts=frozenset(host for host in hosts if host))
        return name
