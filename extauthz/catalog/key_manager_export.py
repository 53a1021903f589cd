"""The model's key managers back to documents, as an operator could have written them."""

from typing import Any, assert_never

from extauthz.catalog.introspection_entities import (
    AuthenticationDocument,
    BasicDocument,
    CircuitBreakerDocument,
    ClientCredentialsDocument,
    ClientSecretPostDocument,
    DirectTokenDocument,
    IntrospectionDocument,
    MutualTlsDocument,
    PasswordDocument,
    PrivateKeyJwtDocument,
    RefreshDocument,
    SignedAnswerDocument,
    UserinfoDocument,
)
from extauthz.catalog.key_manager_entities import (
    CertificateDocument,
    DecryptionDocument,
    JwtDocument,
    KeyManagerDocument,
)
from extauthz.catalog.opaque_token_entities import HeaderDocument, OpaqueTokenRuleDocument, OpaqueTokensDocument
from extauthz.catalog.values import is_plain_http
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

_APPLICATION = "application/"


def key_manager_document(made: KeyManager) -> KeyManagerDocument:
    """The document of a key manager.

    Raises:
        ValueError: it is none that can be written today.
    """
    document = KeyManagerDocument(
        id=made.id,
        organization=made.organization,
        issuer=made.issuer,
        enabled=made.enabled,
        validation=made.validation,
        introspect_failed_jwt=made.introspect_failed_jwt,
        jwt=_jwt(made.jwt) if made.jwt else None,
        introspection=_introspection(made.introspection) if made.introspection else None,
        userinfo=_userinfo(made.userinfo) if made.userinfo else None,
        allow_plain_http=True,
        clock_skew_seconds=made.clock_skew_seconds,
        client_id_claim=made.client_id_claim,
        scopes_claim=made.scopes_claim,
        claim_mapping=dict(made.claim_mapping),
        binding=made.binding,
        subscription_validation=made.subscription_validation,
        backend_jwt=made.backend_jwt,
    )
    # The operator's word is not kept; that there are such endpoints is.
    needed = any(is_plain_http(url) for _, url in document.endpoints())
    return document if needed else document.model_copy(update={"allow_plain_http": False})


def opaque_tokens_document(made: OpaqueTokens) -> OpaqueTokensDocument:
    """The document of what is said about opaque tokens."""
    return OpaqueTokensDocument(rules=tuple(_rule(rule) for rule in made.rules), try_next=made.try_next)


def _rule(rule: OpaqueTokenRule) -> OpaqueTokenRuleDocument:
    return OpaqueTokenRuleDocument(
        key_manager=rule.key_manager,
        organization=rule.organization,
        prefix=rule.prefix,
        pattern=rule.pattern.pattern if rule.pattern else None,
        header=HeaderDocument(name=rule.header[0], value=rule.header[1]) if rule.header else None,
    )


def _jwt(jwt: JwtValidation) -> JwtDocument:
    return JwtDocument(
        jwks_uri=jwt.jwks_uri,
        discovery=jwt.discovery,
        ca_file=jwt.ca_file,
        certificates=tuple(CertificateDocument(pem=pem) for pem in jwt.certificates),
        certificate_validity=jwt.certificate_validity,
        algorithms=jwt.algorithms,
        audiences=jwt.audiences,
        token_types=frozenset(_token_type(name) for name in jwt.token_types),
        decryption=_decryption(jwt.decryption) if jwt.decryption else None,
    )


def _token_type(name: str) -> str:
    """One that still begins with `application/` had it twice, and would lose it."""
    return f"{_APPLICATION}{name}" if name.startswith(_APPLICATION) else name


def _decryption(decryption: Decryption) -> DecryptionDocument:
    return DecryptionDocument(
        keys=decryption.key_secrets, algorithms=decryption.algorithms, encryptions=decryption.encryptions
    )


def _introspection(made: Introspection) -> IntrospectionDocument:
    return IntrospectionDocument(
        endpoint=made.endpoint,
        authentication=_authentication(made.authentication),
        connect_timeout_seconds=made.connect_timeout_seconds,
        timeout_seconds=made.timeout_seconds,
        max_concurrent=made.max_concurrent,
        circuit_breaker=_circuit_breaker(made.circuit_breaker),
        ca_file=made.ca_file,
        signed_answer=_signed_answer(made.signed_answer) if made.signed_answer else None,
        audiences=made.audiences,
        token_types=made.token_types,
        stale_if_error_seconds=made.stale_if_error_seconds,
    )


def _userinfo(made: Userinfo) -> UserinfoDocument:
    return UserinfoDocument(
        endpoint=made.endpoint,
        ttl_seconds=made.ttl_seconds,
        connect_timeout_seconds=made.connect_timeout_seconds,
        timeout_seconds=made.timeout_seconds,
        max_concurrent=made.max_concurrent,
        circuit_breaker=_circuit_breaker(made.circuit_breaker),
        ca_file=made.ca_file,
    )


def _circuit_breaker(breaker: CircuitBreaker) -> CircuitBreakerDocument:
    return CircuitBreakerDocument(failures=breaker.failures, open_seconds=breaker.open_seconds)


def _signed_answer(signed: SignedAnswer) -> SignedAnswerDocument:
    return SignedAnswerDocument(audience=signed.audience, algorithms=signed.algorithms, required=signed.required)


def _authentication(made: EndpointAuthentication) -> AuthenticationDocument:
    match made:
        case BasicAuthentication():
            return AuthenticationDocument(basic=BasicDocument(username=made.username, password=made.password_secret))
        case ClientSecretPost():
            post = ClientSecretPostDocument(client_id=made.client_id, client_secret=made.client_secret)
            return AuthenticationDocument(client_secret_post=post)
        case PrivateKeyJwt():
            return AuthenticationDocument(private_key_jwt=_private_key_jwt(made))
        case MutualTls():
            tls = MutualTlsDocument(
                client_id=made.client_id, certificate_file=made.certificate_file, key=made.key_secret
            )
            return AuthenticationDocument(mutual_tls=tls)
        case _:
            return _grant(made)


def _grant(made: ClientCredentialsGrant | PasswordGrant | DirectToken) -> AuthenticationDocument:
    match made:
        case ClientCredentialsGrant():
            return AuthenticationDocument(client_credentials=ClientCredentialsDocument(**_request(made.request)))
        case PasswordGrant():
            return AuthenticationDocument(password=_password(made))
        case DirectToken():
            token = DirectTokenDocument(access_token=made.token_secret, refresh=_refresh(made.refresh))
            return AuthenticationDocument(direct_token=token)
        case _:
            assert_never(made)


def _private_key_jwt(made: PrivateKeyJwt) -> PrivateKeyJwtDocument:
    return PrivateKeyJwtDocument(
        client_id=made.client_id,
        key=made.key_secret,
        algorithm=made.algorithm,
        kid=made.kid,
        audience=made.audience,
    )


def _password(made: PasswordGrant) -> PasswordDocument:
    return PasswordDocument(
        **_request(made.request),
        username=made.username,
        password=made.password_secret,
        refresh=_refresh(made.refresh),
    )


def _refresh(made: RefreshGrant | None) -> RefreshDocument | None:
    return RefreshDocument(**_request(made.request), refresh_token=made.refresh_token) if made else None


def _request(made: TokenRequest) -> dict[str, Any]:
    return {
        "token_endpoint": made.token_endpoint,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "credentials": made.credentials,
        "scopes": made.scopes,
    }
