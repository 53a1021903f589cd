"""Where a secret of the configuration really is: an environment variable or a file, never the document itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import model_validator

from extauthz.document.strict import Strict

MAX_BYTES = 64 * 1024
"""Above any key or secret; a guard against a reference to the wrong file."""


class Reference(Strict):
    """`{env: NAME}` or `{file: PATH}`; exactly one of its keys is given."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_one_of_the_forms(cls, value: Any) -> Any:
        # Told of the whole: whatever else stands here may be the secret itself, even as a key, and is not repeated.
        if isinstance(value, dict) and len(value) == 1:
            ((key, place),) = value.items()
            if key in cls.model_fields and isinstance(place, str):
                return value
        raise ValueError("does not say where to find it")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Follows the references of one document."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    """Of the document; relative file names start there."""

    def text(self, reference: Reference) -> str:
        """The text behind a reference, without a final newline.

        Raises:
            ValueError: the reference leads nowhere. The message never holds the text.
        """
        if reference.env is not None:
            return self._variable(reference.env)
        if reference.file is not None:
            return _content(self.folder / reference.file)
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
