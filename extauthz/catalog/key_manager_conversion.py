"""Checked key manager documents to the model's key managers."""

import hashlib
import json
import re
from dataclasses import asdict, replace

from extauthz.catalog.introspection_entities import (
    AuthenticationDocument,
    CircuitBreakerDocument,
    IntrospectionDocument,
    RefreshDocument,
    SignedAnswerDocument,
    TokenRequestDocument,
    UserinfoDocument,
)
from extauthz.catalog.key_manager_entities import DecryptionDocument, JwtDocument, KeyManagerDocument
from extauthz.catalog.opaque_token_entities import OpaqueTokenRuleDocument, OpaqueTokensDocument
from extauthz.catalog.places import Places
from extauthz.model.key_manager import (
    BasicAuthentication,
    CircuitBreaker,
    ClientCredentialsGrant,
    ClientSecretPost,
    Decryption,
    DirectToken,
    EndpointAuthentication,
    Introspection,
    JwtValidation,
    KeyManager,
    MutualTls,
    PasswordGrant,
    PrivateKeyJwt,
    RefreshGrant,
    SignedAnswer,
    TokenRequest,
    Userinfo,
)
from extauthz.model.opaque_tokens import OpaqueTokenRule, OpaqueTokens

_FINGERPRINT_VERSION = 2
_NOT_VALIDATION = frozenset({"fingerprint", "enabled", "subscription_validation", "backend_jwt", "binding"})
"""Settings that are looked at on every Check, so that a change of them need not forget what is cached."""


def key_manager(document: KeyManagerDocument, organization: str, places: Places) -> KeyManager:
    """A key manager, with the certificates that it names.

    Raises:
        DocumentError: a certificate file cannot be read.
    """
    made = KeyManager(
        id=document.id,
        organization=document.organization or organization,
        issuer=document.issuer,
        enabled=document.enabled,
        validation=document.validation,
        introspect_failed_jwt=document.introspect_failed_jwt,
        jwt=_jwt(document.jwt, places) if document.jwt else None,
        introspection=_introspection(document.introspection, places) if document.introspection else None,
        userinfo=_userinfo(document.userinfo, places) if document.userinfo else None,
        clock_skew_seconds=document.clock_skew_seconds,
        client_id_claim=document.client_id_claim,
        scopes_claim=document.scopes_claim,
        claim_mapping=document.claim_mapping,
        binding=document.binding,
        subscription_validation=document.subscription_validation,
        backend_jwt=document.backend_jwt,
    )
    return replace(made, fingerprint=fingerprint(made))


def fingerprint(made: KeyManager) -> bytes:
    """SHA-256 over the canonical JSON of the settings that decide what is a valid token, and a format version."""
    settings = {name: value for name, value in asdict(made).items() if name not in _NOT_VALIDATION}
    canonical = json.dumps([_FINGERPRINT_VERSION, settings], sort_keys=True, default=sorted, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def opaque_tokens(document: OpaqueTokensDocument, organization: str) -> OpaqueTokens:
    """What the catalog says about opaque tokens."""
    rules = tuple(_opaque_token_rule(rule, organization) for rule in document.rules)
    return OpaqueTokens(rules=rules, try_next=document.try_next)


def _opaque_token_rule(document: OpaqueTokenRuleDocument, organization: str) -> OpaqueTokenRule:
    """A rule that says whose an opaque token is."""
    return OpaqueTokenRule(
        key_manager=document.key_manager,
        organization=document.organization or organization,
        prefix=document.prefix,
        pattern=re.compile(document.pattern) if document.pattern is not None else None,
        header=(document.header.name.lower(), document.header.value) if document.header else None,
    )


def _jwt(document: JwtDocument, places: Places) -> JwtValidation:
    return JwtValidation(
        jwks_uri=document.jwks_uri,
        discovery=document.discovery,
        ca_file=places.path(document.ca_file),
        certificates=tuple(places.pem(certificate) for certificate in document.certificates),
        certificate_validity=document.certificate_validity,
        algorithms=document.algorithms,
        audiences=document.audiences,
        token_types=frozenset(name.lower().removeprefix("application/") for name in document.token_types),
        decryption=_decryption(document.decryption) if document.decryption else None,
    )


def _decryption(document: DecryptionDocument) -> Decryption:
    return Decryption(key_secrets=document.keys, algorithms=document.algorithms, encryptions=document.encryptions)


def _introspection(document: IntrospectionDocument, places: Places) -> Introspection:
    return Introspection(
        endpoint=document.endpoint,
        authentication=_authentication(document.authentication, places),
        connect_timeout_seconds=document.connect_timeout_seconds,
        timeout_seconds=document.timeout_seconds,
        max_concurrent=document.max_concurrent,
        circuit_breaker=_circuit_breaker(document.circuit_breaker),
        ca_file=places.path(document.ca_file),
        signed_answer=_signed_answer(document.signed_answer) if document.signed_answer else None,
        audiences=document.audiences,
        token_types=frozenset(name.lower() for name in document.token_types),
        stale_if_error_seconds=document.stale_if_error_seconds,
    )


def _userinfo(document: UserinfoDocument, places: Places) -> Userinfo:
    return Userinfo(
        endpoint=document.endpoint,
        ttl_seconds=document.ttl_seconds,
        connect_timeout_seconds=document.connect_timeout_seconds,
        timeout_seconds=document.timeout_seconds,
        max_concurrent=document.max_concurrent,
        circuit_breaker=_circuit_breaker(document.circuit_breaker),
        ca_file=places.path(document.ca_file),
    )


def _circuit_breaker(document: CircuitBreakerDocument) -> CircuitBreaker:
    return CircuitBreaker(failures=document.failures, open_seconds=document.open_seconds)


def _signed_answer(document: SignedAnswerDocument) -> SignedAnswer:
    return SignedAnswer(algorithms=document.algorithms, audience=document.audience, required=document.required)


def _authentication(document: AuthenticationDocument, places: Places) -> EndpointAuthentication:
    if basic := document.basic:
        return BasicAuthentication(username=basic.username, password_secret=basic.password)
    if post := document.client_secret_post:
        return ClientSecretPost(client_id=post.client_id, client_secret=post.client_secret)
    if assertion := document.private_key_jwt:
        return PrivateKeyJwt(
            client_id=assertion.client_id,
            key_secret=assertion.key,
            algorithm=assertion.algorithm,
            kid=assertion.kid,
            audience=assertion.audience,
        )
    if tls := document.mutual_tls:
        return MutualTls(
            client_id=tls.client_id, certificate_file=str(places.later / tls.certificate_file), key_secret=tls.key
        )
    return _grant(document)


def _grant(document: AuthenticationDocument) -> EndpointAuthentication:
    if client := document.client_credentials:
        return ClientCredentialsGrant(request=_request(client))
    if password := document.password:
        return PasswordGrant(
            request=_request(password),
            username=password.username,
            password_secret=password.password,
            refresh=_refresh(password.refresh),
        )
    if direct := document.direct_token:
        return DirectToken(token_secret=direct.access_token, refresh=_refresh(direct.refresh))
    raise AssertionError("AuthenticationDocument lets exactly one through")


def _request(document: TokenRequestDocument) -> TokenRequest:
    return TokenRequest(
        token_endpoint=document.token_endpoint,
        client_id=document.client_id,
        client_secret=document.client_secret,
        credentials=document.credentials,
        scopes=document.scopes,
    )


def _refresh(document: RefreshDocument | None) -> RefreshGrant | None:
    return RefreshGrant(request=_request(document), refresh_token=document.refresh_token) if document else None
