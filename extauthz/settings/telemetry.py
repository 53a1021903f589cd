"""What is recorded and counted."""

from typing import Annotated

from pydantic import Field

from extauthz.document.strict import Strict


class AllowedLogSettings(Strict):
    """Which allowed requests are in the log; refusals all are."""

    first_per_second: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    """All of them under little load, so that nobody who tries it out misses a line."""
    then_one_in: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """1: all."""


class LogSettings(Strict):
    """The log of decisions."""

    allowed: AllowedLogSettings = AllowedLogSettings()


class MetricsSettings(Strict):
    """Bounds on what is told apart: each combination of labels is a time series."""

    apis: Annotated[int, Field(ge=0, le=100_000)] = 100
    """At most so many by name, those that are called first; 20 us of a scrape for each line."""
    key_managers: Annotated[int, Field(ge=0, le=10_000)] = 20
