"""The model's APIs back to documents, as an operator could have written them."""

from collections.abc import Iterator
from itertools import combinations

from extauthz.catalog.api_entities import (
    VERSION,
    ApiDocument,
    ApiKeyPlacementDocument,
    ApiSecurityDocument,
    CorsDocument,
    RegisteredCertificateDocument,
    ResourceDocument,
)
from extauthz.model.api import Api, Resource
from extauthz.model.api_security import ApiSecurity, RegisteredCertificate
from extauthz.model.cors import Cors


def api_document(api: Api) -> ApiDocument:
    """The document of an API.

    Raises:
        ValueError: it is none that can be written today.
    """
    return ApiDocument(
        id=api.id,
        organization=api.organization,
        name=api.name,
        version=api.version,
        context=_context(api),
        default_version=api.default_context is not None,
        hosts=api.hosts,
        publisher=api.publisher,
        state=api.state,
        resources=tuple(_resource(resource) for resource in api.resources),
        key_managers=api.key_managers,
        security=_security(api.security),
        subscription_required=api.subscription_required,
        key_types=api.key_types,
        audiences=api.audiences,
        scope_matching=api.scope_matching,
        cors=_cors(api.cors) if api.cors else None,
        forward_authorization=api.forward_authorization,
        forward_client_certificate=api.forward_client_certificate,
        backend_jwt=api.backend_jwt,
        backend_jwt_audience=api.backend_jwt_audience,
        shadow=api.shadow,
    )


def _context(api: Api) -> str:
    """The context with `{version}` where it must have stood."""
    if api.default_context is None:
        return api.context
    found = next((each for each in _contexts(api) if _without_version(each) == api.default_context), None)
    if found is None:
        raise ValueError("its default context is not its context without the version")
    return found


def _contexts(api: Api) -> Iterator[str]:
    """The context with `{version}` in the place of one or more of its versions."""
    # A version may have a slash; then its segments stand for it together.
    parts = f"{api.context}/".replace(f"/{api.version}/", f"/{VERSION}/").replace(f"/{api.version}/", f"/{VERSION}/")
    places = [index for index, part in enumerate(parts[:-1].split("/")) if part == VERSION]
    for number in range(1, len(places) + 1):
        for chosen in combinations(places, number):
            yield "/".join(
                api.version if part == VERSION and index not in chosen else part
                for index, part in enumerate(parts[:-1].split("/"))
            )


def _without_version(context: str) -> str:
    return "/".join(part for part in context.split("/") if part != VERSION) or "/"


def _resource(resource: Resource) -> ResourceDocument:
    return ResourceDocument(
        template=resource.template,
        methods=resource.methods,
        scopes=resource.scopes,
        scope_rule=resource.scope_rule,
        open=resource.open,
    )


def _cors(cors: Cors) -> CorsDocument:
    return CorsDocument(origins=cors.origins, credentials=cors.credentials, exposed_headers=cors.exposed_headers)


def _security(security: ApiSecurity) -> ApiSecurityDocument:
    placement = security.api_key
    return ApiSecurityDocument(
        oauth2=security.oauth2,
        api_key=ApiKeyPlacementDocument(header=placement.header, query=placement.query) if placement else None,
        application=security.application,
        mutual_tls=security.mutual_tls,
        certificates=tuple(_certificate(certificate) for certificate in security.certificates),
    )


def _certificate(certificate: RegisteredCertificate) -> RegisteredCertificateDocument:
    return RegisteredCertificateDocument(
        pem=certificate.pem, policy=certificate.policy, key_type=certificate.key_type, scopes=certificate.scopes
    )
