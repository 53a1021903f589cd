"""Which API a host and a path belong to."""

from collections.abc import Iterable

from extauthz.catalog.request_path import segments
from extauthz.model.api import Api

ANY_HOST = "*"

_LONGEST_HOST = 255 + len(":65535")
"""RFC 1035 §2.3.4. Each label costs a look-up, and nobody has shown a token yet."""


class ApiIndex:
    """APIs by host and base path; a look-up costs the depth of the deepest base path, whatever the number of APIs."""

    def __init__(self, apis: Iterable[Api]) -> None:
        self._by_host: dict[str, dict[tuple[str, ...], Api]] = {}
        self._deepest = 0
        for api in apis:
            base = base_path(api.context)
            self._deepest = max(self._deepest, len(base))
            for host in api.hosts or (ANY_HOST,):
                self._by_host.setdefault(host.lower(), {})[base] = api

    def find(self, host: str, path: tuple[str, ...]) -> Api | None:
        """The API with the most specific host, then the longest base path that the path begins with."""
        if len(host) > _LONGEST_HOST:
            return None
        for candidate in _host_patterns(host):
            contexts = self._by_host.get(candidate)
            if contexts is None:
                continue
            for length in range(min(self._deepest, len(path)), -1, -1):
                if api := contexts.get(path[:length]):
                    return api
        return None


def base_path(context: str) -> tuple[str, ...]:
    """The segments of an API's context, read as those of a request are; none for `/`."""
    return tuple(part for part in segments(context) or () if part)


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
