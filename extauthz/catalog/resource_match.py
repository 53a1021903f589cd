"""Which resource of an API a request is for."""

from collections.abc import Iterable

from extauthz.catalog.api_index import Located
from extauthz.catalog.resource_template import Resources
from extauthz.model.api import WEBSOCKET, Resource, ResourceMatch
from extauthz.model.check import Headers, RequestContext
from extauthz.model.cors import allowed_origin
from extauthz.model.errors import Denied, Reason


def resource_match(request: RequestContext, located: Located) -> ResourceMatch:
    """The resource at the most specific template, if it answers to the request's method.

    Raises:
        Denied: no_matching_resource or method_not_allowed.
    """
    api, method = located.indexed.api, request.method
    resources = located.indexed.resources.find(located.below)
    if resources is None:
        raise Denied(Reason.NO_MATCHING_RESOURCE, f"no template of {api.id} matches")
    # Headers are read last: most APIs have nothing to which they could matter.
    if method == "OPTIONS" and api.cors is not None and allowed_origin(api.cors, request.headers.get("origin")):
        asked = _preflight(request.headers, resources)
        if asked is not None:
            return ResourceMatch(api, asked, preflight=True)
    if method == "GET":
        websocket = _with_method(WEBSOCKET, resources)
        if websocket is not None and _asks_for_websocket(request.headers):
            return ResourceMatch(api, websocket)
    resource = _with_method(method, resources) if method != WEBSOCKET else None
    if resource is None:
        methods = frozenset(_http_methods(resources))
        raise Denied(Reason.METHOD_NOT_ALLOWED, f"not a method of this resource of {api.id}", methods=methods)
    return ResourceMatch(api, resource)


def _preflight(headers: Headers, resources: Resources) -> Resource | None:
    """The resource that a browser asks about, if this is a browser that asks.

    A preflight names one method and shows no credential (Fetch standard, "CORS-preflight fetch"). With a token it is a
    request like any other: an API that forwards tokens forwards none that nobody has looked at.
    """
    method = headers.get("access-control-request-method")
    if not method or method == WEBSOCKET or headers.get("authorization"):
        return None
    return _with_method(method, resources) or _with_method("OPTIONS", resources)


def _asks_for_websocket(headers: Headers) -> bool:
    # RFC 9110 §7.8: a list of protocols, each with or without a version; RFC 6455 §4.2.1: in letters of any case.
    asked = headers.get("upgrade")
    return bool(asked) and any(_protocol(part) == "websocket" for part in asked.split(","))


def _protocol(part: str) -> str:
    return part.partition("/")[0].strip().lower()


def _with_method(method: str, resources: Resources) -> Resource | None:
    for resource in resources:
        if method in resource.methods:
            return resource
    return None


def _http_methods(resources: Resources) -> Iterable[str]:
    """What `Allow` may say of them."""
    for resource in resources:
        for method in resource.methods:
            yield "GET" if method == WEBSOCKET else method
