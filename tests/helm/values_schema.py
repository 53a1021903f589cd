"""values.schema.json: made from values.yaml, our own settings classes, and the schemas of Kubernetes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from helm.kubernetes import definitions, newest_releases
from helm.values_file import Value, values
from pydantic import BaseModel

from extauthz.catalog.document import CatalogDocument
from extauthz.cli.check.expectations import ExpectationsDocument
from extauthz.resident.settings import ResidentSettings
from extauthz.settings.process import Settings

Schema = dict[str, Any]

_DOCUMENTS: tuple[type[BaseModel], ...] = (Settings, CatalogDocument, ResidentSettings, ExpectationsDocument)
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}

_TEXT = {"type": "string", "minLength": 1}
_SECRET_KEY = {"existingSecret": _TEXT, "key": {**_TEXT, "pattern": "^[-._a-zA-Z0-9]+$"}}


def _closed(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_OWN: Mapping[str, Schema] = {
    "strings": _STRINGS,
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "secretKey": _closed(_SECRET_KEY, "existingSecret", "key"),
    "secrets": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-zA-Z0-9][-._a-zA-Z0-9]*$"},
        "additionalProperties": _closed(
            {**_SECRET_KEY, "as": {"enum": ["file", "env"]}, "hosts": {"type": "array", "items": _TEXT}},
            "existingSecret",
            "key",
        ),
    },
    "relabeling": _closed(
        {
            "sourceLabels": {"type": "array", "items": _TEXT},
            "separator": {"type": "string"},
            "targetLabel": _TEXT,
            "regex": {"type": "string"},
            "modulus": {"type": "integer", "minimum": 1},
            "replacement": {"type": "string"},
            "action": _TEXT,
        }
    ),
    "ruleGroup": _closed(
        {
            "name": _TEXT,
            "interval": _TEXT,
            "labels": _STRINGS,
            "rules": {
                "type": "array",
                "items": _closed(
                    {
                        **dict.fromkeys(("alert", "record", "expr", "for", "keep_firing_for"), _TEXT),
                        "labels": _STRINGS,
                        "annotations": _STRINGS,
                    },
                    "expr",
                ),
            },
        },
        "name",
        "rules",
    ),
    "kedaTrigger": _closed(
        {
            "type": _TEXT,
            "name": _TEXT,
            "metadata": _STRINGS,
            "metricType": {"enum": ["AverageValue", "Value", "Utilization"]},
            "useCachedMetrics": {"type": "boolean"},
            "authenticationRef": _closed(
                {"name": _TEXT, "kind": {"enum": ["TriggerAuthentication", "ClusterTriggerAuthentication"]}}, "name"
            ),
        },
        "type",
        "metadata",
    ),
    "kedaFallback": _closed(
        {
            "failureThreshold": {"type": "integer", "minimum": 1},
            "replicas": {"type": "integer", "minimum": 1},
            "behavior": {"enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]},
        },
        "failureThreshold",
        "replicas",
    ),
    # An object of any kind: the API server alone knows its schema.
    "object": {"type": "object", "required": ["apiVersion", "kind", "metadata"], "additionalProperties": True},
}


def values_schema(values_yaml: str, renamed_yaml: str = "[]") -> Schema:
    """The JSON Schema of a values.yaml; values that were renamed stay known, for the templates to explain."""
    schema = _section(values(values_yaml))
    for row in yaml.safe_load(renamed_yaml) or []:
        _keep(schema, row["name"].split("."))
    # Helm hands these to every chart.
    schema["properties"]["global"] = {"type": "object", "additionalProperties": True}
    used: Schema = {}
    _collect(_references(schema), used)
    used = {_name(reference): _resolved(used[reference]) for reference in sorted(used)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_resolved(schema), "$defs": used}


def subschemas(schema: Schema) -> Iterator[Schema]:
    """Those directly below one."""
    for key, item in schema.items():
        if key in _MAPS:
            yield from item.values()
        elif key in _LISTS:
            yield from item
        elif key in _SINGLE and isinstance(item, dict):
            yield item


_MAPS = frozenset({"properties", "patternProperties", "$defs"})
_LISTS = frozenset({"anyOf", "allOf", "oneOf"})
_SINGLE = frozenset({"items", "additionalProperties", "propertyNames", "not"})


def _changed(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """The schema with a change made to it and to all below."""
    below: Schema = {}
    for key, item in schema.items():
        if key in _MAPS:
            below[key] = {name: _changed(inner, change) for name, inner in item.items()}
        elif key in _LISTS:
            below[key] = [_changed(inner, change) for inner in item]
        elif key in _SINGLE and isinstance(item, dict):
            below[key] = _changed(item, change)
        else:
            below[key] = item
    return change(below)


def _keep(schema: Schema, path: list[str]) -> None:
    for part in path[:-1]:
        schema = schema["properties"].setdefault(part, _closed({}))
    schema["properties"][path[-1]] = {"deprecated": True}


def _section(tree: Iterable[Value]) -> Schema:
    return _closed({value.path[-1]: _property(value) for value in tree})


def _property(value: Value) -> Schema:
    if value.children:
        return _section(value.children)
    annotated = dict(value.annotated or {})
    says_the_type = annotated.keys() & {"$ref", "enum", "anyOf"}
    inferred = {} if says_the_type else {"type": _TYPES.get(type(value.default), "object")}
    return {"description": value.description, **inferred, **annotated}


def _references(schema: Schema) -> set[str]:
    here = {schema["$ref"]} if "$ref" in schema else set()
    return here.union(*(_references(below) for below in subschemas(schema)))


def _resolved(schema: Schema) -> Schema:
    """With references to `$defs`."""

    def resolve(part: Schema) -> Schema:
        return part | {"$ref": f"#/$defs/{_name(part['$ref'])}"} if "$ref" in part else part

    return _changed(schema, resolve)


def _name(reference: str) -> str:
    return reference.replace("/", ".")


def _collect(references: Iterable[str], into: Schema) -> None:
    for reference in references:
        if reference not in into:
            into[reference] = _definition(reference)
            _collect(_references(into[reference]), into)


def _definition(reference: str) -> Schema:
    room, _, name = reference.rpartition("/")
    rooms: Mapping[str, Mapping[str, Schema]] = {"k8s": _kubernetes(), "extauthz": _documents(), "": _OWN}
    return rooms[room][name]


@cache
def _documents() -> Mapping[str, Schema]:
    """The parts of our documents. Of a whole one nothing is required: the chart adds what it knows."""
    found: Schema = {}
    for document in _DOCUMENTS:
        whole = document.model_json_schema()
        parts = whole.pop("$defs", {}) | {document.__name__: {k: v for k, v in whole.items() if k != "required"}}
        found |= {name: _changed(part, _ours) for name, part in parts.items()}
    return found


def _ours(schema: Schema) -> Schema:
    """Without words for people, and closed where the names of keys are known by a pattern."""
    kept = {key: item for key, item in schema.items() if key not in {"title", "description", "default"}}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return _at(kept, "extauthz")


@cache
def _kubernetes() -> Mapping[str, Schema]:
    """The types of the newest release by their short names."""
    stable = re.compile(r"^io\.k8s\.(api\.(core|networking|apps)\.v1|api\.autoscaling\.v2|apimachinery\.pkg)\.")
    return {
        name.rpartition(".")[2]: _changed(definition, _theirs)
        for name, definition in definitions(newest_releases(1)[0]).items()
        if stable.match(name)
    }


def _theirs(schema: Schema) -> Schema:
    kept = {key: item for key, item in schema.items() if key != "description" and not key.startswith("x-kubernetes")}
    if "oneOf" in kept:  # of forms that all take null
        kept["anyOf"] = kept.pop("oneOf")
    return _at(kept, "k8s")


def _at(schema: Schema, room: str) -> Schema:
    """With references by room and short name."""
    if "$ref" in schema:
        return schema | {"$ref": f"{room}/{schema['$ref'].rpartition('/')[2].rpartition('.')[2]}"}
    return schema
