"""Commands that are imported when they are run, or told about."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup

from extauthz.cli.errors import bad_input, told_plainly

PLACES = {
    "serve": "extauthz.cli.serve:serve",
    "check": "extauthz.cli.check.command:check",
    "health": "extauthz.cli.health:health",
    "envoy-config": "extauthz.cli.envoy_config.command:envoy_config",
    "revoke": "extauthz.cli.revoke:revoke",
    "demo": "extauthz.cli.demo.command:demo",
    "config": "extauthz.cli.config.app:app",
    "catalog": "extauthz.cli.catalog:app",
    "api-key": "extauthz.cli.api_key:app",
    "resident": "extauthz.cli.resident:app",
}
"""Where each command is: a function, whose module has EXAMPLES, or a group."""
_ASKING_BY_GRPC = frozenset({"check", "health"})
"""They say themselves why there is no connection."""
_VERBOSITY = "GRPC_VERBOSITY"
_NUL = "embedded null byte"
"""What Python says of the name of a file that YAML could hold, and no system."""


class CommandsOnDemand(TyperGroup):
    """The group of all commands. A replica that starts does not wait for what only the others need."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands()

    def invoke(self, ctx: Any) -> Any:
        """Whatever the command, what the system refuses it (to write, for example) is told in a line."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What a terminal has no sign for, or the name of a file that is no text, is written all the same.
            sys.stdout.reconfigure(errors="backslashreplace")
        with told_plainly():
            try:
                return super().invoke(ctx)
            except ValueError as error:
                if str(error) != _NUL:
                    raise
                raise bad_input("the name of a file, in an option or in the settings, has a NUL in it") from error


class _Commands(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        place, around = PLACES[name], typer.Typer(add_completion=False)
        if name in _ASKING_BY_GRPC:
            with _grpc_without_a_word():
                found = resolve_name(place)
        else:
            found = resolve_name(place)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=name)
            return typer.main.get_group(around).commands[name]
        around.command(name, epilog=resolve_name(place.partition(":")[0]).EXAMPLES)(found)
        return typer.main.get_command(around)

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


@contextmanager
def _grpc_without_a_word() -> Iterator[None]:
    """What gRPC is to write by itself is read once, when it is imported; whoever starts it later is not concerned."""
    if _VERBOSITY in os.environ:
        yield
        return
    os.environ[_VERBOSITY] = "NONE"
    try:
        yield
    finally:
        del os.environ[_VERBOSITY]
