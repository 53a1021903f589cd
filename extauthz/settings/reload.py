"""How changed settings come into force."""

from typing import Annotated

from pydantic import Field

from extauthz.document.strict import Strict


class ReloadSettings(Strict):
    """The settings file, and the files of secrets and certificates that it names, are followed."""

    interval_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 2.0
    """How often they are looked at; SIGHUP has them read at once."""
    ready_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long new settings may take until all that they need has answered; else the old ones stay."""
