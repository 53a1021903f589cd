"""The chart as Helm renders it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from helm.values_file import CHART
from helm_python import Chart, values_from_yaml

RELEASE = "gate"
NAMESPACE = "gateways"
GOLDEN = ("minimal", "complete", "redis", "tls-cert-manager", "network-policy", "resident", "http-check", "keda")
"""Values files whose renders are kept; enough that every template is in one of them."""

_GOLDEN_FOLDER = Path(__file__).parent / "golden"

Manifest = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """As Kubernetes reads it: a key that stands twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class says so
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice in {keys}"
        return super().construct_mapping(node, deep)


def ci_names() -> list[str]:
    """The values files of `ci/`, by what stands before `-values.yaml`."""
    return sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))


def ci_values(name: str) -> dict[str, Any]:
    """One of them, read as Helm reads it."""
    return values_from_yaml((CHART / f"ci/{name}-values.yaml").read_text(encoding="utf-8"))


def golden_file(name: str) -> Path:
    """Where the render of a values file is kept."""
    return _GOLDEN_FOLDER / f"{name}.yaml"


@cache
def _chart() -> Chart:
    return Chart.load(CHART)


@cache
def rendered_ci(name: str) -> "Rendered":
    """The render of a values file; rendering takes a while, so once."""
    return render(ci_values(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Helm would send to the cluster."""

    texts: dict[str, str]
    """By template."""
    manifests: tuple[Manifest, ...]
    """All objects, hooks included."""

    def find(self, kind: str, name: str) -> Manifest:
        """The object of this kind and name."""
        (found,) = [m for m in self.manifests if m["kind"] == kind and m["metadata"]["name"] == name]
        return found

    def kinds(self) -> set[str]:
        """Kinds of the objects."""
        return {manifest["kind"] for manifest in self.manifests}

    def pods(self) -> Iterator[Manifest]:
        """The specifications of all pods."""
        for manifest in self.manifests:
            if manifest["kind"] == "Deployment":
                yield manifest["spec"]["template"]["spec"]
            elif manifest["kind"] == "Pod":
                yield manifest["spec"]

    @property
    def deployment(self) -> Manifest:
        """That of the data plane."""
        (found,) = [
            manifest
            for manifest in self.manifests
            if manifest["kind"] == "Deployment"
            and manifest["metadata"]["labels"]["app.kubernetes.io/component"] == "data-plane"
        ]
        return found

    @property
    def pod(self) -> Manifest:
        """The pod's specification of the data plane."""
        spec: Manifest = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        """The container of the data plane."""
        container: Manifest = self.pod["containers"][0]
        return container

    @property
    def notes(self) -> str:
        """What `helm install` prints."""
        (text,) = [text for name, text in self.texts.items() if name.endswith("NOTES.txt")]
        return text


def render(values: dict[str, Any], chart: Chart | None = None) -> Rendered:
    """Renders the chart.

    Raises:
        HelmError: the values cannot be used.
    """
    texts = (chart or _chart()).render(values, name=RELEASE, namespace=NAMESPACE)
    documents = (yaml.load_all(text, Loader=_Loader) for name, text in texts.items() if not name.endswith("NOTES.txt"))
    return Rendered(texts=texts, manifests=tuple(filter(None, chain.from_iterable(documents))))


def golden(name: str) -> str:
    """The render of a values file as one text."""
    texts = sorted(rendered_ci(name).texts.items())
    return "".join(f"# {name.partition('/')[2]}\n{text.strip()}\n\n" for name, text in texts if text.strip())


CATALOG: Manifest = {"catalog": {"existingConfigMap": "apis"}}
"""The least that is needed."""


def rendered_with(**values: Any) -> Rendered:
    """The render of these values and a catalog."""
    return render(CATALOG | values)


def port_of(service: Manifest) -> Manifest:
    """The port of a Service that has one."""
    port: Manifest
    (port,) = service["spec"]["ports"]
    return port
