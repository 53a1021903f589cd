"""Where secrets are, and where they may go."""

from collections.abc import Iterator

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import Text


class SecretSettings(Strict):
    """Where a secret is, and where it may go."""

    env: Text | None = None
    """Name of the environment variable that holds it."""
    file: Text | None = None
    """Path of the file that holds it, relative to the settings."""
    hosts: frozenset[Text] = frozenset()
    """Hosts that the secret may be sent to; a secret for an endpoint on another host is never sent."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one place."""
        if (self.env is None) == (self.file is None):
            yield Mistake(location=(), message="give exactly one of `env` and `file`")
