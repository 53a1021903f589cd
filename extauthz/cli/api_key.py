"""`extauthz api-key`: new API keys, and their hashes for the catalog."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import TypeAdapter, ValidationError

from extauthz.authn.api_key_hash import ApiKeyHashes, is_api_key, new_api_key
from extauthz.catalog.values import Id
from extauthz.cli.errors import bad_input, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.data_plane.callers import api_key_hashes
from extauthz.data_plane.secrets import read_secrets
from extauthz.document.strict import load
from extauthz.settings.process import Settings

app = typer.Typer(
    help="API keys: new ones, and their hashes for the catalog.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold keys and secrets
)
Config = Annotated[Path, typer.Option("--config", "-c", help="Settings of the replicas (YAML).")]
_MAX_BYTES = 1024
_CREATE_EXAMPLES = """Examples:

  extauthz api-key create --config extauthz.yaml --id partner --application app
"""
_HASH_EXAMPLES = """Examples:

  extauthz api-key hash --config extauthz.yaml < key.txt
"""


@app.command(epilog=_CREATE_EXAMPLES)
def create(
    config: Config,
    key_id: Annotated[str, typer.Option("--id", help="Of the key, in the catalog and in logs.")],
    application: Annotated[str, typer.Option(help="Id of the application that calls with it.")],
    output: OutputOption = Output.TEXT,
) -> None:
    """Prints a new key, for its holder, and its entry in the catalog. The key is stored nowhere, and not shown again.

    Exit status 2: the settings or an id cannot be used.
    """
    for option, given in (("--id", key_id), ("--application", application)):
        _ensure_id(option, given)
    with told_plainly():
        hashes = _hashes(config)
    key = new_api_key()
    entry = {"id": key_id, "application": application, "hash": hashes.entry(key)}
    if output is Output.JSON:
        print_json({"api_key": key, "entry": entry})
        return
    typer.echo(f"# For its holder:\napi_key: {key}\n\n# For the catalog:")
    typer.echo(yaml.safe_dump({"api_keys": [entry]}, sort_keys=False), nl=False)


@app.command("hash", epilog=_HASH_EXAMPLES)
def hash_(config: Config, output: OutputOption = Output.TEXT) -> None:
    """Prints the hash of a key, which is read from standard input: under another secret, for example.

    A key is never an argument: every user of a machine can see those. Exit status 2: the settings cannot be used, or
    it is no key that `create` made.
    """
    with told_plainly():
        hashes = _hashes(config)
    key = sys.stdin.buffer.read(_MAX_BYTES).decode(errors="replace").strip()
    if not is_api_key(key):
        raise bad_input("that is no key of `api-key create`; others may be guessed, and are not accepted")
    if output is Output.JSON:
        print_json({"hash": hashes.entry(key)})
    else:
        typer.echo(hashes.entry(key))


def _ensure_id(option: str, given: str) -> None:
    try:
        TypeAdapter(Id).validate_python(given)
    except ValidationError as error:
        raise bad_input(
            f"{option}: {given!r} is no id: up to 128 letters, digits and `. _ : @ ~ -`, a letter or digit first"
        ) from error


def _hashes(config: Path) -> ApiKeyHashes:
    settings = load(config, Settings)
    if settings.api_keys is None:
        raise bad_input(f"{config} has no `api_keys`: add `api_keys: {{secret: [NAME]}}`")
    # Only those that are needed: an operator's machine need not have all that a replica has.
    named = {name: settings.secrets[name] for name in settings.api_keys.secret}
    return api_key_hashes(settings.api_keys, read_secrets(named, config.parent, os.environ))
