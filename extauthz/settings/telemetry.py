"""What is recorded and counted."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import OtlpEndpoint, Text

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AllowedLogSettings(Strict):
    """Which allowed requests are in the log; refusals all are."""

    first_per_second: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    """All of them under little load, so that nobody who tries it out misses a line."""
    then_one_in: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """1: all."""


class LogSettings(Strict):
    """The log of decisions."""

    allowed: AllowedLogSettings = AllowedLogSettings()


class TracesSettings(Strict):
    """Where traces go; needs the extra `otel`."""

    endpoint: OtlpEndpoint
    """URL of a collector that takes OTLP over HTTP, e.g. `http://127.0.0.1:4318`; `https` for TLS."""
    headers_secret: Text | None = None
    """Name of a secret that goes with each export: `name=value`, several with commas between them."""
    sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Which part of the Checks is traced that belong to no trace yet; all others as their parent was."""
    max_per_second: Annotated[int, Field(ge=1, le=10_000)] = 50
    """No more Checks are traced, since clients may ask for it."""
    service_name: Text = "extauthz"
    """`service.name` of all spans."""

    def contradictions(self) -> Iterator[Mistake]:
        """A secret goes over no wire in the clear."""
        parts = urlsplit(self.endpoint)
        if self.headers_secret and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            yield Mistake(location=("headers_secret",), message="needs an `https` endpoint, or one on this machine")


class MetricsSettings(Strict):
    """Bounds on what is told apart: each combination of labels is a time series."""

    apis: Annotated[int, Field(ge=0, le=100_000)] = 100
    """At most so many by name, those that are called first; 20 us of a scrape for each line."""
    key_managers: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Likewise."""
