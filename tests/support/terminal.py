"""A terminal, for commands that show there how far they have come."""

import asyncio
import os
import pty
import sys


async def on_a_terminal(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """Status and standard output of a command, and what a terminal got as its standard error."""
    terminal, its_end = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extauthz", *map(str, arguments)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=its_end,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200", **environment},
    )
    os.close(its_end)
    seen, (out, _) = await asyncio.gather(asyncio.to_thread(_read, terminal), process.communicate())
    os.close(terminal)
    return process.returncode or 0, out.decode(), seen.decode()


def _read(terminal: int) -> bytes:
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 65536)
        except OSError:  # Linux: nobody has the other end any more
            return seen
