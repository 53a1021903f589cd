"""Secrets by name: read once at start, and sent only where the operator allows it."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.settings.secrets import SecretSettings


class Secrets:
    """The values of `secrets:`; neither a representation nor an error shows one."""

    def __init__(self, values: Mapping[str, bytes], hosts: Mapping[str, frozenset[str]]) -> None:
        self._values = dict(values)
        self._hosts = {name: frozenset(host.lower() for host in allowed) for name, allowed in hosts.items()}

    def __repr__(self) -> str:
        return f"<Secrets {sorted(self._values)}>"

    def value(self, name: str) -> bytes:
        """A secret that stays in this process (or goes to our own Redis).

        Raises:
            ValueError: there is none of this name.
        """
        if name not in self._values:
            known = ", ".join(sorted(self._values)) or "none"
            raise ValueError(f"secret `{name}` is not one of `secrets:` (known: {known})")
        return self._values[name]

    def text(self, name: str) -> str:
        """A secret that is text, such as a password.

        Raises:
            ValueError: there is none of this name, or it is not text.
        """
        try:
            return self.value(name).decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"secret `{name}` is not UTF-8 text") from error

    def for_endpoint(self, name: str, url: str) -> str:
        """A secret that is to be sent to a URL.

        Raises:
            ValueError: there is none of this name, its `hosts` do not list the URL's host, or it is not text.
        """
        value, host = self.text(name), (urlsplit(url).hostname or "").lower()
        if host not in self._hosts.get(name, frozenset()):
            raise ValueError(f"secret `{name}` may not be sent to {host}: add the host to its `hosts` if it may")
        return value


def read_secrets(settings: Mapping[str, SecretSettings], folder: Path, environment: Mapping[str, str]) -> Secrets:
    """Reads every secret; files are relative to `folder`. One line end at the end of a file is not part of the secret.

    Raises:
        DocumentError: with every secret that is not there or empty.
    """
    values: dict[str, bytes] = {}
    mistakes: list[Mistake] = []
    for name, secret in settings.items():
        try:
            values[name] = _read(secret, folder, environment)
        except ValueError as error:
            mistakes.append(Mistake(location=("secrets", name), message=str(error)))
    if mistakes:
        raise DocumentError("secrets", mistakes)
    return Secrets(values, {name: secret.hosts for name, secret in settings.items()})


def _read(secret: SecretSettings, folder: Path, environment: Mapping[str, str]) -> bytes:
    if secret.env is not None:
        value = os.fsencode(environment.get(secret.env, ""))
        if not value:
            raise ValueError(f"the environment variable {secret.env} is not set or empty")
        return value
    path = folder / (secret.file or "")
    try:
        value = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    value = value.removesuffix(b"\n").removesuffix(b"\r")
    if not value:
        raise ValueError(f"{path} is empty")
    return value
