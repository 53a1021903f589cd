"""Whether a state of a catalog may take the place of the one that is held."""

from extauthz.catalog.changes import Kind
from extauthz.catalog.store import Head, Total, Untrusted

NO_CATALOG = "redis holds no catalog: it was flushed, or nothing was ever applied"
EMPTY = "an empty catalog never replaces a good one unless asked (`extauthz catalog apply --prune --allow-empty`)"


def ensure_succeeds(head: Head, held: Head | None) -> None:
    """Proven is not enough: whoever writes in the store can put back what was proven once.

    Raises:
        Untrusted: the state is older than the held one, or has no API though nobody asked for that.
    """
    if not head.totals.get(Kind.API, Total()).count and not head.empty:
        raise Untrusted(EMPTY)
    if held is None:
        return
    if head.epoch == held.epoch:
        if head.revision < held.revision:
            raise Untrusted(f"revision {head.revision} is older than {held.revision}, which is held")
    elif head.begun_at <= held.begun_at:
        raise Untrusted("the catalog in redis was begun before the one that is held")
