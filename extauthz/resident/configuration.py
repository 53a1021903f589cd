"""What the resident key manager runs with: its settings, with every reference followed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import loads, refusal
from extauthz.document.text import read
from extauthz.resident import client_secret, signing_key
from extauthz.resident.address import Address
from extauthz.resident.client import Client
from extauthz.resident.reference import Reference, References
from extauthz.resident.settings import ResidentSettings
from extauthz.resident.signing_key import SigningKey

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Of one process. Client secrets are digests, the signing key is a key."""

    issuer: str
    listen: Address
    database: str = field(repr=False)
    """An SQLAlchemy URL, which may hold a password."""
    signing_key: SigningKey | None
    """None: one is generated, and kept beside the database."""
    access_token_lifetime_seconds: int
    audience: tuple[str, ...]
    clients: tuple[Client, ...]


def load_configuration(path: Path, environ: Mapping[str, str]) -> Configuration:
    """The configuration in a YAML file; references to secrets are followed to the environment and to files.

    File names in references are relative to the folder of the YAML file; a SQLite file is relative to the working
    folder, as SQLAlchemy has it.

    Raises:
        DocumentError: with every mistake of the document or, if it has none, every reference that leads nowhere.
    """
    text, source = read(path), str(path)
    settings = loads(text, ResidentSettings, source)
    resolution = _Resolution(References(environ=environ, folder=path.parent))
    key = resolution.signing_key(settings.signing_key) if settings.signing_key else None
    clients = resolution.clients(settings)
    if resolution.mistakes:
        raise refusal(text, source, resolution.mistakes)
    return Configuration(
        issuer=settings.issuer,
        listen=Address.parse(settings.listen),
        database=settings.database,
        signing_key=key,
        access_token_lifetime_seconds=settings.access_token_lifetime_seconds,
        audience=settings.audience,
        clients=clients,
    )


class _Resolution:
    """Follows references one by one, and collects what is wrong with them."""

    def __init__(self, references: References) -> None:
        self.mistakes: list[Mistake] = []
        self._references = references

    def signing_key(self, reference: Reference) -> SigningKey | None:
        return self._attempt(
            lambda: SigningKey.from_pem(self._references.text(reference)), ("signing_key",), signing_key.HINT
        )

    def clients(self, settings: ResidentSettings) -> tuple[Client, ...]:
        """Those whose secret is there."""
        clients = []
        for index, client in enumerate(settings.clients):
            follow = partial(client_secret.configured_digest, client.client_secret, self._references)
            digest = self._attempt(follow, ("clients", index, "client_secret"), client_secret.HINT)
            if digest is not None:
                clients.append(Client.of(client, digest))
        return tuple(clients)

    def _attempt(self, follow: Callable[[], T], location: Location, hint: str) -> T | None:
        try:
            return follow()
        except ValueError as error:
            self.mistakes.append(Mistake(location=location, message=str(error), hint=hint))
            return None
