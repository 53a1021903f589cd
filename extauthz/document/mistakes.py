"""What is wrong with a document, said in one report."""

from collections.abc import Sequence
from dataclasses import dataclass

Location = tuple[str | int, ...]
"""The way from the top of a document to one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a document."""

    location: Location
    message: str
    hint: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{path_text(self.location)} (line {self.line})" if self.line else path_text(self.location)
        return f"{place}: {self.message}" + (f"\n      hint: {self.hint}" if self.hint else "")


class DocumentError(Exception):
    """A document that cannot be used; `mistakes` has all that is wrong with it."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(source, tuple(mistakes))
        self.source = source
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        listed = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        return f"{self.source}: {count} mistake{'' if count == 1 else 's'}\n{listed}"


class UnreadyDocumentError(DocumentError):
    """A document that cannot be used now, since something that it names does not answer: unchanged, it may do later."""


def path_text(location: Location) -> str:
    """A place in a document as people write it, `apis[0].resources[1].methods`."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text or "(document)"
