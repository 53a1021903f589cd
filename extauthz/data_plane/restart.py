"""What of the settings is in force from the start of the process to its end."""

from operator import attrgetter

from extauthz.settings.binding import DpopSettings
from extauthz.settings.process import Settings

_AT_START = ("listen", "operations.listen", "tls", "grpc", "metrics", "http_check")
"""What servers were made with, and how many names the metrics keep apart."""


def need_restart(in_force: Settings, wanted: Settings) -> tuple[str, ...]:
    """Names of what differs and stays as it was `in_force` at the start."""
    differ = [name for name in _AT_START if attrgetter(name)(in_force) != attrgetter(name)(wanted)]
    if _replay_entries(in_force) != _replay_entries(wanted):
        differ.append("dpop.replay_entries")
    return tuple(differ)


def as_at_start(at_start: Settings, wanted: Settings) -> Settings:
    """What is wanted, but for what must be as it was at the start."""
    operations = wanted.operations.model_copy(update={"listen": at_start.operations.listen})
    dpop = wanted.dpop and wanted.dpop.model_copy(update={"replay_entries": _replay_entries(at_start)})
    whole = [name for name in _AT_START if "." not in name]
    return wanted.model_copy(
        update={name: getattr(at_start, name) for name in whole} | {"operations": operations, "dpop": dpop}
    )


def _replay_entries(settings: Settings) -> int:
    return (settings.dpop or DpopSettings()).replay_entries
