from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CatalogEntry(_message.Message):
    __slots__ = ("entity", "revision", "minimum_reader", "tag")
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_READER_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    entity: bytes
    revision: int
    minimum_reader: int
    tag: bytes
    def __init__(self, entity: _Optional[bytes] = ..., revision: _Optional[int] = ..., minimum_reader: _Optional[int] = ..., tag: _Optional[bytes] = ...) -> None: ...

class CatalogRecord(_message.Message):
    __slots__ = ("body", "tag")
    BODY_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    body: bytes
    tag: bytes
    def __init__(self, body: _Optional[bytes] = ..., tag: _Optional[bytes] = ...) -> None: ...

class CatalogHead(_message.Message):
    __slots__ = ("epoch", "begun_at", "revision", "empty", "totals", "minimum_reader")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BEGUN_AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EMPTY_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_READER_FIELD_NUMBER: _ClassVar[int]
    epoch: str
    begun_at: float
    revision: int
    empty: bool
    totals: _containers.RepeatedCompositeFieldContainer[CatalogTotal]
    minimum_reader: int
    def __init__(self, epoch: _Optional[str] = ..., begun_at: _Optional[float] = ..., revision: _Optional[int] = ..., empty: _Optional[bool] = ..., totals: _Optional[_Iterable[_Union[CatalogTotal, _Mapping]]] = ..., minimum_reader: _Optional[int] = ...) -> None: ...

class CatalogTotal(_message.Message):
    __slots__ = ("kind", "count", "tags")
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    count: int
    tags: bytes
    def __init__(self, kind: _Optional[str] = ..., count: _Optional[int] = ..., tags: _Optional[bytes] = ...) -> None: ...

class CatalogTransaction(_message.Message):
    __slots__ = ("head", "changes", "reload", "minimum_reader")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RELOAD_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_READER_FIELD_NUMBER: _ClassVar[int]
    head: CatalogHead
    changes: _containers.RepeatedCompositeFieldContainer[CatalogChange]
    reload: bool
    minimum_reader: int
    def __init__(self, head: _Optional[_Union[CatalogHead, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[CatalogChange, _Mapping]]] = ..., reload: _Optional[bool] = ..., minimum_reader: _Optional[int] = ...) -> None: ...

class CatalogChange(_message.Message):
    __slots__ = ("kind", "organization", "id", "entry", "former_tag")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    FORMER_TAG_FIELD_NUMBER: _ClassVar[int]
    kind: str
    organization: str
    id: str
    entry: CatalogEntry
    former_tag: bytes
    def __init__(self, kind: _Optional[str] = ..., organization: _Optional[str] = ..., id: _Optional[str] = ..., entry: _Optional[_Union[CatalogEntry, _Mapping]] = ..., former_tag: _Optional[bytes] = ...) -> None: ...

class Names(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("id", "organization", "application", "api", "policy", "state")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    application: str
    api: str
    policy: str
    state: str
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., application: _Optional[str] = ..., api: _Optional[str] = ..., policy: _Optional[str] = ..., state: _Optional[str] = ...) -> None: ...

class Application(_message.Message):
    __slots__ = ("id", "organization", "name", "owner", "policy", "attributes", "keys")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    name: str
    owner: str
    policy: str
    attributes: _containers.ScalarMap[str, str]
    keys: _containers.RepeatedCompositeFieldContainer[ApplicationKey]
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., name: _Optional[str] = ..., owner: _Optional[str] = ..., policy: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ..., keys: _Optional[_Iterable[_Union[ApplicationKey, _Mapping]]] = ...) -> None: ...

class ApplicationKey(_message.Message):
    __slots__ = ("client_id", "key_manager", "key_type")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MANAGER_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    key_manager: str
    key_type: str
    def __init__(self, client_id: _Optional[str] = ..., key_manager: _Optional[str] = ..., key_type: _Optional[str] = ...) -> None: ...

class ApiKey(_message.Message):
    __slots__ = ("id", "organization", "hash", "application", "key_type", "scopes", "expires_at", "enabled", "allowed_addresses", "allowed_referers")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_REFERERS_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    hash: bytes
    application: str
    key_type: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    expires_at: float
    enabled: bool
    allowed_addresses: _containers.RepeatedScalarFieldContainer[str]
    allowed_referers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., hash: _Optional[bytes] = ..., application: _Optional[str] = ..., key_type: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., expires_at: _Optional[float] = ..., enabled: _Optional[bool] = ..., allowed_addresses: _Optional[_Iterable[str]] = ..., allowed_referers: _Optional[_Iterable[str]] = ...) -> None: ...

class Api(_message.Message):
    __slots__ = ("id", "organization", "name", "version", "context", "default_context", "hosts", "publisher", "state", "resources", "key_managers", "security", "subscription_required", "key_types", "audiences", "scope_matching", "cors", "forward_authorization", "forward_client_certificate", "backend_jwt", "backend_jwt_audience", "shadow")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    KEY_MANAGERS_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPES_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_MATCHING_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    FORWARD_AUTHORIZATION_FIELD_NUMBER: _ClassVar[int]
    FORWARD_CLIENT_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    BACKEND_JWT_FIELD_NUMBER: _ClassVar[int]
    BACKEND_JWT_AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    name: str
    version: str
    context: str
    default_context: str
    hosts: _containers.RepeatedScalarFieldContainer[str]
    publisher: str
    state: str
    resources: _containers.RepeatedCompositeFieldContainer[Resource]
    key_managers: Names
    security: ApiSecurity
    subscription_required: bool
    key_types: _containers.RepeatedScalarFieldContainer[str]
    audiences: _containers.RepeatedScalarFieldContainer[str]
    scope_matching: str
    cors: Cors
    forward_authorization: bool
    forward_client_certificate: bool
    backend_jwt: bool
    backend_jwt_audience: _containers.RepeatedScalarFieldContainer[str]
    shadow: bool
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., context: _Optional[str] = ..., default_context: _Optional[str] = ..., hosts: _Optional[_Iterable[str]] = ..., publisher: _Optional[str] = ..., state: _Optional[str] = ..., resources: _Optional[_Iterable[_Union[Resource, _Mapping]]] = ..., key_managers: _Optional[_Union[Names, _Mapping]] = ..., security: _Optional[_Union[ApiSecurity, _Mapping]] = ..., subscription_required: _Optional[bool] = ..., key_types: _Optional[_Iterable[str]] = ..., audiences: _Optional[_Iterable[str]] = ..., scope_matching: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., forward_authorization: _Optional[bool] = ..., forward_client_certificate: _Optional[bool] = ..., backend_jwt: _Optional[bool] = ..., backend_jwt_audience: _Optional[_Iterable[str]] = ..., shadow: _Optional[bool] = ...) -> None: ...

class Resource(_message.Message):
    __slots__ = ("template", "methods", "scopes", "scope_rule", "open")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_RULE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    template: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    scopes: _containers.RepeatedScalarFieldContainer[str]
    scope_rule: str
    open: bool
    def __init__(self, template: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ..., scopes: _Optional[_Iterable[str]] = ..., scope_rule: _Optional[str] = ..., open: _Optional[bool] = ...) -> None: ...

class ApiSecurity(_message.Message):
    __slots__ = ("oauth2", "api_key", "application", "mutual_tls", "certificates")
    OAUTH2_FIELD_NUMBER: _ClassVar[int]
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    MUTUAL_TLS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    oauth2: bool
    api_key: ApiKeyPlacement
    application: str
    mutual_tls: str
    certificates: _containers.RepeatedCompositeFieldContainer[RegisteredCertificate]
    def __init__(self, oauth2: _Optional[bool] = ..., api_key: _Optional[_Union[ApiKeyPlacement, _Mapping]] = ..., application: _Optional[str] = ..., mutual_tls: _Optional[str] = ..., certificates: _Optional[_Iterable[_Union[RegisteredCertificate, _Mapping]]] = ...) -> None: ...

class ApiKeyPlacement(_message.Message):
    __slots__ = ("header", "query")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    header: str
    query: str
    def __init__(self, header: _Optional[str] = ..., query: _Optional[str] = ...) -> None: ...

class RegisteredCertificate(_message.Message):
    __slots__ = ("thumbprint", "subject", "not_before", "not_after", "policy", "key_type", "scopes", "pem")
    THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    PEM_FIELD_NUMBER: _ClassVar[int]
    thumbprint: str
    subject: str
    not_before: float
    not_after: float
    policy: str
    key_type: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    pem: str
    def __init__(self, thumbprint: _Optional[str] = ..., subject: _Optional[str] = ..., not_before: _Optional[float] = ..., not_after: _Optional[float] = ..., policy: _Optional[str] = ..., key_type: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., pem: _Optional[str] = ...) -> None: ...

class Cors(_message.Message):
    __slots__ = ("origins", "credentials", "exposed_headers")
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    EXPOSED_HEADERS_FIELD_NUMBER: _ClassVar[int]
    origins: _containers.RepeatedScalarFieldContainer[str]
    credentials: bool
    exposed_headers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, origins: _Optional[_Iterable[str]] = ..., credentials: _Optional[bool] = ..., exposed_headers: _Optional[_Iterable[str]] = ...) -> None: ...

class OpaqueTokens(_message.Message):
    __slots__ = ("rules", "try_next")
    RULES_FIELD_NUMBER: _ClassVar[int]
    TRY_NEXT_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[OpaqueTokenRule]
    try_next: int
    def __init__(self, rules: _Optional[_Iterable[_Union[OpaqueTokenRule, _Mapping]]] = ..., try_next: _Optional[int] = ...) -> None: ...

class OpaqueTokenRule(_message.Message):
    __slots__ = ("key_manager", "organization", "prefix", "pattern", "header")
    KEY_MANAGER_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    key_manager: str
    organization: str
    prefix: str
    pattern: str
    header: Names
    def __init__(self, key_manager: _Optional[str] = ..., organization: _Optional[str] = ..., prefix: _Optional[str] = ..., pattern: _Optional[str] = ..., header: _Optional[_Union[Names, _Mapping]] = ...) -> None: ...

class KeyManager(_message.Message):
    __slots__ = ("id", "organization", "issuer", "enabled", "validation", "introspect_failed_jwt", "jwt", "introspection", "userinfo", "clock_skew_seconds", "client_id_claim", "scopes_claim", "claim_mapping", "binding", "subscription_validation", "backend_jwt")
    class ClaimMappingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    INTROSPECT_FAILED_JWT_FIELD_NUMBER: _ClassVar[int]
    JWT_FIELD_NUMBER: _ClassVar[int]
    INTROSPECTION_FIELD_NUMBER: _ClassVar[int]
    USERINFO_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SKEW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_CLAIM_FIELD_NUMBER: _ClassVar[int]
    SCOPES_CLAIM_FIELD_NUMBER: _ClassVar[int]
    CLAIM_MAPPING_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    BACKEND_JWT_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    issuer: str
    enabled: bool
    validation: str
    introspect_failed_jwt: bool
    jwt: JwtValidation
    introspection: Introspection
    userinfo: Userinfo
    clock_skew_seconds: int
    client_id_claim: str
    scopes_claim: str
    claim_mapping: _containers.ScalarMap[str, str]
    binding: str
    subscription_validation: str
    backend_jwt: str
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., issuer: _Optional[str] = ..., enabled: _Optional[bool] = ..., validation: _Optional[str] = ..., introspect_failed_jwt: _Optional[bool] = ..., jwt: _Optional[_Union[JwtValidation, _Mapping]] = ..., introspection: _Optional[_Union[Introspection, _Mapping]] = ..., userinfo: _Optional[_Union[Userinfo, _Mapping]] = ..., clock_skew_seconds: _Optional[int] = ..., client_id_claim: _Optional[str] = ..., scopes_claim: _Optional[str] = ..., claim_mapping: _Optional[_Mapping[str, str]] = ..., binding: _Optional[str] = ..., subscription_validation: _Optional[str] = ..., backend_jwt: _Optional[str] = ...) -> None: ...

class JwtValidation(_message.Message):
    __slots__ = ("jwks_uri", "discovery", "ca_file", "certificates", "certificate_validity", "algorithms", "audiences", "token_types", "decryption")
    JWKS_URI_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_FIELD_NUMBER: _ClassVar[int]
    CA_FILE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPES_FIELD_NUMBER: _ClassVar[int]
    DECRYPTION_FIELD_NUMBER: _ClassVar[int]
    jwks_uri: str
    discovery: bool
    ca_file: str
    certificates: _containers.RepeatedScalarFieldContainer[str]
    certificate_validity: bool
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    audiences: _containers.RepeatedScalarFieldContainer[str]
    token_types: _containers.RepeatedScalarFieldContainer[str]
    decryption: Decryption
    def __init__(self, jwks_uri: _Optional[str] = ..., discovery: _Optional[bool] = ..., ca_file: _Optional[str] = ..., certificates: _Optional[_Iterable[str]] = ..., certificate_validity: _Optional[bool] = ..., algorithms: _Optional[_Iterable[str]] = ..., audiences: _Optional[_Iterable[str]] = ..., token_types: _Optional[_Iterable[str]] = ..., decryption: _Optional[_Union[Decryption, _Mapping]] = ...) -> None: ...

class Decryption(_message.Message):
    __slots__ = ("key_secrets", "algorithms", "encryptions")
    KEY_SECRETS_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTIONS_FIELD_NUMBER: _ClassVar[int]
    key_secrets: _containers.RepeatedScalarFieldContainer[str]
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    encryptions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key_secrets: _Optional[_Iterable[str]] = ..., algorithms: _Optional[_Iterable[str]] = ..., encryptions: _Optional[_Iterable[str]] = ...) -> None: ...

class Introspection(_message.Message):
    __slots__ = ("endpoint", "authentication", "connect_timeout_seconds", "timeout_seconds", "max_concurrent", "circuit_breaker", "ca_file", "signed_answer", "audiences", "token_types", "stale_if_error_seconds")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    CONNECT_TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_BREAKER_FIELD_NUMBER: _ClassVar[int]
    CA_FILE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_ANSWER_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPES_FIELD_NUMBER: _ClassVar[int]
    STALE_IF_ERROR_SECONDS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    authentication: EndpointAuthentication
    connect_timeout_seconds: float
    timeout_seconds: float
    max_concurrent: int
    circuit_breaker: CircuitBreaker
    ca_file: str
    signed_answer: SignedAnswer
    audiences: _containers.RepeatedScalarFieldContainer[str]
    token_types: _containers.RepeatedScalarFieldContainer[str]
    stale_if_error_seconds: float
    def __init__(self, endpoint: _Optional[str] = ..., authentication: _Optional[_Union[EndpointAuthentication, _Mapping]] = ..., connect_timeout_seconds: _Optional[float] = ..., timeout_seconds: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., circuit_breaker: _Optional[_Union[CircuitBreaker, _Mapping]] = ..., ca_file: _Optional[str] = ..., signed_answer: _Optional[_Union[SignedAnswer, _Mapping]] = ..., audiences: _Optional[_Iterable[str]] = ..., token_types: _Optional[_Iterable[str]] = ..., stale_if_error_seconds: _Optional[float] = ...) -> None: ...

class Userinfo(_message.Message):
    __slots__ = ("endpoint", "ttl_seconds", "connect_timeout_seconds", "timeout_seconds", "max_concurrent", "circuit_breaker", "ca_file")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONNECT_TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_BREAKER_FIELD_NUMBER: _ClassVar[int]
    CA_FILE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    ttl_seconds: float
    connect_timeout_seconds: float
    timeout_seconds: float
    max_concurrent: int
    circuit_breaker: CircuitBreaker
    ca_file: str
    def __init__(self, endpoint: _Optional[str] = ..., ttl_seconds: _Optional[float] = ..., connect_timeout_seconds: _Optional[float] = ..., timeout_seconds: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., circuit_breaker: _Optional[_Union[CircuitBreaker, _Mapping]] = ..., ca_file: _Optional[str] = ...) -> None: ...

class CircuitBreaker(_message.Message):
    __slots__ = ("failures", "open_seconds")
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    OPEN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    failures: int
    open_seconds: float
    def __init__(self, failures: _Optional[int] = ..., open_seconds: _Optional[float] = ...) -> None: ...

class SignedAnswer(_message.Message):
    __slots__ = ("algorithms", "audience", "required")
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    audience: str
    required: bool
    def __init__(self, algorithms: _Optional[_Iterable[str]] = ..., audience: _Optional[str] = ..., required: _Optional[bool] = ...) -> None: ...

class EndpointAuthentication(_message.Message):
    __slots__ = ("basic_authentication", "client_secret_post", "private_key_jwt", "mutual_tls", "client_credentials_grant", "password_grant", "direct_token")
    BASIC_AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_POST_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_KEY_JWT_FIELD_NUMBER: _ClassVar[int]
    MUTUAL_TLS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CREDENTIALS_GRANT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_GRANT_FIELD_NUMBER: _ClassVar[int]
    DIRECT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    basic_authentication: BasicAuthentication
    client_secret_post: ClientSecretPost
    private_key_jwt: PrivateKeyJwt
    mutual_tls: MutualTls
    client_credentials_grant: ClientCredentialsGrant
    password_grant: PasswordGrant
    direct_token: DirectToken
    def __init__(self, basic_authentication: _Optional[_Union[BasicAuthentication, _Mapping]] = ..., client_secret_post: _Optional[_Union[ClientSecretPost, _Mapping]] = ..., private_key_jwt: _Optional[_Union[PrivateKeyJwt, _Mapping]] = ..., mutual_tls: _Optional[_Union[MutualTls, _Mapping]] = ..., client_credentials_grant: _Optional[_Union[ClientCredentialsGrant, _Mapping]] = ..., password_grant: _Optional[_Union[PasswordGrant, _Mapping]] = ..., direct_token: _Optional[_Union[DirectToken, _Mapping]] = ...) -> None: ...

class BasicAuthentication(_message.Message):
    __slots__ = ("username", "password_secret")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_SECRET_FIELD_NUMBER: _ClassVar[int]
    username: str
    password_secret: str
    def __init__(self, username: _Optional[str] = ..., password_secret: _Optional[str] = ...) -> None: ...

class ClientSecretPost(_message.Message):
    __slots__ = ("client_id", "client_secret")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    client_secret: str
    def __init__(self, client_id: _Optional[str] = ..., client_secret: _Optional[str] = ...) -> None: ...

class PrivateKeyJwt(_message.Message):
    __slots__ = ("client_id", "key_secret", "algorithm", "kid", "audience")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_SECRET_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    KID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    key_secret: str
    algorithm: str
    kid: str
    audience: str
    def __init__(self, client_id: _Optional[str] = ..., key_secret: _Optional[str] = ..., algorithm: _Optional[str] = ..., kid: _Optional[str] = ..., audience: _Optional[str] = ...) -> None: ...

class MutualTls(_message.Message):
    __slots__ = ("client_id", "certificate_file", "key_secret")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FILE_FIELD_NUMBER: _ClassVar[int]
    KEY_SECRET_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    certificate_file: str
    key_secret: str
    def __init__(self, client_id: _Optional[str] = ..., certificate_file: _Optional[str] = ..., key_secret: _Optional[str] = ...) -> None: ...

class TokenRequest(_message.Message):
    __slots__ = ("token_endpoint", "client_id", "client_secret", "credentials", "scopes")
    TOKEN_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    token_endpoint: str
    client_id: str
    client_secret: str
    credentials: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, token_endpoint: _Optional[str] = ..., client_id: _Optional[str] = ..., client_secret: _Optional[str] = ..., credentials: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class RefreshGrant(_message.Message):
    __slots__ = ("request", "refresh_token")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    request: TokenRequest
    refresh_token: str
    def __init__(self, request: _Optional[_Union[TokenRequest, _Mapping]] = ..., refresh_token: _Optional[str] = ...) -> None: ...

class ClientCredentialsGrant(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: TokenRequest
    def __init__(self, request: _Optional[_Union[TokenRequest, _Mapping]] = ...) -> None: ...

class PasswordGrant(_message.Message):
    __slots__ = ("request", "username", "password_secret", "refresh")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_SECRET_FIELD_NUMBER: _ClassVar[int]
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    request: TokenRequest
    username: str
    password_secret: str
    refresh: RefreshGrant
    def __init__(self, request: _Optional[_Union[TokenRequest, _Mapping]] = ..., username: _Optional[str] = ..., password_secret: _Optional[str] = ..., refresh: _Optional[_Union[RefreshGrant, _Mapping]] = ...) -> None: ...

class DirectToken(_message.Message):
    __slots__ = ("token_secret", "refresh")
    TOKEN_SECRET_FIELD_NUMBER: _ClassVar[int]
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    token_secret: str
    refresh: RefreshGrant
    def __init__(self, token_secret: _Optional[str] = ..., refresh: _Optional[_Union[RefreshGrant, _Mapping]] = ...) -> None: ...
