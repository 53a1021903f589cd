"""Envoy's bootstrap from `deploy/envoy/envoy.yaml`, moved to other ports."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NewType

import yaml

DEFAULT_PATH = Path(__file__).resolve().parents[3] / "deploy" / "envoy" / "envoy.yaml"
"""Where a checkout has it; an installed package has none and must be told (`--envoy-config`)."""

Bootstrap = NewType("Bootstrap", dict[str, Any])
"""`envoy.config.bootstrap.v3.Bootstrap` in its JSON form."""


class UnexpectedBootstrap(ValueError):  # noqa: N818 - names what was found
    """The bootstrap is not there, is not YAML, or has not the shape that is needed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everybody listens; 0 lets Envoy choose for itself (listener and admin only)."""

    listener: int
    admin: int
    authorization: int
    upstream: int


def load(path: Path = DEFAULT_PATH) -> Bootstrap:
    """The bootstrap in a file.

    Raises:
        UnexpectedBootstrap: the file cannot be read, or is not a YAML mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise UnexpectedBootstrap(f"cannot read Envoy's bootstrap {path}: {exc}") from exc
    except yaml.YAMLError as exc:
        raise UnexpectedBootstrap(f"Envoy's bootstrap {path} is not YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise UnexpectedBootstrap(f"Envoy's bootstrap {path} is not a mapping")
    return Bootstrap(document)


def with_ports(bootstrap: Bootstrap, ports: Ports) -> Bootstrap:
    """A copy on other ports: its one listener, the admin pages and the clusters `extauthz` and `upstream`.

    Raises:
        UnexpectedBootstrap: one of them is not where it should be.
    """
    moved = Bootstrap(copy.deepcopy(bootstrap))
    _move(_at(moved, "admin"), ports.admin)
    _move(_at(moved, "static_resources", "listeners", 0), ports.listener)
    _move(_endpoint(cluster(moved, "extauthz")), ports.authorization)
    _move(_endpoint(cluster(moved, "upstream")), ports.upstream)
    return moved


def write(bootstrap: Bootstrap, path: Path) -> Path:
    """Puts the bootstrap into a file for `envoy --config-path`, and returns the path."""
    path.write_text(yaml.safe_dump(dict(bootstrap), sort_keys=False), encoding="utf-8")
    return path


def connection_manager(bootstrap: Bootstrap) -> dict[str, Any]:
    """The listener's HttpConnectionManager: the dictionary inside, to read or to change."""
    return _mapping(
        _at(bootstrap, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"),
        "the HTTP connection manager",
    )


def ext_authz(bootstrap: Bootstrap) -> dict[str, Any]:
    """The ext_authz filter's configuration: the dictionary inside, to read or to change."""
    filters = _at(connection_manager(bootstrap), "http_filters")
    return _mapping(_at(_named(filters, "envoy.filters.http.ext_authz"), "typed_config"), "the ext_authz filter")


def cluster(bootstrap: Bootstrap, name: str) -> dict[str, Any]:
    """A cluster by its name: the dictionary inside, to read or to change."""
    return _mapping(_named(_at(bootstrap, "static_resources", "clusters"), name), f"cluster {name!r}")


def _endpoint(cluster_node: Any) -> Any:
    return _at(cluster_node, "load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint")


def _move(node: Any, port: int) -> None:
    address = _at(node, "address", "socket_address")
    _at(address, "port_value")
    address["port_value"] = port


def _named(nodes: Any, name: str) -> Any:
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("name") == name:
            return node
    raise UnexpectedBootstrap(f"Envoy's bootstrap has nothing named {name!r} where it should be")


def _at(node: Any, *path: str | int) -> Any:
    for depth, step in enumerate(path):
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError) as exc:
            place = ".".join(map(str, path[: depth + 1]))
            raise UnexpectedBootstrap(f"Envoy's bootstrap lacks {place}") from exc
    return node


def _mapping(node: Any, what: str) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise UnexpectedBootstrap(f"Envoy's bootstrap: {what} is not a mapping")
    return node
