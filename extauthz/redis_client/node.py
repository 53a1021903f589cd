"""One server at one address, and the connections to it."""

import contextlib
import re
import ssl
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, ConnectionPool, SSLConnection, parse_url
from redis.exceptions import AskError, AuthenticationError, BusyLoadingError, MovedError, RedisError, ResponseError
from redis.exceptions import ConnectionError as ConnectionLost

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import Address, RedisOptions
from extauthz.redis_client.refused import NotReached, Redirected, Refused

_WORD = re.compile(r"[A-Z][A-Z_-]{0,30}(?= |$)")
_NO = (ResponseError, AuthenticationError, BusyLoadingError)
_DEMOTED = "READONLY"


class TlsConnection(SSLConnection):
    """A connection with a context of ours: redis-py would make one of its own from files."""

    def __init__(self, *, context: ssl.SSLContext, **settings: Any) -> None:
        super().__init__(**settings)
        self.ssl_context.context = context


class Node:
    """Runs commands at one server. Connects at the first one, and tells what redis-py raises in our words."""

    def __init__(self, pool: ConnectionPool, *, component: str, address: Address | None = None) -> None:
        self._pool = pool
        self._component = component
        self._retired = False
        self.address = address

    async def execute(self, command: Sequence[bytes | int], *, asking: bool = False) -> Any:
        """The answer; `asking` for a slot that is on its way to this server.

        Raises:
            NotReached: there is no connection.
            Refused: the answer is a no.
            Unavailable: the connection was lost; the command may have been carried out.
        """
        name = _name(command)
        try:
            connection: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call] # redis-py leaves it bare
        except _NO as exc:
            raise self._no(exc, f"the connection for {name}") from exc
        except (RedisError, OSError) as exc:
            raise NotReached(self._component, f"redis does not answer ({_kind(exc)})") from exc
        try:
            return await _exchange(connection, command, asking=asking)
        except _NO as exc:
            refused = self._no(exc, name)
            if refused.word == _DEMOTED:
                await self._close_idle()  # a name may lead elsewhere by now
            raise refused from exc
        except (RedisError, OSError) as exc:
            raise Unavailable(self._component, f"redis does not answer ({_kind(exc)})") from exc
        finally:
            await self._pool.release(connection)
            if self._retired:
                await self._close_idle()

    async def ask(self, command: Sequence[bytes | int]) -> Any:
        """The same on a connection of its own, for a question that is rarely asked."""
        name = _name(command)
        connection = self._pool.make_connection()  # type: ignore[no-untyped-call] # redis-py leaves it bare
        try:
            await connection.connect()
            return await _exchange(connection, command, asking=False)
        except _NO as exc:
            raise self._no(exc, name) from exc
        except (RedisError, OSError) as exc:
            raise NotReached(self._component, f"redis does not answer ({_kind(exc)})") from exc
        finally:
            with contextlib.suppress(RedisError, OSError):
                # It begins to close before it waits for anything: nobody who cancels comes between.
                await connection.disconnect()

    async def retire(self) -> None:
        """Close the connections that nobody uses now, and the others when they are no longer used."""
        self._retired = True
        await self._close_idle()

    async def _close_idle(self) -> None:
        await self._pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call] # redis-py leaves it bare
        with contextlib.suppress(RedisError, OSError):  # a connection that is already lost needs no closing
            await self._pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Close all connections."""
        self._retired = True
        with contextlib.suppress(RedisError, OSError):
            await self._pool.aclose()

    def _no(self, exc: RedisError, command: str) -> Refused:
        if isinstance(exc, AskError):  # MOVED is one, too
            # Without a host: that of the node which says so.
            host = exc.host or (self.address[0] if self.address else "")
            return Redirected(
                self._component, command, address=(host, exc.port), asking=not isinstance(exc, MovedError)
            )
        return Refused(self._component, _word(exc), command)


class Nodes:
    """Makes nodes, all reached in the same way."""

    def __init__(
        self,
        options: RedisOptions,
        *,
        component: str,
        username: str | None = None,
        password: str | None = None,
        masters: bool = False,
    ) -> None:
        """`username` and `password` are for those nodes; what the options have of them is left to the caller.

        With `masters`, each connection begins with the question whether the server is one.
        """
        self._component = component
        self._tls = options.tls
        self._settings: dict[str, Any] = {
            "username": username,
            "password": password,
            "max_connections": options.connections,
            "socket_connect_timeout": options.timeout_seconds,
            # The deadline around each command covers reading and writing; a second one costs a task a command.
            "socket_timeout": None,
            "protocol": 2,
            "driver_info": None,  # nothing to say before the first command
            "redis_connect_func": _greet_master if masters else None,
        }

    def at(self, address: Address) -> Node:
        """The server there."""
        host, port = address
        kind = self._with_tls() if self._tls else {"connection_class": Connection}
        pool = ConnectionPool(**self._settings, **kind, host=host, port=port)
        return Node(pool, component=self._component, address=address)

    def of_url(self, url: str) -> Node:
        """The server there.

        Raises:
            ValueError: a URL of another kind.
        """
        place = dict(parse_url(url))
        if place.get("connection_class") is SSLConnection:
            place |= self._with_tls()
        return Node(ConnectionPool(**(self._settings | place)), component=self._component)

    def _with_tls(self) -> dict[str, Any]:
        return {"connection_class": TlsConnection, "context": self._tls or ssl.create_default_context()}


async def _greet_master(connection: AbstractConnection) -> None:
    """A master that was replaced comes back as a replica, and would be read from as if nothing had happened."""
    await connection.on_connect()
    await connection.send_command(b"ROLE", check_health=False)
    match await connection.read_response():
        case [b"master", *_]:
            return
    raise ConnectionLost("not the master any more")


async def _exchange(connection: AbstractConnection, command: Sequence[bytes | int], *, asking: bool) -> Any:
    packed = connection.pack_command(*command)
    # ASKING holds for the next command of its connection only.
    await connection.send_packed_command([*connection.pack_command(b"ASKING"), *packed] if asking else packed)
    if asking:
        await connection.read_response()
    return await connection.read_response()


def _name(command: Sequence[bytes | int]) -> str:
    return command[0].decode("ascii", "replace") if isinstance(command[0], bytes) else ""


def _kind(exc: BaseException) -> str:
    """What the operating system or TLS said, where redis-py put an error of its own before it."""
    return type(exc.__context__ if isinstance(exc.__context__, OSError) else exc).__name__


def _word(exc: RedisError) -> str:
    """What kind of error it is. Its text stays out: it may quote a command, with what is secret in it."""
    if exc.status_code:
        return str(exc.status_code)
    found = _WORD.match(str(exc))
    return found[0] if found else type(exc).__name__
