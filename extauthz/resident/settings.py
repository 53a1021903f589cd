"""What the resident key manager is configured with."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    JsonValue,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from extauthz.resident import client_secret, signing_key
from extauthz.resident.address import Address, issuer_identifier
from extauthz.resident.document import SettingsError, read_document
from extauthz.resident.mistakes import mistakes_of
from extauthz.resident.reference import References
from extauthz.resident.signing_key import SigningKey

RESERVED_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}  # RFC 7519 §4.1
    | {"client_id", "azp", "scope", "auth_time", "acr", "amr", "cnf", "act", "may_act"}  # RFC 9068 §2.2, 7800, 8693
    | {"active", "username", "token_type"}  # RFC 7662 §2.2
)
"""Claims that decide who may do what: the server alone writes them."""

_LONGEST_LIFETIME_SECONDS = 30 * 24 * 3600


def _tuple(value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list")  # noqa: TRY004 - the exception that pydantic collects
    return tuple(value)


def _some(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not items:
        raise ValueError("must not be empty")
    return items


def _references(info: ValidationInfo) -> References:
    if not isinstance(info.context, References):
        raise TypeError("settings are read by load_settings")
    return info.context


def _digest(value: object, info: ValidationInfo) -> bytes:
    return client_secret.configured_digest(value, _references(info))


def _signing_key(value: object, info: ValidationInfo) -> SigningKey:
    return SigningKey.from_pem(_references(info).text(value))


def _address(value: object) -> Address:
    if not isinstance(value, str):
        raise ValueError("must be host:port")  # noqa: TRY004 - the exception that pydantic collects
    return Address.parse(value)


def _database_url(url: str) -> str:
    try:
        make_url(url).get_dialect().import_dbapi()
    except ArgumentError as exc:
        raise ValueError("is not an SQLAlchemy database URL") from exc
    except (NoSuchModuleError, ImportError) as exc:
        raise ValueError("names a database whose driver is not installed") from exc
    return url


def _extra_claims(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    if reserved := sorted(RESERVED_CLAIMS & set(claims)):
        raise ValueError(f"may not set {', '.join(reserved)}: the server writes them")
    json.dumps(claims, allow_nan=False)
    return claims


def _distinct(clients: "tuple[ClientSettings, ...]") -> "tuple[ClientSettings, ...]":
    counts = Counter(client.client_id for client in clients)
    if repeated := sorted(client_id for client_id, count in counts.items() if count > 1):
        raise ValueError(f"has several clients named {', '.join(repeated)}")
    return clients


# RFC 6749 §3.3, scope-token.
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]
Lifetime = Annotated[int, Field(ge=1, le=_LONGEST_LIFETIME_SECONDS)]


class _Strict(BaseModel):
    # A mistake is reported without the value, which may be a secret in the wrong place.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class ClientSettings(_Strict):
    """An OAuth client (RFC 6749 §2), named as RFC 7591 §2 does. The descriptions are the hints of error messages."""

    client_id: str = Field(
        # Free of colons, and of letters that form encoding would change, for HTTP Basic (RFC 6749 §2.3.1).
        pattern=r"^[A-Za-z0-9._~-]{1,255}$",
        description="up to 255 letters, digits and . _ ~ -",
    )
    client_secret: Annotated[bytes, BeforeValidator(_digest)] = Field(repr=False, description=client_secret.HINT)
    token_format: Literal["jwt", "opaque"] = Field(
        default="jwt", description="jwt is checked by its signature, opaque by introspection"
    )
    scopes: Annotated[tuple[Scope, ...], BeforeValidator(_tuple)] = Field(
        default=(), description="a list of scopes that the client may ask for, without spaces in each"
    )
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] = Field(
        default="client_secret_basic", description="client_secret_basic or client_secret_post"
    )
    access_token_lifetime_seconds: Lifetime | None = Field(
        default=None, description="whole seconds, at most 30 days; the server's lifetime if left out"
    )
    may_introspect: bool = Field(
        default=False, description="true for a resource server, which may introspect the tokens of every client"
    )
    claims: Annotated[dict[str, JsonValue], AfterValidator(_extra_claims)] = Field(
        default_factory=dict, description="further claims of this client's tokens, a mapping of names to JSON values"
    )


class ResidentSettings(_Strict):
    """The settings of one process. Secrets are already resolved: client secrets to digests, the key to a key."""

    issuer: Annotated[str, AfterValidator(issuer_identifier)] = Field(
        description="the URL that clients use, e.g. https://login.example.com; http only on loopback"
    )
    listen: Annotated[InstanceOf[Address], BeforeValidator(_address)] = Field(
        # The port of WSO2's resident key manager; loopback, because the listener itself speaks plain HTTP.
        default=Address(host="127.0.0.1", port=9443),
        description="host:port, e.g. 127.0.0.1:9443",
    )
    database: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///resident.db",
        repr=False,
        description="an SQLAlchemy URL, e.g. sqlite:///resident.db, or sqlite:// to keep nothing",
    )
    signing_key: Annotated[InstanceOf[SigningKey], BeforeValidator(_signing_key)] | None = Field(
        default=None, description=signing_key.HINT
    )
    access_token_lifetime_seconds: Lifetime = Field(
        # WSO2's default; the library's own for client_credentials would be ten days.
        default=3600,
        description="whole seconds, at most 30 days",
    )
    audience: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_tuple), AfterValidator(_some)
    ] = Field(description="a list of who the tokens are for (RFC 9068 §3), e.g. [http://org.wso2.apimgt/gateway]")
    clients: Annotated[
        tuple[ClientSettings, ...], BeforeValidator(_tuple), AfterValidator(_some), AfterValidator(_distinct)
    ] = Field(description="a list of clients, each with client_id and client_secret")

    @model_validator(mode="after")
    def _shared_database_needs_a_key(self) -> "ResidentSettings":
        # Several processes may share such a database, and each would generate a key that the others do not publish.
        if self.signing_key is None and make_url(self.database).get_backend_name() != "sqlite":
            raise ValueError("signing_key is needed with this database: a key is generated only beside SQLite")
        return self


def load_settings(path: Path, environ: Mapping[str, str]) -> ResidentSettings:
    """The settings in a YAML file; references to secrets are resolved from the environment and from files.

    File names in references are relative to the folder of the YAML file; a SQLite file is relative to the working
    folder, as SQLAlchemy has it.

    Raises:
        SettingsError: with every mistake of the document.
    """
    document = read_document(path)
    try:
        return ResidentSettings.model_validate(document, context=References(environ=environ, folder=path.parent))
    except ValidationError as exc:
        raise SettingsError(str(path), mistakes_of(exc, ResidentSettings)) from exc
