"""One connection to a Redis or Valkey, for one command at a time, in protocol 2."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis
from hiredis import ReplyError

from extauthz.redis_client.options import Address

__all__ = ["Connection", "Door", "ReplyError", "connect"]

# A connection that a firewall has forgotten is noticed while it is idle: after 30 s, and three questions in vain.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
_FULL = "ERR max number of clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a server is, and how one gets in."""

    place: Address | str
    """Host and port, or the path of a socket."""
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    master: bool = False
    """Only a master is let pass for the server."""
    timeout_seconds: float
    """For all of it, until the first command can be sent."""


class Connection(asyncio.Protocol):
    """Made by `connect`. After whatever leaves in doubt which answer comes next, it is closed.

    redis-py's own, with its pool, costs 62 us of processor time a GET, this 17 (docs/decisions/0013).
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._replies = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Any] | None = None
        """For the answer, or the exception that comes instead: as a result, so that it may go unread."""
        self._ended: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether a command can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, command: Sequence[bytes | int]) -> Any:
        """The answer to a command: bytes, numbers, lists and None. Nobody else may be waiting for one.

        Raises:
            ReplyError: the server's no.
            OSError: the connection was lost; the command may have been carried out.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._waiting = self._loop.create_future()
        self._transport.write(hiredis.pack_command(tuple(command)))  # type: ignore[arg-type] # its stub forgets that there may be several words
        try:
            reply = await self._waiting
        except asyncio.CancelledError:
            self.abort()  # its answer would be taken for that of the next command
            raise
        if isinstance(reply, Exception):
            raise reply
        return reply

    def abort(self) -> None:
        """Close, without waiting for anything."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close; whoever waits for an answer is told that the connection is lost."""
        self.abort()
        await asyncio.wait({self._ended})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._waiting is None:
            self.abort()  # an answer that nobody asked for
            return
        self._replies.feed(data)
        try:
            reply = self._replies.gets()
        except hiredis.ProtocolError:
            reply = ConnectionError("no Redis")
        if reply is False:  # not complete; the protocol knows no such value
            return
        if isinstance(reply, ConnectionError) or self._replies.has_data():
            self.abort()
        self._tell(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._tell(exc if isinstance(exc, OSError) else ConnectionResetError())
        self._ended.set_result(None)

    def _tell(self, reply: object) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)


async def connect(door: Door) -> Connection:
    """A connection that is ready for commands.

    Raises:
        ReplyError: the server does not let us in.
        OSError: it cannot be reached in time, or is not the one that is wanted.
    """
    async with asyncio.timeout(door.timeout_seconds):
        connection = await _opened(door)
        try:
            await _greet(connection, door)
        except BaseException:
            await connection.close()
            raise
    return connection


async def _opened(door: Door) -> Connection:
    loop = asyncio.get_running_loop()
    if isinstance(door.place, str):
        _, connection = await loop.create_unix_connection(Connection, door.place)
        return connection
    host, port = door.place
    transport, connection = await loop.create_connection(Connection, host, port, ssl=door.tls)
    try:
        _keep_alive(transport.get_extra_info("socket"))
    except OSError:
        connection.abort()
        raise
    return connection


def _keep_alive(plain: socket.socket) -> None:
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):  # not everywhere
            plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _greet(connection: Connection, door: Door) -> None:
    try:
        if door.password is not None:
            who = [door.username] if door.username is not None else []
            await connection.ask([b"AUTH", *(word.encode() for word in (*who, door.password))])
        if door.database:
            await connection.ask((b"SELECT", door.database))
        # A master that was replaced comes back as a replica, and would be read from as if nothing had happened.
        if door.master:
            match await connection.ask((b"ROLE",)):
                case [b"master", *_]:
                    pass
                case _:
                    raise ConnectionError("not the master any more")
    except ReplyError as exc:
        if str(exc).startswith(_FULL):
            raise ConnectionError("full") from exc
        raise
