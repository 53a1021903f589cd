"""Commands that are imported when they are run, or told about."""

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup

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


class CommandsOnDemand(TyperGroup):
    """The group of all commands. A replica that starts does not wait for what only the others need."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands()


class _Commands(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        place = PLACES[name]
        found, around = resolve_name(place), typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=name)
            return typer.main.get_group(around).commands[name]
        around.command(name, epilog=resolve_name(place.partition(":")[0]).EXAMPLES)(found)
        return typer.main.get_command(around)

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)
