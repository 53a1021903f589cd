"""`extauthz config convert`: settings and catalog from the configuration of another gateway."""

from pathlib import Path
from typing import Annotated, Any

import typer

from extauthz.catalog.document import CatalogDocument
from extauthz.cli.errors import files_of_options, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.document.strict import Strict, loads
from extauthz.document.text import read
from extauthz.microgateway.conversion import CATALOG, SETTINGS, Converted, converted
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz config convert micro-gw.conf --output-dir converted
"""


def convert(
    micro_gw: Annotated[
        Path, typer.Argument(metavar="micro-gw.conf", help="Configuration of a WSO2 API Microgateway.")
    ],
    output_dir: Annotated[Path, typer.Option(help=f"Where {SETTINGS} and {CATALOG} are written.")] = Path(),
    output: OutputOption = Output.TEXT,
) -> None:
    """Reads a Microgateway's configuration and writes ours.

    What could not be carried over is told on standard error (in JSON, as `notes`), with what to do about it. Exit
    status 2: the file cannot be read, or the files to write exist already or cannot be written.
    """
    with told_plainly():
        result = converted(read(micro_gw), str(micro_gw))
        with files_of_options():
            _write(output_dir, {SETTINGS: result.settings, CATALOG: result.catalog})
    if output is Output.JSON:
        print_json(_document(result, output_dir))
    else:
        _tell(result, output_dir)


def _write(folder: Path, files: dict[str, str]) -> None:
    existing = [str(folder / name) for name in files if (folder / name).exists()]
    if existing:
        hint = "nothing was written; name another --output-dir"
        raise DocumentError(str(folder), [Mistake(location=(name,), message="exists", hint=hint) for name in existing])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _tell(result: Converted, folder: Path) -> None:
    for note in result.report.notes:
        typer.echo(str(note), err=True)
    incomplete = _incomplete(result, folder)
    for line in incomplete:
        typer.echo(line, err=True)
    typer.echo(f"written: {folder / SETTINGS}, {folder / CATALOG}{' (to be completed)' if incomplete else ''}")
    for secret in result.report.secrets.values():
        place = f"the environment variable {secret.env}" if secret.env else f"the file {folder / str(secret.file)}"
        typer.echo(f"secret: {place} must hold {secret.key}")


def _incomplete(result: Converted, folder: Path) -> list[str]:
    return [
        *_mistakes(result.settings, Settings, folder / SETTINGS),
        *_mistakes(result.catalog, CatalogDocument, folder / CATALOG),
    ]


def _document(result: Converted, folder: Path) -> dict[str, Any]:
    secrets = result.report.secrets.values()
    return {
        "written": [str(folder / SETTINGS), str(folder / CATALOG)],
        "to_complete": _incomplete(result, folder),
        "notes": [{"key": note.key, "text": note.text} for note in result.report.notes],
        "secrets": [{"key": secret.key, "env": secret.env, "file": secret.file} for secret in secrets],
    }


def _mistakes(text: str, document: type[Strict], path: Path) -> list[str]:
    """What keeps a written file from being loaded, by our own loaders."""
    try:
        loads(text, document, str(path))
    except DocumentError as error:
        return [f"to complete in {path}: {mistake}" for mistake in error.mistakes]
    return []
