"""Extensions from other installed packages."""

from typing import Annotated, Any

from pydantic import Field

from extauthz.document.strict import Strict
from extauthz.settings.values import Text


class ExtensionSettings(Strict):
    """One extension, by the name of its entry point."""

    name: Text
    """Of its entry point."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Handed to it as they are."""
    timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 0.5
    """Of one call; then the request is refused."""


class ExtensionsSettings(Strict):
    """Extensions, each kind in this order."""

    authenticators: tuple[ExtensionSettings, ...] = ()
    """Asked before our own; entry points of the group `extauthz.authenticators`."""
    authorizers: tuple[ExtensionSettings, ...] = ()
    """Asked after our own; `extauthz.authorizers`."""
    claim_sources: tuple[ExtensionSettings, ...] = ()
    """Asked for claims of the backend JWT; `extauthz.claim_sources`."""
