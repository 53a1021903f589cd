"""Which API a host and a path belong to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from extauthz.catalog.request_path import segments
from extauthz.catalog.resource_template import ResourceTree
from extauthz.model.api import Api

ANY_HOST = "*"

_LONGEST_HOST = 255 + len(":65535")
"""RFC 1035 §2.3.4. Each label costs a look-up, and nobody has shown a token yet."""

BasePath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexedApi:
    """An API, ready to be matched."""

    api: Api
    resources: ResourceTree
    base_paths: tuple[BasePath, ...]
    """The longer one first."""


class ApiIndex:
    """APIs by host and base path; a look-up costs the depth of the deepest base path, whatever the number of APIs."""

    def __init__(self) -> None:
        self._by_host: dict[str, dict[BasePath, IndexedApi]] = {}
        self._deepest = 0
        """Of all that were ever here: one that is too deep costs a look-up, nothing else."""

    def tables(self) -> Iterator[dict[BasePath, IndexedApi]]:
        """All that may be large."""
        yield from self._by_host.values()

    def put(self, indexed: IndexedApi) -> None:
        """Finds an API from now on; where another one was, this one stands."""
        for host, base in _places(indexed):
            self._deepest = max(self._deepest, len(base))
            self._by_host.setdefault(host, {})[base] = indexed

    def remove(self, indexed: IndexedApi) -> None:
        """Finds an API no longer."""
        for host, base in _places(indexed):
            contexts = self._by_host.get(host, {})
            if contexts.get(base) is indexed:
                del contexts[base]
            if not contexts:
                self._by_host.pop(host, None)

    def find(self, host: str, path: tuple[str, ...]) -> tuple[IndexedApi, BasePath] | None:
        """The API with the most specific host, then the longest base path that the path begins with; and that path."""
        if len(host) > _LONGEST_HOST:
            return None
        for candidate in _host_patterns(host):
            contexts = self._by_host.get(candidate)
            if contexts is None:
                continue
            for length in range(min(self._deepest, len(path)), -1, -1):
                if indexed := contexts.get(path[:length]):
                    return indexed, path[:length]
        return None


def base_path(context: str) -> BasePath:
    """The segments of an API's context, read as those of a request are; none for `/`."""
    return tuple(part for part in segments(context) or () if part)


def base_paths(api: Api) -> tuple[BasePath, ...]:
    """Where an API begins; the longer one first."""
    paths = [base_path(api.context), *([base_path(api.default_context)] if api.default_context is not None else [])]
    return tuple(sorted(paths, key=len, reverse=True))


def _places(indexed: IndexedApi) -> Iterable[tuple[str, BasePath]]:
    return product((host.lower() for host in indexed.api.hosts or (ANY_HOST,)), indexed.base_paths)


def _host_patterns(host: str) -> Iterable[str]:
    """`api.example.com`, `*.example.com`, `*.com`, `*` for `API.example.com:443`."""
    name = host.lower()
    # An IPv6 literal has colons of its own.
    name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
    name = name.removesuffix(".")
    yield name
    rest = name
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"
    yield ANY_HOST
