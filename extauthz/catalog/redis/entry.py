"""An entity as the value of a hash field: what it is, since when, and the proof."""

from google.protobuf.message import DecodeError

from extauthz.catalog.changes import Entity, Identity, Kind
from extauthz.catalog.redis.messages import READER, EntityReader, written
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.store import Stored, Untrusted
from extauthz.v1 import catalog_pb2 as pb

_KINDS = {kind: kind.value.encode() for kind in Kind}
_entry = pb.CatalogEntry.FromString


def field_of(identity: Identity) -> bytes:
    """The field that an entity has in the hash of its kind."""
    return identity.name.encode()


class Entries:
    """Writes entries, and reads only what a holder of the secret wrote."""

    def __init__(self, keys: CatalogKeys) -> None:
        self._keys = keys
        self._reader = EntityReader()

    def written(self, identity: Identity, entity: Entity, revision: int) -> pb.CatalogEntry:
        """The entry of an entity in a transaction.

        Raises:
            ValueError: the entity holds what the message cannot say.
        """
        body = written(identity.kind, entity)
        tag = self._keys.entry_tag(_KINDS[identity.kind], field_of(identity), (revision, READER), body)
        return pb.CatalogEntry(entity=body, revision=revision, minimum_reader=READER, tag=tag)

    def stored(self, kind: Kind, field: bytes, value: bytes) -> Stored:
        """The entity in a field of a hash.

        Raises:
            Untrusted: it was not written by one of us, or is for newer readers.
        """
        try:
            entry, name = _entry(value), field.decode()
        except (DecodeError, UnicodeDecodeError) as exc:
            raise Untrusted(f"a {kind} cannot be read ({type(exc).__name__})") from exc
        return self.proven(kind, name, field, entry)

    def proven(self, kind: Kind, name: str, field: bytes, entry: pb.CatalogEntry) -> Stored:
        """The entity in an entry; `field` is its name as bytes.

        Raises:
            Untrusted: as `stored`.
        """
        body, revision, reader, tag = entry.entity, entry.revision, entry.minimum_reader, entry.tag
        if not self._keys.proves_entry(tag, _KINDS[kind], field, (revision, reader), body):
            raise Untrusted(f"a {kind} was not written with the catalog's secret")
        if reader > READER:
            raise Untrusted(f"{kind} {name} is for newer versions of extauthz")
        return Stored(kind, name, self._reader.read(kind, body), revision, tag)
