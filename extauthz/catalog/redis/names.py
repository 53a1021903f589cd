"""The names of a catalog's keys: all under one hash tag, so that one script may touch all of them."""

from dataclasses import dataclass

from extauthz.catalog.changes import Kind


@dataclass(frozen=True, slots=True)
class Names:
    """Names below a prefix of the operator's."""

    prefix: str

    @property
    def head(self) -> bytes:
        """The state, one record."""
        return self._key("head")

    @property
    def news(self) -> bytes:
        """The stream of transactions."""
        return self._key("news")

    def entities(self, kind: Kind) -> bytes:
        """The hash of a kind."""
        return self._key(kind.value)

    def staged(self, kind: Kind, nonce: str) -> bytes:
        """Where the next hash of a kind is made ready, by one writer."""
        return self._key(f"staged:{nonce}:{kind.value}")

    def _key(self, name: str) -> bytes:
        return f"{{{self.prefix}catalog}}:{name}".encode()
