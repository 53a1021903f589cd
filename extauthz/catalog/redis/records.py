"""The head of a catalog and its transactions, as bytes that only a holder of the secret can make."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError

from extauthz.catalog.changes import Change, Identity, Kind
from extauthz.catalog.redis.entry import Entries, field_of
from extauthz.catalog.redis.messages import READER
from extauthz.catalog.redis.proof import CatalogKeys, Purpose
from extauthz.catalog.store import Head, StoredChange, Total, Untrusted
from extauthz.catalog.totals import TOTAL_BYTES
from extauthz.v1 import catalog_pb2 as pb

_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}


class Records:
    """Writes heads and transactions, and reads only what a holder of the secret wrote."""

    def __init__(self, keys: CatalogKeys, entries: Entries) -> None:
        self._keys = keys
        self._entries = entries

    def written_head(self, head: Head) -> bytes:
        """A head."""
        return self._proven(Purpose.HEAD, _head_message(head).SerializeToString())

    def head(self, record: bytes) -> Head:
        """The head in a record.

        Raises:
            Untrusted: it is not our writers', or for newer readers.
        """
        return _head(self._message(Purpose.HEAD, record, pb.CatalogHead))

    def written_transaction(self, head: Head, changes: Iterable[pb.CatalogChange] | None) -> bytes:
        """A transaction and the state after it; None: too many changes to tell."""
        message = pb.CatalogTransaction(
            head=_head_message(head), changes=changes or (), reload=changes is None, minimum_reader=READER
        )
        return self._proven(Purpose.TRANSACTION, message.SerializeToString())

    def transaction(self, record: bytes) -> tuple[Head, Iterator[StoredChange] | None]:
        """The state after a transaction, and its changes, each read when it is asked for.

        Raises:
            Untrusted: it is not our writers', or for newer readers.
        """
        message = self._message(Purpose.TRANSACTION, record, pb.CatalogTransaction)
        return _head(message.head), None if message.reload else self._changes(message.changes)

    def _changes(self, changes: Iterable[pb.CatalogChange]) -> Iterator[StoredChange]:
        for change in changes:
            if change.kind in _KINDS:
                yield self._change(_KINDS[change.kind], change)

    def _change(self, kind: Kind, change: pb.CatalogChange) -> StoredChange:
        identity = Identity(kind=kind, organization=change.organization, id=change.id)
        entity, tag = None, b""
        if change.HasField("entry"):
            stored = self._entries.proven(kind, identity.name, field_of(identity), change.entry)
            entity, tag = stored.entity, stored.tag
        return StoredChange(change=Change(identity=identity, entity=entity), tag=tag, former_tag=change.former_tag)

    def _proven(self, purpose: Purpose, body: bytes) -> bytes:
        record = pb.CatalogRecord(body=body, tag=self._keys.record_tag(purpose, body))
        return bytes(record.SerializeToString())

    def _message(self, purpose: Purpose, record: bytes, kind: type[pb.CatalogHead | pb.CatalogTransaction]) -> Any:
        name = purpose.name.lower()
        try:
            envelope = pb.CatalogRecord.FromString(record)
            if not self._keys.proves_record(envelope.tag, purpose, envelope.body):
                raise Untrusted(f"the {name} was not written with the catalog's secret")
            message = kind.FromString(envelope.body)
        except DecodeError as exc:
            raise Untrusted(f"the {name} cannot be read") from exc
        if message.minimum_reader > READER:
            raise Untrusted(f"the {name} is for newer versions of extauthz")
        return message


def change_message(identity: Identity, entry: pb.CatalogEntry | None, former_tag: bytes) -> pb.CatalogChange:
    """A change within a transaction."""
    message = pb.CatalogChange(
        kind=identity.kind.value, organization=identity.organization, id=identity.id, former_tag=former_tag
    )
    if entry is not None:
        message.entry.CopyFrom(entry)
    return message


def _head_message(head: Head) -> pb.CatalogHead:
    totals = [
        pb.CatalogTotal(kind=kind.value, count=total.count, tags=total.tags.to_bytes(TOTAL_BYTES, "big"))
        for kind, total in head.totals.items()
    ]
    return pb.CatalogHead(
        epoch=head.epoch,
        begun_at=head.begun_at,
        revision=head.revision,
        empty=head.empty,
        totals=totals,
        minimum_reader=READER,
    )


def _head(message: pb.CatalogHead) -> Head:
    given = {_KINDS[total.kind]: total for total in message.totals if total.kind in _KINDS}
    totals = {
        kind: Total(count=given[kind].count, tags=int.from_bytes(given[kind].tags, "big")) if kind in given else Total()
        for kind in Kind
    }
    return Head(
        epoch=message.epoch,
        begun_at=message.begun_at,
        revision=message.revision,
        empty=message.empty,
        totals=totals,
    )
