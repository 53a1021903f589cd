"""The schemas of Kubernetes' API, one set a release."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types
from kubernetes_validate.utils import (  # type: ignore[import-untyped]  # has no types
    all_versions,
    major_minor,
    schema_contents,
)
from referencing import Registry, Resource

Schema = dict[str, Any]


class UnknownKind(Exception):  # noqa: N818 - says what it is
    """Kubernetes itself has no such kind: it is a custom resource."""


def newest_releases(count: int) -> list[str]:
    """Of those that kubernetes-validate knows, the newest first."""
    newest: dict[str, str] = {major_minor(version): version for version in all_versions()}
    return list(reversed(newest.values()))[:count]


@cache
def definitions(version: str) -> Mapping[str, Schema]:
    """All types of a release; objects have no keys but those that are listed."""
    found: dict[str, Schema] = _contents(version, "_definitions")["$defs"]
    return found


def mistakes(manifest: Mapping[str, Any], version: str) -> list[str]:
    """What a release would find wrong with an object.

    Raises:
        UnknownKind: the release has no such kind.
    """
    return _mistakes(json.dumps(manifest), version)


@cache
def _mistakes(manifest: str, version: str) -> list[str]:
    # Most values files have the same Services.
    document = json.loads(manifest)
    return _told(_validator(version, document["apiVersion"], document["kind"]), document)


def contradictions(document: Any, schema: Schema) -> list[str]:
    """What a schema finds wrong with a document."""
    return _told(Draft202012Validator(schema), document)


def _told(validator: Any, document: Any) -> list[str]:
    errors = validator.iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


@cache
def _validator(version: str, api_version: str, kind: str) -> Any:
    """kubernetes_validate.validate reads megabytes of definitions for each object; here they are read once."""
    group, _, release = api_version.rpartition("/")
    short = "-".join(part for part in (group.partition(".")[0], release) if part)
    try:
        schema = _contents(version, f"{kind.lower()}-{short}")
    except FileNotFoundError as error:
        raise UnknownKind(f"{api_version} {kind}") from error
    return Draft202012Validator(schema, registry=_registry(version))


@cache
def _registry(version: str) -> Any:
    resource: Resource[Any] = Resource.from_contents(_contents(version, "_definitions"))
    empty: Registry[Any] = Registry()
    return resource @ empty


@cache
def _contents(version: str, name: str) -> Any:
    return schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
