"""uvicorn as a guest in our event loop."""

import asyncio
import os
import signal
import socket

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from extauthz.operations.server import OperationsServer


def hello(_request):
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


async def fetch(port, host="127.0.0.1"):
    async with aiohttp.ClientSession() as client, client.get(f"http://{host}:{port}/") as response:
        return await response.text()


async def test_a_started_server_answers_on_the_port_that_it_tells():
    server = OperationsServer(APP, host="127.0.0.1", port=0)
    port = await server.start()
    assert await fetch(port) == "hello"
    await server.stop()


async def test_a_stopped_server_does_not_listen():
    server = OperationsServer(APP, host="127.0.0.1", port=0)
    port = await server.start()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_an_idle_connection_does_not_hold_up_the_end():
    server = OperationsServer(APP, host="127.0.0.1", port=0)
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
    await server.stop()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_port_in_use_is_an_error_and_not_the_end_of_the_process():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await OperationsServer(APP, host="127.0.0.1", port=port).start()


async def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:0"):  # RFC 5737
        await OperationsServer(APP, host="192.0.2.1", port=0).start()


async def test_a_server_that_never_started_or_has_stopped_has_nothing_to_stop():
    server = OperationsServer(APP, host="127.0.0.1", port=0)
    await server.stop()
    await server.start()
    await server.stop()
    await server.stop()


async def test_a_server_may_be_started_again():
    server = OperationsServer(APP, host="127.0.0.1", port=0)
    for _ in range(2):
        assert await fetch(await server.start()) == "hello"
        await server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_are_left_to_the_process(number):
    received = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(number, received.set)
    handler = signal.getsignal(number)
    try:
        server = OperationsServer(APP, host="127.0.0.1", port=0)
        port = await server.start()
        assert signal.getsignal(number) is handler
        os.kill(os.getpid(), number)
        await received.wait()
        assert await fetch(port) == "hello"
        await server.stop()
    finally:
        loop.remove_signal_handler(number)


async def test_it_answers_on_a_unix_socket(tmp_path):
    server = OperationsServer(APP, path=tmp_path / "o.sock")
    assert await server.start() == 0
    connector = aiohttp.UnixConnector(str(tmp_path / "o.sock"))
    async with aiohttp.ClientSession(connector=connector) as client, client.get("http://here/") as response:
        assert await response.text() == "hello"
    await server.stop()


@pytest.mark.parametrize("name", ["missing/o.sock", "x" * 200])
async def test_a_socket_that_cannot_be_made_is_an_error(tmp_path, name):
    with pytest.raises(OSError, match=r"cannot listen on unix:.*: \S"):
        await OperationsServer(APP, path=tmp_path / name).start()
