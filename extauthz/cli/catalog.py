"""`extauthz catalog`: what all replicas know, written to and read from the Redis that they follow."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.export import catalog_text
from extauthz.catalog.merge import CatalogPart, Merged, conflicts, merged
from extauthz.catalog.redis.snapshot import Snapshot, snapshot
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.redis.writer import RedisCatalogWriter
from extauthz.catalog.store import Untrusted
from extauthz.cli.catalog_report import CatalogReport
from extauthz.cli.errors import EXIT_BAD_INPUT, EXIT_FAILURE, bad_input, files_of_options, told_plainly
from extauthz.cli.output import Output, OutputOption
from extauthz.cli.progress import Work, working
from extauthz.data_plane.catalog_store import ensure_kept, operators_catalog_store
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.document.strict import load, loads, refusal
from extauthz.document.text import read
from extauthz.model.errors import Unavailable
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs

EXIT_DIFFERENT = 1
"""Of `diff`, which then has 2 for all trouble, as diff(1) has."""
_ATTEMPTS = 5
_NO_CATALOG = (
    "redis holds none. --begin begins one, with what this file says and nothing else: replicas take it in the place of "
    "the one that they have, so the file must be the whole catalog (`export` writes that, while there is one)"
)

_APPLY_EXAMPLES = """Examples:

  extauthz catalog apply -f catalog.yaml --config extauthz.yaml --dry-run

  extauthz catalog apply -f catalog.yaml --config extauthz.yaml --begin
"""
_DIFF_EXAMPLES = """Examples:

  extauthz catalog diff -f catalog.yaml --config extauthz.yaml --output json
"""
_EXPORT_EXAMPLES = """Examples:

  extauthz catalog export --config extauthz.yaml --output-file catalog.yaml
"""

app = typer.Typer(help="The catalog in Redis, which all replicas follow.", no_args_is_help=True)

_File = Annotated[Path, typer.Option("--file", "-f", help="A catalog, or a part of one (YAML).")]
_Config = Annotated[Path, typer.Option("--config", "-c", help="Settings of the replicas (YAML).")]
_Prune = Annotated[
    bool, typer.Option("--prune", help="What the file does not name goes, in the organizations that it is about.")
]


@app.command(epilog=_APPLY_EXAMPLES)
def apply(  # noqa: PLR0917 - one parameter an option
    file: _File,
    config: _Config,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    prune: _Prune = False,
    begin: Annotated[bool, typer.Option("--begin", help="Where Redis holds no catalog, begin one.")] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="With --prune: it is meant that no API is left.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Brings the catalog in Redis to what a file says; what the file does not name stays.

    Prints what it creates (+), changes (~) and removes (-), and writes that all at once, or nothing when nothing
    changes. Exit status 1: Redis does not answer or is not to be trusted, or others write all the time; it may be
    repeated. Exit status 2: the file, or the whole catalog with it, or the settings cannot be used.
    """
    with _told(EXIT_FAILURE):
        if allow_empty and not prune:
            raise bad_input("--allow-empty goes with --prune")
        settings, ways = _settings(config), _Ways(prune=prune, empty=allow_empty, begin=begin, dry_run=dry_run)
        with working(shown=output is Output.TEXT) as work:
            part = _Part.read(file, work)
            report = asyncio.run(_apply(settings, config.parent, part, ways, work))
        report.tell(output)


@app.command(epilog=_DIFF_EXAMPLES)
def diff(file: _File, config: _Config, prune: _Prune = False, output: OutputOption = Output.TEXT) -> None:
    """Says what `apply` would do, with the keys that have other values.

    Exit status 0: nothing; 1: something; 2: it cannot be said.
    """
    with _told(EXIT_BAD_INPUT):
        settings = _settings(config)
        with working(shown=output is Output.TEXT) as work:
            part = _Part.read(file, work)
            report = asyncio.run(_diff(settings, config.parent, part, _Ways(prune=prune, empty=True), work))
        report.tell(output)
    if report.differences:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command(epilog=_EXPORT_EXAMPLES)
def export(
    config: _Config,
    output_file: Annotated[Path | None, typer.Option("--output-file", "-o", help="Instead of standard output.")] = None,
) -> None:
    """Writes the catalog in Redis as YAML, which `apply` takes and which then changes nothing.

    Exit status 1: there is none, or Redis does not answer or is not to be trusted. Exit status 2: the settings cannot
    be used, or the file cannot be written.
    """
    with _told(EXIT_FAILURE):
        settings = _settings(config)
        if output_file is not None and not output_file.parent.is_dir():
            raise bad_input(f"{output_file}: {output_file.parent} is no folder")
        with working() as work:
            text = asyncio.run(_export(settings, config.parent, work))
        if output_file is None:
            typer.echo(text, nl=False)
            return
        with files_of_options():
            output_file.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """How a file is taken."""

    prune: bool
    empty: bool
    begin: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A file, which may lean on what is in Redis already."""

    source: str
    text: str
    document: CatalogPart
    contents: CatalogContents

    @classmethod
    def read(cls, file: Path, work: Work) -> "_Part":
        work.begin(f"reading {file}")
        text = read(file)
        document = loads(text, CatalogPart, str(file))
        # Certificates are read here and now; names of other files are for the replicas.
        contents = contents_of(document, file.parent, later=Path())
        return cls(source=str(file), text=text, document=document, contents=contents)

    def merged(self, before: Snapshot, ways: _Ways) -> Merged:
        """The whole catalog with this part.

        Raises:
            DocumentError: it would contradict itself, or nobody said that it may be empty.
        """
        whole = merged(before.entities(), self.document, self.contents, prune=ways.prune)
        if mistakes := list(conflicts(whole, self.document)):
            raise refusal(self.text, self.source, mistakes)
        if not whole.has_apis and not ways.empty:
            hint = "say --prune --allow-empty if that is meant"
            raise DocumentError(self.source, [Mistake(location=("apis",), message="no API would be left", hint=hint)])
        return whole


async def _apply(settings: Settings, folder: Path, part: _Part, ways: _Ways, work: Work) -> CatalogReport:
    async with _opened(settings, folder) as store:
        writer = RedisCatalogWriter(store, kept_changes=settings.catalog.kept_changes, clock=time.time)
        for _ in range(_ATTEMPTS):
            work.begin("reading the catalog in redis")
            before = await snapshot(store, work.come)
            await ensure_kept(store)  # now: a Redis that refuses us says nothing about that
            work.begin("comparing")
            whole = part.merged(before, ways)
            changes = whole.changes
            if ways.dry_run or (before.head and not changes):
                return CatalogReport.of(before, whole, changes)
            if before.head is None and not ways.begin:
                raise Unavailable("catalog", _NO_CATALOG)
            work.begin(f"writing {len(changes)} changes")
            head = await writer.write(before, changes, empty=not whole.has_apis)
            if head is not None:
                return CatalogReport.of(before, whole, changes, revision=head.revision)
        raise Unavailable("catalog", "somebody else writes at the same time, again and again; try later")


async def _diff(settings: Settings, folder: Path, part: _Part, ways: _Ways, work: Work) -> CatalogReport:
    async with _opened(settings, folder) as store:
        work.begin("reading the catalog in redis")
        before = await snapshot(store, work.come)
    work.begin("comparing")
    whole = part.merged(before, ways)
    return CatalogReport.of(before, whole, whole.changes)


async def _export(settings: Settings, folder: Path, work: Work) -> str:
    async with _opened(settings, folder) as store:
        work.begin("reading the catalog in redis")
        found = await snapshot(store, work.come)
    if found.head is None:
        raise Unavailable("catalog", "there is none in redis; `extauthz catalog apply --begin` begins one")
    work.begin("writing it as YAML")
    return catalog_text(found.entities().values())


@asynccontextmanager
async def _opened(settings: Settings, folder: Path) -> AsyncIterator[RedisCatalogStore]:
    store = operators_catalog_store(settings, folder, os.environ)
    try:
        yield store
    finally:
        await store.close()


def _settings(config: Path) -> Settings:
    settings = load(config, Settings)
    configure_logs()
    return settings


@contextmanager
def _told(trouble: int) -> Iterator[None]:
    """As `told_plainly`, with this status for what goes wrong while running."""
    try:
        with told_plainly():
            yield
    except Untrusted as error:
        typer.echo(f"extauthz: the catalog in redis cannot be trusted: {error}", err=True)
        raise typer.Exit(trouble) from error
    except typer.Exit as end:
        raise typer.Exit(trouble if end.exit_code == EXIT_FAILURE else end.exit_code) from end
