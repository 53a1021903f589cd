"""One connection to a server that answers as no good one does."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from extauthz.redis_client.connection import Door, ReplyError, connect
from extauthz.redis_client.server import NotReached


@contextlib.asynccontextmanager
async def listening(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    """A server, by its host and port; it has done with everybody when it ends."""
    guests: list[asyncio.Task[None]] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.append(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            with contextlib.suppress(OSError):
                await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[:2]
    await asyncio.gather(*guests)


@contextlib.asynccontextmanager
async def scripted(*answers: bytes | None):
    """A server that gives each command the next of these answers, whole; with None, and at the end, it closes."""
    told = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while told and await reader.read(10_000) and (answer := told.pop(0)) is not None:
            writer.write(answer)

    async with listening(serve) as place:
        yield place


@contextlib.asynccontextmanager
async def connected(*answers: bytes | None, **door):
    """A connection to a scripted server."""
    async with scripted(*answers) as place:
        connection = await connect(Door(place=place, timeout_seconds=20, **door))
        yield connection
        await connection.close()


async def until_closed(connection):
    async with asyncio.timeout(60):
        while connection.is_open:  # noqa: ASYNC110 - what is awaited is the connection's own business
            await asyncio.sleep(0)


async def test_each_command_has_its_answer():
    async with connected(b"$1\r\na\r\n", b":7\r\n", b"*2\r\n$-1\r\n+b\r\n", b"+end\r\n") as connection:
        assert [await connection.ask((b"C",)) for _ in range(4)] == [b"a", 7, [None, b"b"], b"end"]


async def test_an_answer_may_come_in_pieces():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        for piece in (b"$5\r", b"\nhe", b"llo\r", b"\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with listening(serve) as place:
        connection = await connect(Door(place=place, timeout_seconds=20))
        assert await connection.ask((b"GET", b"k")) == b"hello"
        await connection.close()


async def test_a_no_is_raised_and_the_connection_stays():
    async with connected(b"-NOPERM secret\r\n", b"+OK\r\n", b"+OK\r\n") as connection:
        with pytest.raises(ReplyError, match="NOPERM"):
            await connection.ask((b"GET", b"k"))
        assert await connection.ask((b"GET", b"k")) == b"OK"


@pytest.mark.parametrize("answers", [b"+one\r\n+two\r\n", b"+one\r\n$5\r\nha"], ids=["whole", "begun"])
async def test_an_answer_too_many_is_not_taken_for_that_of_the_next_command(answers):
    async with connected(answers, b"+three\r\n", b"+four\r\n") as connection:
        assert await connection.ask((b"C",)) == b"one"
        with pytest.raises(OSError):
            await connection.ask((b"C",))


async def test_an_answer_that_nobody_asked_for_closes_the_connection():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+surprise\r\n")
        await reader.read()

    async with listening(serve) as place:
        connection = await connect(Door(place=place, timeout_seconds=20))
        await until_closed(connection)
        with pytest.raises(ConnectionResetError):
            await connection.ask((b"C",))


async def test_what_is_no_redis_is_told_and_closed():
    async with connected(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n") as connection:
        with pytest.raises(ConnectionError):
            await connection.ask((b"C",))
        assert not connection.is_open


async def test_a_command_that_is_given_up_closes_the_connection():
    async with connected(b"", b"") as connection:
        asking = asyncio.create_task(connection.ask((b"C",)))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()
        assert not connection.is_open


async def test_who_waits_when_the_connection_is_closed_is_told():
    async with connected(b"", b"") as connection:
        asking = asyncio.create_task(connection.ask((b"C",)))
        await asyncio.sleep(0)
        await connection.close()
        with pytest.raises(ConnectionResetError):
            await asking


async def test_closing_twice_is_no_mistake():
    async with connected(b"+OK\r\n") as connection:
        await asyncio.gather(connection.close(), connection.close())


async def test_a_server_that_closes_is_told():
    async with connected(None) as connection:
        with pytest.raises(ConnectionResetError):
            await connection.ask((b"C",))


@pytest.mark.parametrize("role", [b"*1\r\n$5\r\nslave\r\n", b"*0\r\n", b"$-1\r\n", b":1\r\n"])
async def test_a_replica_is_not_let_pass_for_a_master(role):
    async with scripted(role, b"+OK\r\n") as place:
        with pytest.raises(ConnectionError):
            await connect(Door(place=place, master=True, timeout_seconds=20))


async def test_who_may_not_enter_is_told_why():
    async with scripted(b"-WRONGPASS no\r\n", b"+OK\r\n") as place:
        with pytest.raises(ReplyError, match="WRONGPASS"):
            await connect(Door(place=place, password="p", timeout_seconds=20))


async def test_a_server_that_says_nothing_is_not_waited_for():
    async with scripted(b"", b"") as place:
        with pytest.raises(TimeoutError):
            await connect(Door(place=place, database=1, timeout_seconds=0.05))


async def test_a_full_server_is_as_good_as_none(client):
    """So that another one, where there may be one, is looked for."""
    async with scripted(b"-ERR max number of clients reached\r\n", b"") as (host, port):
        with pytest.raises(NotReached):
            await client(f"redis://{host}:{port}/1").execute(b"PING")


async def test_a_connection_that_the_server_closed_while_it_was_idle_is_replaced(client):
    met = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        await reader.read(1000)
        writer.write(b":%d\r\n" % met)

    async with listening(serve) as (host, port):
        server = client(f"redis://{host}:{port}")
        assert await server.execute(b"C") == 1
        (idle,) = server._topology._node._idle
        await until_closed(idle)
        assert await server.execute(b"C") == 2


def test_no_password_is_printed():
    assert "secret" not in repr(Door(place="/s", password="secret", timeout_seconds=1))
