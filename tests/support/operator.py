"""Somebody with a shell: runs a command, and keeps all that it printed."""

import asyncio
import logging
import os
import sys

import structlog
from typer.testing import CliRunner

from extauthz.cli.application import application


class Operator:
    """Runs `extauthz` with a few variables in the environment, some of them secrets."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment
        self.printed = ""

    async def run(self, *arguments: object, given: bytes = b"") -> tuple[int, str, str]:
        """Status, standard output and standard error of a command, in a thread of this process."""
        texts = list(map(str, arguments))
        with _logs_of_its_own():
            result = await asyncio.to_thread(
                CliRunner().invoke, application, texts, input=given, env={**self.environment, "COLUMNS": "200"}
            )
        return self._kept(result.exit_code, result.stdout, result.stderr)

    async def run_apart(self, *arguments: object) -> tuple[int, str, str]:
        """The same in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "extauthz", *map(str, arguments)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment, "COLUMNS": "200"},
        )
        out, err = await process.communicate()
        return self._kept(process.returncode or 0, out.decode(), err.decode())

    def printed_no_secret(self) -> bool:
        """Whether nothing of the environment was ever printed."""
        return not any(value in self.printed for value in self.environment.values())

    def _kept(self, status: int, out: str, err: str) -> tuple[int, str, str]:
        self.printed += out + err
        return status, out, err


class _logs_of_its_own:  # noqa: N801 - a context
    """A command sends logs to its standard error, which ends with it."""

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._before = root.handlers[:], root.level

    def __exit__(self, *_exc: object) -> None:
        root = logging.getLogger()
        structlog.reset_defaults()
        root.handlers[:], level = self._before
        root.setLevel(level)
