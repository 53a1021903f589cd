"""The garbage collector while millions of objects are made that will stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 1_000_000_000


@contextmanager
def without_full_collections() -> Iterator[None]:
    """Collects only what is young meanwhile; afterwards nothing that is there now is looked at again.

    A full collection visits every object of a catalog, which takes a second in which no Check is answered. Young
    garbage goes on being collected: Checks make some while a catalog is loaded. What is frozen is freed as ever when
    nobody refers to it any more; catalogs have no cycles, so a replaced one needs no collector.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    try:
        yield
        gc.freeze()
    finally:
        gc.set_threshold(young, middle, old)
