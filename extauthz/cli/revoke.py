"""`extauthz revoke`: tells every replica that tokens are no longer valid."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from extauthz.catalog.changes import Kind
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.store import Untrusted
from extauthz.cli.errors import bad_input, files_of_options, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.data_plane.catalog_store import operators_catalog_store
from extauthz.data_plane.revocation import redis_channel, revocation_keys, revoker_of
from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import load
from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import DEFAULT_ORGANIZATION
from extauthz.revocation.revocation import Revocation, RevocationForm
from extauthz.settings.process import Settings
from extauthz.settings.revocation import RevocationBackend
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz revoke --config extauthz.yaml --key-manager corporate --token-file token.txt

  extauthz revoke --config extauthz.yaml --key-manager corporate --client mobile --issued-until 2026-01-31T12:00:00Z

  extauthz revoke --config extauthz.yaml --initialize
"""
_MAX_TOKEN_BYTES = 64 * 1024
_INITIALISED = "initialised: replicas are ready to start"


def revoke(  # noqa: PLR0917 - one parameter an option
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings of the replicas (YAML).")],
    key_manager: Annotated[str, typer.Option(help="Whose tokens: the id of a key manager.")] = "",
    organization: Annotated[str, typer.Option(help="That of the key manager.")] = DEFAULT_ORGANIZATION,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="One token, read from standard input.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="One token, read from a file.")] = None,
    jti: Annotated[str | None, typer.Option(help="One token, by its `jti`.")] = None,
    client: Annotated[str | None, typer.Option(help="All tokens of a client id until --issued-until.")] = None,
    subject: Annotated[str | None, typer.Option(help="All tokens of a subject until --issued-until.")] = None,
    issued_until: Annotated[
        str | None, typer.Option("--issued-until", "--issued-before", help="Time; without it, now.")
    ] = None,
    expires_at: Annotated[str | None, typer.Option(help="Time: the end of the token, if it is known.")] = None,
    initialize: Annotated[bool, typer.Option("--initialize", help="Say that a new Redis is new.")] = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Revokes tokens on every replica, by way of Redis; it is stored when this ends with status 0.

    A token is never an argument: every user of a machine can see those. A time is seconds since the epoch, or
    `2026-01-31T12:00:00Z`. Exit status 1: Redis does not answer, or must be initialised first; nothing can be said
    about the revocation, and it may be repeated. Exit status 2: the settings or the options cannot be used.
    """
    with told_plainly():
        settings = load(config, Settings)
        configure_logs()
        _ensure_shared(settings)
        chosen = [token_stdin or None, token_file, jti, client, subject, initialize or None]
        if sum(choice is not None for choice in chosen) != 1:
            raise bad_input("give exactly one of --token-stdin, --token-file, --jti, --client, --subject, --initialize")
        if initialize:
            new = asyncio.run(_initialize(settings, config.parent))
            _tell(output, {"initialised": new}, _INITIALISED if new else "was initialised before; nothing is changed")
            return
        form, value = _form_and_value(token_stdin, token_file, jti, client, subject)
        revocation = _revocation(
            form, value, scope=(organization, key_manager), issued_until=issued_until, expires_at=expires_at
        )
        _ensure_key_manager(settings, config.parent, organization, key_manager)
        asyncio.run(_publish(settings, config.parent, revocation))
        _tell(output, _document(revocation), "revoked")


def _tell(output: Output, document: dict[str, object], text: str) -> None:
    if output is Output.JSON:
        print_json(document)
    else:
        typer.echo(text)


def _document(revocation: Revocation) -> dict[str, object]:
    """What was revoked; never the token."""
    return {
        "revoked": True,
        "organization": revocation.organization,
        "key_manager": revocation.key_manager,
        "form": revocation.form.name.lower(),
        "value": None if revocation.form is RevocationForm.TOKEN else revocation.value,
        "issued_until": revocation.issued_until,
        "expires_at": revocation.expires_at,
    }


def _ensure_shared(settings: Settings) -> None:
    if settings.revocation.backend is RevocationBackend.MEMORY:
        raise bad_input(
            "`revocation.backend` is `memory`, so only the running process can revoke: POST to "
            f"http://{settings.operations.listen}/revocations (needs `operations.token`), or set `backend: redis`"
        )


def _form_and_value(
    token_stdin: bool, token_file: Path | None, jti: str | None, client: str | None, subject: str | None
) -> tuple[RevocationForm, str]:
    if token_stdin:
        return RevocationForm.TOKEN, _token(sys.stdin.buffer.read(_MAX_TOKEN_BYTES + 1))
    if token_file is not None:
        with files_of_options(), token_file.open("rb") as file:
            return RevocationForm.TOKEN, _token(file.read(_MAX_TOKEN_BYTES + 1))
    if jti is not None:
        return RevocationForm.TOKEN_ID, jti
    return (RevocationForm.SUBJECT, subject or "") if client is None else (RevocationForm.CLIENT, client)


def _token(content: bytes) -> str:
    token = content.strip()
    if not token or len(token) > _MAX_TOKEN_BYTES or not token.isascii() or len(token.split()) != 1:
        raise bad_input(f"that is no token: one word of ASCII, at most {_MAX_TOKEN_BYTES} bytes")
    return token.decode("ascii")


def _revocation(
    form: RevocationForm, value: str, *, scope: tuple[str, str], issued_until: str | None, expires_at: str | None
) -> Revocation:
    if form.indirect and expires_at is not None:
        raise bad_input("--expires-at belongs to one token; with --client and --subject give --issued-until")
    if not form.indirect and issued_until is not None:
        raise bad_input("--issued-until belongs to --client and --subject; one token is revoked whenever it was issued")
    now = time.time()
    until = now if issued_until is None else _time(issued_until)
    end = None if expires_at is None else _time(expires_at)
    try:
        revocation = Revocation(
            organization=scope[0],
            key_manager=scope[1],
            form=form,
            value=value,
            issued_until=until if form.indirect else None,
            expires_at=end,
        )
    except ValueError as error:
        raise bad_input(str(error)) from error
    if end is not None and end <= now:  # it would be dropped at once, and still be called revoked
        raise bad_input("--expires-at is in the past: give the end of the token, or leave it out if it is not known")
    return revocation


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        time_of_day = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_input(f"{text}: a time is seconds since the epoch, or like 2026-01-31T12:00:00Z") from error
    if time_of_day.tzinfo is None:
        raise bad_input(f"{text}: say in which zone, e.g. with a Z at the end for {UTC}")
    return time_of_day.timestamp()


def _ensure_key_manager(settings: Settings, folder: Path, organization: str, key_manager: str) -> None:
    """A revocation for a key manager that is not there would be stored and mean nothing."""
    try:
        known = asyncio.run(_stored(settings, folder)) if settings.catalog.redis else _written(settings, folder)
    except (DocumentError, Unavailable, Untrusted):
        typer.echo("the catalog cannot be read, so --key-manager was not looked up in it", err=True)
        return
    if (organization, key_manager) not in known:
        listed = ", ".join(f"{each} ({its})" for its, each in sorted(known)) or "none"
        raise bad_input(
            f"key manager `{key_manager}` of organization `{organization}` is not in the catalog; known: {listed}"
        )


def _written(settings: Settings, folder: Path) -> set[tuple[str, str]]:
    catalog = load(folder / (settings.catalog.file or ""), CatalogDocument)
    return {(entity.organization or catalog.organization, entity.id) for entity in catalog.key_managers}


async def _stored(settings: Settings, folder: Path) -> set[tuple[str, str]]:
    store = operators_catalog_store(settings, folder, os.environ)
    try:
        await store.position()  # with another secret than its writers', there would be nothing, and no word of that
        found = [stored.identity async for page in store.pages(Kind.KEY_MANAGER) for stored in page]
    finally:
        await store.close()
    return {(identity.organization, identity.id) for identity in found}


async def _initialize(settings: Settings, folder: Path) -> bool:
    """Whether it was new."""
    secrets = _secrets(settings, folder)
    channel = redis_channel(settings.revocation, secrets, folder, revocation_keys(settings.revocation, secrets))
    if channel is None:
        return False
    try:
        return await channel.initialise()
    finally:
        await channel.close()


async def _publish(settings: Settings, folder: Path, revocation: Revocation) -> None:
    secrets = _secrets(settings, folder)
    channel = redis_channel(settings.revocation, secrets, folder, revocation_keys(settings.revocation, secrets))
    if channel is None:
        return
    try:
        await revoker_of(settings, secrets, channel, time.time).revoke([revocation])
    finally:
        await channel.close()


def _secrets(settings: Settings, folder: Path) -> Secrets:
    """Only those that are needed: an operator's machine need not have all that a replica has."""
    redis = settings.revocation.redis
    names = {*settings.revocation.secret, *(redis.secret_names() if redis else ())}
    return read_secrets({name: settings.secrets[name] for name in names}, folder, os.environ)
