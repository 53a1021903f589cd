"""One run of the demo, from the first program to the last."""

import sys
from pathlib import Path

import aiohttp
from rich.console import Console

from extauthz.cli.demo import envoy_bootstrap, world
from extauthz.cli.demo.processes import Processes, ProgramFailed
from extauthz.cli.demo.report import print_invitation, print_outcomes
from extauthz.cli.demo.scenario import play, token

_PIPED_WIDTH = 160


async def run(folder: Path, envoy: Path, envoy_config: Path | None, *, once: bool) -> bool:
    """Plays the table and, unless `once`, stays up until cancelled; says whether every row was right."""
    # Into a file or a pipe, the table may be as wide as it needs.
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH)
    try:
        async with Processes(folder) as processes, aiohttp.ClientSession() as session:
            console.print("Starting Valkey, two key managers, an upstream, extauthz and Envoy ...")
            running = await world.start(processes, folder, envoy, envoy_config or envoy_bootstrap.DEFAULT_PATH)
            outcomes = await play(running, session)
            print_outcomes(console, outcomes)
            if not once:
                print_invitation(console, running, await token(running, session, "mobile-client"))
                await processes.watch()
            return not any(outcome.problems for outcome in outcomes)
    except (ProgramFailed, envoy_bootstrap.UnexpectedBootstrap) as error:
        console.print(f"[red]{error}[/]", markup=True, highlight=False)
        return False
