"""What the resident key manager's file may say; secrets stay references here."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import CrossCheck, Strict
from extauthz.resident import client_secret, signing_key
from extauthz.resident.address import Address, issuer_identifier
from extauthz.resident.client_secret import SecretReference
from extauthz.resident.reference import Reference

RESERVED_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}  # RFC 7519 §4.1
    | {"client_id", "azp", "scope", "auth_time", "acr", "amr", "cnf", "act", "may_act"}  # RFC 9068 §2.2, 7800, 8693
    | {"active", "username", "token_type"}  # RFC 7662 §2.2
)
"""Claims that decide who may do what: the server alone writes them."""

_LONGEST_LIFETIME_SECONDS = 30 * 24 * 3600


def _address(text: str) -> str:
    Address.parse(text)
    return text


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


# RFC 6749 §3.3, scope-token.
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]
Lifetime = Annotated[int, Field(ge=1, le=_LONGEST_LIFETIME_SECONDS)]


class ClientSettings(Strict):
    """An OAuth client (RFC 6749 §2), named as RFC 7591 §2 does. The descriptions are the hints of error messages."""

    client_id: str = Field(
        # Free of colons, and of letters that form encoding would change, for HTTP Basic (RFC 6749 §2.3.1).
        pattern=r"^[A-Za-z0-9._~-]{1,255}$",
        description="up to 255 letters, digits and . _ ~ -",
    )
    client_secret: SecretReference = Field(description=client_secret.HINT)
    token_format: Literal["jwt", "opaque"] = Field(
        default="jwt", description="jwt is checked by its signature, opaque by introspection"
    )
    scopes: tuple[Scope, ...] = Field(
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


def _distinct(clients: tuple[ClientSettings, ...]) -> Iterator[Mistake]:
    counts = Counter(client.client_id for client in clients)
    if repeated := sorted(client_id for client_id, count in counts.items() if count > 1):
        message = f"has several clients named {', '.join(repeated)}"
        yield Mistake(location=("clients",), message=message, hint="each client_id is unique")


def _key_of_a_shared_database(database: str, key: Reference | None) -> Iterator[Mistake]:
    # Several processes may share such a database, and each would generate a key that the others do not publish.
    if key is None and make_url(database).get_backend_name() != "sqlite":
        message = "is needed with this database: a key is generated only beside SQLite"
        yield Mistake(location=("signing_key",), message=message, hint=signing_key.HINT)


class ResidentSettings(Strict):
    """The file of `extauthz resident --config`."""

    issuer: Annotated[str, AfterValidator(issuer_identifier)] = Field(
        description="the URL that clients use, e.g. https://login.example.com; http only on loopback"
    )
    listen: Annotated[str, AfterValidator(_address)] = Field(
        # The port of WSO2's resident key manager; loopback, because the listener itself speaks plain HTTP.
        default="127.0.0.1:9443",
        description="host:port, e.g. 127.0.0.1:9443",
    )
    database: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///resident.db",
        repr=False,
        description="an SQLAlchemy URL, e.g. sqlite:///resident.db, or sqlite:// to keep nothing",
    )
    signing_key: Reference | None = Field(default=None, description=signing_key.HINT)
    access_token_lifetime_seconds: Lifetime = Field(
        # WSO2's default; the library's own for client_credentials would be ten days.
        default=3600,
        description="whole seconds, at most 30 days",
    )
    audience: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1,
        description="a list of who the tokens are for (RFC 9068 §3), e.g. [http://org.wso2.apimgt/gateway]",
    )
    clients: tuple[ClientSettings, ...] = Field(
        min_length=1, description="a list of clients, each with client_id and client_secret"
    )

    cross_checks: ClassVar[tuple[CrossCheck, ...]] = (
        CrossCheck(needs=("clients",), find=_distinct),
        CrossCheck(needs=("database", "signing_key"), find=_key_of_a_shared_database),
    )
