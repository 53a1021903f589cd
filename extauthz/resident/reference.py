"""Where a secret of the configuration really is: an environment variable or a file, never the document itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 64 * 1024
"""Above any key or secret; a guard against a reference to the wrong file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Follows the references of one document."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    """Of the document; relative file names start there."""

    def text(self, reference: object) -> str:
        """The text behind `{env: NAME}` or `{file: PATH}`, without a final newline.

        Raises:
            ValueError: the reference is of another form, or leads nowhere. The message never holds the text.
        """
        match reference:
            case {"env": str(name), **others} if not others:
                return self._variable(name)
            case {"file": str(path), **others} if not others:
                return _content(self.folder / path)
            case _:
                raise ValueError("does not say where to find it")

    def _variable(self, name: str) -> str:
        text = self.environ.get(name, "").rstrip("\r\n")
        if not text:
            raise ValueError(f"the environment variable {name} is not set, or empty")
        return text


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ValueError(f"the file {path} cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file {path} has more than {MAX_BYTES} bytes")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise ValueError(f"the file {path} is not UTF-8 text") from exc
