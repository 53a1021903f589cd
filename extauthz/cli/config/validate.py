"""`extauthz config validate`: whether a replica could start with these files."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.cli.config.startable import problems
from extauthz.cli.errors import EXIT_BAD_INPUT, bad_input, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.cli.progress import Work, working
from extauthz.data_plane.secrets import read_secrets
from extauthz.data_plane.sharing import ensure_shareable
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import load
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz config validate --config extauthz.yaml

  extauthz config validate --config extauthz.yaml --workers 4

  extauthz config validate --config extauthz.yaml --text-only

  extauthz config validate --catalog catalog.yaml
"""


def validate(  # noqa: PLR0917 - one parameter an option
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings (YAML).")] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", help="A catalog (YAML), in the place of the one that the settings name.")
    ] = None,
    no_catalog: Annotated[
        bool, typer.Option("--no-catalog", help="The settings alone, where their catalog is not at hand.")
    ] = False,
    text_only: Annotated[
        bool, typer.Option("--text-only", help="Neither secrets nor other files, where they are not at hand (in CI).")
    ] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Of secrets and other files, only whether every secret is there.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="As of `serve`: whether so many can share.")] = 1,
    output: OutputOption = Output.TEXT,
) -> None:
    """Checks a settings file and its catalog, with all files and secrets that they name, as `serve` does at start.

    Nobody is asked: neither Redis nor a key manager, and no port is opened. Every mistake of a file is told at once,
    with its place. Exit status 2: a file or a secret cannot be used.
    """
    if config is None and (catalog is None or secrets or text_only or workers > 1):
        raise bad_input("give --config, or --catalog alone")
    if catalog is not None and no_catalog:
        raise bad_input("--catalog and --no-catalog contradict each other")
    if secrets and text_only:
        raise bad_input("--secrets and --text-only contradict each other")
    configure_logs(level=logging.WARNING)
    with told_plainly(), working(shown=output is Output.TEXT) as work:
        told = _Validation(work, catalog, wanted=not no_catalog, text_only=text_only)
        try:
            told.look(config, secrets=secrets, workers=workers)
        except DocumentError as error:  # without settings, nothing else is known
            told.problems.append(error)
    (_tell_json if output is Output.JSON else _tell)(told.right, told.problems)
    if told.problems:
        raise typer.Exit(EXIT_BAD_INPUT)


def _tell(right: Sequence[str], wrong: Sequence[DocumentError]) -> None:
    for line in right:
        typer.echo(line)
    for problem in wrong:
        typer.echo(str(problem), err=True)


def _tell_json(right: Sequence[str], wrong: Sequence[DocumentError]) -> None:
    mistakes = [
        {
            "source": problem.source,
            "place": path_text(mistake.location),
            "line": mistake.line,
            "message": mistake.message,
            "hint": mistake.hint,
        }
        for problem in wrong
        for mistake in problem.mistakes
    ]
    print_json({"right": list(right), "mistakes": mistakes})


class _Validation:
    """What is right, and what is wrong."""

    def __init__(self, work: Work, catalog: Path | None, *, wanted: bool, text_only: bool) -> None:
        """`catalog` None: the one that the settings name, if it is `wanted`; `text_only`: nothing else is opened."""
        self.right = list[str]()
        self.problems = list[DocumentError]()
        self._work = work
        self._catalog = catalog
        self._wanted = wanted
        self._text_only = text_only

    def look(self, config: Path | None, *, secrets: bool, workers: int) -> None:
        """Looks at everything; `workers`: how many processes `serve` is to start.

        Raises:
            DocumentError: the settings themselves are wrong.
        """
        if config is None:
            self._contents(None)
            return
        settings = load(config, Settings)
        self.right.append(f"{config}: right")
        if workers > 1:
            self._sharing(settings)
        if self._catalog is None and self._wanted and settings.catalog.file is not None:
            self._catalog = config.parent / settings.catalog.file
        contents = self._contents(settings)
        if secrets:
            self._secrets(config, settings)
        elif not self._text_only:
            self._work.begin("reading what they name")
            key_managers = contents.key_managers if contents is not None else ()
            found = asyncio.run(problems(settings, config.parent, key_managers))
            self.problems += found
            if not found:
                self.right.append(f"{config}: all secrets and files are there, and of use")

    def _contents(self, settings: Settings | None) -> CatalogContents | None:
        path = self._catalog
        if path is None:
            return None
        self._work.begin(f"reading {path}")
        try:
            document = load(path, CatalogDocument)
            # In Redis, names of files are for the replicas, which have the folder of the settings.
            shared = settings is not None and settings.catalog.redis is not None
            later = Path() if shared else None
            contents = None if self._text_only else contents_of(document, path.parent, later=later)
        except DocumentError as error:
            self.problems.append(error)
            return None
        self.right.append(f"{path}: right")
        return contents

    def _sharing(self, settings: Settings) -> None:
        try:
            ensure_shareable(settings)
        except DocumentError as error:
            self.problems.append(error)

    def _secrets(self, config: Path, settings: Settings) -> None:
        try:
            read_secrets(settings.secrets, config.parent, os.environ)
        except DocumentError as error:
            self.problems.append(error)
        else:
            self.right.append(f"{config}: all secrets are there")
