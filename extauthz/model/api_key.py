"""API keys: credentials that we know ourselves, without a key manager."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from extauthz.model.application import KeyType
from extauthz.model.key_manager import DEFAULT_ORGANIZATION


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an application. Unique by (organization, id) and by hash; its holder alone knows the key itself."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    hash: bytes = field(repr=False)
    """HMAC-SHA-256 of the key under a key of `api_keys.secret`; 32 bytes."""
    application: str
    """Id of the application."""
    key_type: KeyType = KeyType.PRODUCTION
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    """Seconds since the epoch; None: never."""
    enabled: bool = True
    allowed_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    """Empty: any. A caller whose address is not known is refused where there are some."""
    allowed_referers: tuple[str, ...] = ()
    """`https://www.example.com/shop`, `www.example.com/*`, `*.example.com/*`; empty: any."""
