import asyncio

import aiohttp
import pytest
from yarl import URL

from extauthz.cli.demo.processes import Processes
from extauthz.cli.demo.programs import accepts_connections, answers_ok, echo, free_port, valkey

pytestmark = pytest.mark.external_service


async def test_echo_tells_what_reached_it(tmp_path):
    port = free_port()
    async with Processes(tmp_path) as processes:
        await processes.start(echo(port=port))
        async with aiohttp.ClientSession() as session:
            headers = [("X-Twice", "1"), ("X-Twice", "2"), ("X_Odd", "3")]
            url = URL(f"http://127.0.0.1:{port}/a%2Fb/../c?x=1&x=%32", encoded=True)
            async with session.request("PURGE", url, headers=headers, data=b"a" * 100_000) as response:
                seen = await response.json()
    assert seen["method"] == "PURGE"
    assert seen["path"] == "/a%2Fb/../c?x=1&x=%32"
    assert [header for header in seen["headers"] if header[0].startswith(("x-", "x_"))] == [
        ["x-twice", "1"],
        ["x-twice", "2"],
        ["x_odd", "3"],
    ]


async def test_valkey_answers_and_leaves_nothing_behind(tmp_path):
    port = free_port()
    async with Processes(tmp_path / "logs") as processes:
        await processes.start(valkey(tmp_path, port=port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PING\r\n")
        assert await reader.readline() == b"+PONG\r\n"
        writer.close()
        await writer.wait_closed()
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_free_ports_differ_and_are_none_that_outgoing_connections_get():
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 32_768  # the first of Linux' `ip_local_port_range`


async def test_nothing_is_ready_on_a_free_port():
    port = free_port()
    assert not await accepts_connections(port)()
    assert not await answers_ok(f"http://127.0.0.1:{port}/ready")()
