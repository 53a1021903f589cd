"""Large tables made, and taken apart, while Checks go on."""

from collections.abc import Iterable

from extauthz.catalog.changes import Entity
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.slices import Slices


async def built(entities: Iterable[Entity], slices: Slices | None = None) -> Indexes:
    """The tables of a whole catalog."""
    indexes, slices = Indexes(), slices or Slices()
    for entity in entities:
        indexes.put(entity)
        if slices.over:
            await slices.rest()
    return indexes


async def take_apart(indexes: Indexes, slices: Slices | None = None) -> None:
    """Frees tables that nobody asks any more: left to the interpreter, that is one step that stalls the loop."""
    slices = slices or Slices()
    for table in indexes.tables():
        while table:
            table.popitem()
            if slices.over:
                await slices.rest()
