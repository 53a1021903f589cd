"""The API that a route names in its metadata.

Metadata are written by whoever writes the route, in Envoy's configuration or in Kubernetes; clients have no part in
them. Envoy sends those of the namespaces in `route_metadata_context_namespaces`.
"""

from collections.abc import Iterator

from envoy.config.core.v3.base_pb2 import Metadata
from google.protobuf.struct_pb2 import Value

from extauthz.model.errors import Denied, Reason

NAMESPACE = "extauthz"
KEY = "api"
"""For routes that are written for us: `filter_metadata: {extauthz: {api: petstore-v1}}`."""

ENVOY_GATEWAY_NAMESPACE = "envoy-gateway"
ENVOY_GATEWAY_ANNOTATION = "extauthz-api"
"""Of an HTTPRoute, `gateway.envoyproxy.io/extauthz-api`: Envoy Gateway passes annotations on without that prefix."""


def api_of_route(metadata: Metadata) -> str | None:
    """The id, or None where the metadata name no API.

    Raises:
        Denied: no_matching_api, where they name two, or something that is no name.
    """
    if not metadata.filter_metadata:  # as of most routes
        return None
    named = {value.string_value if value.HasField("string_value") else None for value in _values(metadata)}
    if not named:
        return None
    name = named.pop()
    if named or name is None:
        raise Denied(Reason.NO_MATCHING_API, "the route's metadata name two APIs, or something that is no name")
    return name


def _values(metadata: Metadata) -> Iterator[Value]:
    # A map of protobuf makes an entry of whatever is read with [].
    namespaces = metadata.filter_metadata
    if NAMESPACE in namespaces and KEY in (fields := namespaces[NAMESPACE].fields):
        yield fields[KEY]
    if ENVOY_GATEWAY_NAMESPACE in namespaces and "resources" in (fields := namespaces[ENVOY_GATEWAY_NAMESPACE].fields):
        for resource in fields["resources"].list_value.values:
            yield from _annotations(resource)


def _annotations(resource: Value) -> Iterator[Value]:
    described = resource.struct_value.fields
    if "annotations" in described:
        annotations = described["annotations"].struct_value.fields
        if ENVOY_GATEWAY_ANNOTATION in annotations:
            yield annotations[ENVOY_GATEWAY_ANNOTATION]
