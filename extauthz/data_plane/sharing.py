"""What a process needs, and may not do, that is one of several behind the same ports."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from extauthz.data_plane.restart import as_at_start
from extauthz.document.mistakes import DocumentError, Location, Mistake
from extauthz.model.host_port import host_and_port
from extauthz.settings.cache import CacheBackend
from extauthz.settings.process import Settings
from extauthz.settings.revocation import RevocationBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Makes a process one of several."""

    number: int
    """From 1; another process may have had it before."""
    operations: Path
    """The Unix socket for operators: their port is that of the supervisor."""
    at_start: Settings
    """Those that the first of all processes was started with."""
    supervisor: socket.socket
    """Closed at the other end when the supervisor is gone, however it went."""

    def joined(self, settings: Settings) -> Settings:
        """The settings as the other processes hold them, who began with `at_start`.

        Raises:
            DocumentError: they are not for several processes.
        """
        ensure_shareable(settings)
        return as_at_start(self.at_start, settings)

    def stop_without_supervisor(self, stop: asyncio.Event) -> None:
        """Sets the event when the supervisor is gone. It never writes anything."""
        loop, line = asyncio.get_running_loop(), self.supervisor.fileno()

        def gone() -> None:
            loop.remove_reader(line)
            stop.set()

        loop.add_reader(line, gone)

    def tell_listening(self) -> None:
        """Tells the supervisor that Envoy's connections are taken from now on."""
        with contextlib.suppress(ConnectionError):  # it is gone, and this process about to
            self.supervisor.send(b"\n")


def shared_addresses(settings: Settings) -> list[tuple[str, int]]:
    """Where all of the processes listen."""
    listens = [settings.listen, *([settings.http_check.listen] if settings.http_check else [])]
    return [host_and_port(listen) for listen in listens]


def ensure_shareable(settings: Settings) -> None:
    """Whether several processes can serve by these settings as if they were one.

    Raises:
        DocumentError: with everything that they cannot.
    """
    if mistakes := [*_addresses(settings), *_memories(settings)]:
        raise DocumentError("settings", mistakes)


def _addresses(settings: Settings) -> Iterator[Mistake]:
    listens: list[tuple[Location, str]] = [(("listen",), settings.listen)]
    if settings.http_check is not None:
        listens.append((("http_check", "listen"), settings.http_check.listen))
    for location, listen in listens:
        if listen.startswith("unix:"):
            yield Mistake(location=location, message="several workers cannot share a Unix socket", hint="`host:port`")
        elif host_and_port(listen)[1] == 0:
            yield Mistake(location=location, message="each of several workers would get a port of its own")


def _memories(settings: Settings) -> Iterator[Mistake]:
    """What one process notes and the others must know, or they let in what it keeps out."""
    revocation = settings.revocation
    notified = revocation.notifications is not None and revocation.notifications.username is not None
    if revocation.backend is RevocationBackend.MEMORY and (settings.operations.token is not None or notified):
        yield Mistake(
            location=("revocation", "backend"),
            message="with `memory`, a revocation would reach one of several workers only",
            hint="`backend: redis`, or neither `operations.token` nor `revocation.notifications.username`",
        )
    if settings.dpop is not None and settings.cache.backend is CacheBackend.MEMORY:
        yield Mistake(
            location=("cache", "backend"),
            message="with `memory`, a DPoP proof would count once for each of several workers",
            hint="`backend: redis`",
        )
