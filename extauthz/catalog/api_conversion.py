"""Checked API documents to the model's APIs."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from extauthz.catalog.api_entities import (
    ApiDocument,
    ApiSecurityDocument,
    CorsDocument,
    RegisteredCertificateDocument,
    ResourceDocument,
)
from extauthz.catalog.places import Places
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.model.api import Api, Resource
from extauthz.model.api_security import ApiKeyPlacement, ApiSecurity, RegisteredCertificate
from extauthz.model.cors import Cors
from extauthz.oauth2 import base64url


def api(document: ApiDocument, organization: str, places: Places) -> Api:
    """An API, with the certificates that it names.

    Raises:
        DocumentError: a certificate cannot be read.
    """
    return Api(
        id=document.id,
        organization=document.organization or organization,
        name=document.name,
        version=document.version,
        context=document.full_context(),
        default_context=document.default_context(),
        hosts=document.hosts,
        publisher=document.publisher,
        state=document.state,
        resources=tuple(_resource(resource) for resource in document.resources),
        key_managers=document.key_managers,
        security=_security(document.security, places),
        subscription_required=document.subscription_required,
        key_types=document.key_types,
        audiences=document.audiences,
        scope_matching=document.scope_matching,
        cors=_cors(document.cors) if document.cors else None,
        forward_authorization=document.forward_authorization,
        forward_client_certificate=document.forward_client_certificate,
        backend_jwt=document.backend_jwt,
        backend_jwt_audience=document.backend_jwt_audience,
        shadow=document.shadow,
    )


def _resource(document: ResourceDocument) -> Resource:
    return Resource(
        template=document.template,
        methods=document.methods,
        scopes=document.scopes,
        scope_rule=document.scope_rule,
        open=document.open,
    )


def _cors(document: CorsDocument) -> Cors:
    return Cors(origins=document.origins, credentials=document.credentials, exposed_headers=document.exposed_headers)


def _security(document: ApiSecurityDocument, places: Places) -> ApiSecurity:
    placement = document.api_key
    return ApiSecurity(
        oauth2=document.oauth2,
        api_key=ApiKeyPlacement(header=placement.header.lower() if placement.header else None, query=placement.query)
        if placement
        else None,
        application=document.application,
        mutual_tls=document.mutual_tls,
        certificates=tuple(_certificate(certificate, places) for certificate in document.certificates),
    )


def _certificate(document: RegisteredCertificateDocument, places: Places) -> RegisteredCertificate:
    pem = places.pem(document)
    try:
        certificate = load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        name = document.file or document.alias or "pem"
        mistake = Mistake(location=("apis",), message=f"the client certificate `{name}` is not one in PEM")
        raise DocumentError("catalog", [mistake]) from error
    return RegisteredCertificate(
        thumbprint=base64url.encode(certificate.fingerprint(SHA256())),
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        policy=document.policy,
        key_type=document.key_type,
        scopes=document.scopes,
        pem=pem,
    )
