"""What `apply` and `diff` tell of changes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from extauthz.catalog.changes import Change
from extauthz.catalog.difference import Difference, difference
from extauthz.catalog.merge import Merged
from extauthz.catalog.redis.snapshot import Snapshot
from extauthz.cli.output import Output, print_json

_WORDS = {"+": "create", "~": "change", "-": "remove"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogReport:
    """The changes of a catalog, and whether they were written."""

    differences: Sequence[Difference]
    revision_before: int | None
    """None: there was no catalog."""
    revision: int | None
    """None: nothing was written."""

    @classmethod
    def of(
        cls, before: Snapshot, whole: Merged, changes: Sequence[Change], *, revision: int | None = None
    ) -> "CatalogReport":
        """The report on changes of what was there."""
        return cls(
            differences=[difference(whole.before, change) for change in changes],
            revision_before=before.head.revision if before.head else None,
            revision=revision,
        )

    def tell(self, output: Output) -> None:
        """Prints it."""
        if output is Output.JSON:
            self._tell_json()
        else:
            self._tell_text()

    def _tell_text(self) -> None:
        for each in self.differences:
            typer.echo(str(each))
        if self.revision_before is None:
            began = "begins" if self.revision is None else "began"
            typer.echo(f"a new catalog {began}: replicas take it in the place of any that was begun before")
        elif not self.differences:
            typer.echo(f"nothing to change at revision {self.revision_before}")
            return
        created, changed, removed = self._counts().values()
        if self.revision is None:
            typer.echo(f"{created} to create, {changed} to change, {removed} to remove; nothing is written")
        else:
            typer.echo(f"{created} created, {changed} changed, {removed} removed: revision {self.revision}")

    def _tell_json(self) -> None:
        changes = [
            {
                "change": _WORDS[each.sign],
                "kind": each.identity.kind,
                "organization": each.identity.organization or None,
                "id": each.identity.id,
                "keys": list(each.keys),
            }
            for each in self.differences
        ]
        print_json(
            {
                "changes": changes,
                "counts": self._counts(),
                "begins": self.revision_before is None,
                "written": self.revision is not None,
                "revision": self.revision_before if self.revision is None else self.revision,
            }
        )

    def _counts(self) -> dict[str, int]:
        counted = Counter(each.sign for each in self.differences)
        return {word: counted[sign] for sign, word in _WORDS.items()}
