"""The files that settings name, and which of them are looked at for changes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from extauthz.document.file_signature import FileSignature, file_signature
from extauthz.document.strict import Strict
from extauthz.settings.process import Settings

_NAMES_OF_FILES = frozenset({"file", "ca_file", "certificate_file", "certificate"})
"""The settings, in whatever section, whose values are names of files."""
_FOLLOWED_ELSEWHERE = frozenset({"catalog", "tls"})
"""The catalog and the server's certificate have somebody of their own who follows them."""


def watched_files(settings: Settings, config: Path) -> frozenset[Path]:
    """The settings file itself, and those of secrets and certificates that it names; names are relative to it."""
    sections = {name: getattr(settings, name) for name in type(settings).model_fields}
    catalog = settings.catalog.redis
    found = [
        *(_named(section) for name, section in sections.items() if name not in _FOLLOWED_ELSEWHERE),
        _named(catalog),
    ]
    return frozenset({config}.union(config.parent / name for names in found for name in names))


def signatures(files: Iterable[Path]) -> dict[Path, FileSignature]:
    """The signatures now."""
    return {file: file_signature(file) for file in files}


def _named(value: object) -> Iterator[str]:
    if isinstance(value, Strict):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            if name in _NAMES_OF_FILES and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _named(inner)
