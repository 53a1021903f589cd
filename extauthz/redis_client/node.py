"""One server at one address, and the connections to it."""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from extauthz.model.errors import Unavailable
from extauthz.redis_client.connection import Connection, Door, ReplyError, connect
from extauthz.redis_client.options import Address, RedisOptions
from extauthz.redis_client.refused import NotReached, Redirected, Refused

_WORD = re.compile(r"[A-Z][A-Z_-]{0,30}(?= |$)")
_REDIRECTION = re.compile(r"(MOVED|ASK) [0-9]+ (.*):([0-9]+)")
_DEMOTED = "READONLY"
_PORT = 6379
_SCHEMES = frozenset({"redis", "rediss"})


class Node:
    """Runs commands at one server. Connects at the first one, and tells what goes wrong in our words."""

    def __init__(self, door: Door, *, component: str) -> None:
        self._door = door
        self._component = component
        self._idle: list[Connection] = []
        """The one used last at the end."""
        self._kept: set[Connection] = set()
        """Idle or in use; what is in use and not among them is closed after its command."""
        self._retired = False

    @property
    def address(self) -> Address | None:
        """Host and port; None: a socket."""
        return None if isinstance(self._door.place, str) else self._door.place

    async def execute(self, command: Sequence[bytes | int], *, asking: bool = False) -> Any:
        """The answer; `asking` for a slot that is on its way to this server.

        Raises:
            NotReached: there is no connection.
            Refused: the answer is a no.
            Unavailable: the connection was lost; the command may have been carried out.
        """
        connection = self._idle_one() or await self._new_one(command)
        try:
            if asking:  # holds for the next command of its connection only
                await connection.ask((b"ASKING",))
            return await connection.ask(command)
        except ReplyError as exc:
            refused = self._no(exc, _name(command))
            if refused.word == _DEMOTED:
                self._keep_none()  # a name may lead elsewhere by now
            raise refused from exc
        except OSError as exc:
            raise Unavailable(self._component, f"redis does not answer ({type(exc).__name__})") from exc
        finally:
            self._release(connection)

    async def ask(self, command: Sequence[bytes | int]) -> Any:
        """The same on a connection of its own, for a question that is rarely asked."""
        connection = None
        try:
            connection = await connect(self._door)
            return await connection.ask(command)
        except ReplyError as exc:
            raise self._no(exc, _name(command)) from exc
        except OSError as exc:
            raise self._not_reached(exc) from exc
        finally:
            if connection is not None:
                await connection.close()

    async def retire(self) -> None:
        """Close the connections that nobody uses now, and the others when they are no longer used."""
        self._retired = True
        for connection in self._keep_none():
            await connection.close()

    async def close(self) -> None:
        """Close all connections."""
        self._retired = True
        kept = tuple(self._kept)
        self._keep_none()
        for connection in kept:
            await connection.close()

    def _idle_one(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            self._kept.discard(connection)
        return None

    async def _new_one(self, command: Sequence[bytes | int]) -> Connection:
        try:
            connection = await connect(self._door)
        except ReplyError as exc:
            raise self._no(exc, f"the connection for {_name(command)}") from exc
        except OSError as exc:
            raise self._not_reached(exc) from exc
        self._kept.add(connection)
        return connection

    def _release(self, connection: Connection) -> None:
        if connection in self._kept and connection.is_open and not self._retired:
            self._idle.append(connection)
        else:
            self._kept.discard(connection)
            connection.abort()

    def _keep_none(self) -> list[Connection]:
        """Closes the connections that are idle, which are returned; those in use follow when they are released."""
        idle, self._idle = self._idle, []
        self._kept.clear()
        for connection in idle:
            connection.abort()
        return idle

    def _not_reached(self, exc: OSError) -> NotReached:
        return NotReached(self._component, f"redis does not answer ({type(exc).__name__})")

    def _no(self, exc: ReplyError, command: str) -> Refused:
        # What kind of error it is. Its text stays out: it may quote a command, with what is secret in it.
        text = str(exc)
        redirection = _REDIRECTION.fullmatch(text)
        if redirection is not None:
            # Without a host: that of the node which says so.
            host = redirection[2] or (self.address[0] if self.address else "")
            address = (host, int(redirection[3]))
            return Redirected(self._component, command, address=address, asking=redirection[1] == "ASK")
        word = _WORD.match(text)
        return Refused(self._component, word[0] if word else "ERR", command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Makes nodes, all reached in the same way."""

    options: RedisOptions
    component: str
    username: str | None = None
    """For those nodes; what the options have of it is left to the caller."""
    password: str | None = field(default=None, repr=False)
    masters: bool = False
    """Each connection begins with the question whether the server is one."""

    def at(self, address: Address) -> Node:
        """The server there."""
        return self._node(address, self.options.tls)

    def of_url(self, url: str) -> Node:
        """The server there.

        Raises:
            ValueError: a URL of another kind.
        """
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path:
            return self._node(unquote(parts.path), None)
        database = parts.path.removeprefix("/") or "0"
        if parts.scheme not in _SCHEMES or not parts.hostname or not database.isdecimal():
            raise ValueError("a Redis has a URL of one of the schemes redis://, rediss:// and unix://")
        tls = (self.options.tls or ssl.create_default_context()) if parts.scheme == "rediss" else None
        return self._node((parts.hostname, parts.port or _PORT), tls, database=int(database))

    def _node(self, place: Address | str, tls: ssl.SSLContext | None, *, database: int = 0) -> Node:
        door = Door(
            place=place,
            tls=tls,
            username=self.username,
            password=self.password,
            database=database,
            master=self.masters,
            timeout_seconds=self.options.timeout_seconds,
        )
        return Node(door, component=self.component)


def _name(command: Sequence[bytes | int]) -> str:
    return command[0].decode("ascii", "replace") if isinstance(command[0], bytes) else ""
