"""`extauthz demo`: the whole system on this machine, and a table of what it does."""

import asyncio
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from extauthz.cli.errors import EXIT_BAD_INPUT, EXIT_FAILURE

EXAMPLES = """Examples:

  extauthz demo --envoy /usr/local/bin/envoy --envoy-config deploy/envoy/envoy.yaml --once
"""


def demo(
    envoy: Annotated[Path | None, typer.Option(help="The Envoy binary; by default `envoy` on the PATH.")] = None,
    envoy_config: Annotated[
        Path | None, typer.Option(help="Its bootstrap; by default deploy/envoy/envoy.yaml.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the table; status 0 if every row is right.")] = False,
) -> None:
    """Starts Envoy, Valkey, two key managers, an upstream and extauthz on free loopback ports, and sends requests."""
    binary = envoy or Path(shutil.which("envoy") or "envoy")
    if not binary.is_file():
        typer.echo(f"extauthz: no Envoy at {binary}; name one with --envoy (`make demo` fetches it)", err=True)
        raise typer.Exit(EXIT_BAD_INPUT)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        if not asyncio.run(_demo(binary.resolve(), envoy_config, once=once)):
            raise typer.Exit(EXIT_FAILURE)


async def _demo(envoy: Path, envoy_config: Path | None, *, once: bool) -> bool:
    # Here, so that the other commands work without the demo's optional dependencies.
    from extauthz.cli.demo import session  # noqa: PLC0415 - see above

    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="extauthz-demo-") as folder:
        return await session.run(Path(folder), envoy, envoy_config, once=once)
