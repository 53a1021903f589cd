"""What a kubelet makes of a pod: its volumes as folders, its environment, its command line."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from helm.rendering import Manifest, Rendered

Secrets = Mapping[str, Mapping[str, str]]
"""The Secrets of the namespace: their keys and values by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A container that could be started."""

    root: Path
    """Stands for `/` of the container, for what is mounted."""
    args: tuple[str, ...]
    environment: Mapping[str, str]

    def path(self, inside: str) -> Path:
        """Where a file of the container is."""
        return self.root / inside.removeprefix("/")


def start(rendered: Rendered, pod: Manifest, secrets: Secrets, root: Path) -> Started:
    """Lays out the first container of a pod below `root`; paths in what is mounted and in its arguments point there.

    Raises:
        KeyError: a ConfigMap, a Secret or a key is not there; a kubelet would wait for it.
    """
    (container, *_) = pod["containers"]
    config_maps = {m["metadata"]["name"]: m["data"] for m in rendered.manifests if m["kind"] == "ConfigMap"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}

    inside = re.compile("|".join(re.escape(f"{path}/") for path in mounts))

    def moved(text: str) -> str:
        return inside.sub(lambda path: f"{root}{path[0]}", text)

    for path, volume in mounts.items():
        files = {name: moved(content) for name, content in _files(volume, config_maps, secrets)}
        change(root / PurePosixPath(path).relative_to("/"), files)
    return Started(
        root=root,
        args=tuple(moved(argument) for argument in container["args"]),
        environment={entry["name"]: _value(entry, secrets) for entry in container.get("env", [])},
    )


def change(folder: Path, files: Mapping[str, str]) -> None:
    """Puts other files into a mounted folder, all at one moment, in the way of a kubelet: by a link to their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / f"..{len(list(folder.glob('..[0-9]*')))}"
    version.mkdir()
    for name, content in files.items():
        (version / name).write_text(content, encoding="utf-8")
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    following = folder / "..data_tmp"
    following.symlink_to(version.name)
    following.rename(folder / "..data")


def _files(volume: Manifest, config_maps: Secrets, secrets: Secrets) -> Iterator[tuple[str, str]]:
    if "configMap" in volume:
        yield from config_maps[volume["configMap"]["name"]].items()
    elif "secret" in volume:
        source = volume["secret"]
        yield from _chosen(secrets[source["secretName"]], source.get("items"))
    elif "projected" in volume:
        for source in volume["projected"]["sources"]:
            yield from _chosen(secrets[source["secret"]["name"]], source["secret"]["items"])
    else:
        assert volume.keys() & {"emptyDir", "persistentVolumeClaim"}, volume


def _chosen(content: Mapping[str, str], items: list[Any] | None) -> Iterator[tuple[str, str]]:
    if items is None:
        yield from content.items()
    else:
        yield from ((item["path"], content[item["key"]]) for item in items)


def _value(entry: Manifest, secrets: Secrets) -> str:
    if "value" in entry:
        return str(entry["value"])
    reference = entry["valueFrom"]["secretKeyRef"]
    return secrets[reference["name"]][reference["key"]]


def secrets_of(pod: Manifest) -> dict[str, dict[str, str]]:
    """Secrets with every key that a pod asks for; each value is long enough for a shared secret."""
    wanted: dict[str, dict[str, str]] = {}

    def want(name: str, key: str) -> None:
        wanted.setdefault(name, {})[key] = base64.b64encode(f"{name}/{key}".encode()).decode().ljust(40, ".")

    for volume in pod["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            for item in source["secret"]["items"]:
                want(source["secret"]["name"], item["key"])
    for container in pod["containers"]:
        for entry in container.get("env", []):
            if reference := entry.get("valueFrom", {}).get("secretKeyRef"):
                want(reference["name"], reference["key"])
    return wanted
