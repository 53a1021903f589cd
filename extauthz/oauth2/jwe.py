"""Encrypted tokens (RFC 7516): opened to the signed token inside, and worth nothing without one (RFC 7519 §5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import CONTENT_ENCRYPTIONS, KEY_MANAGEMENT_ALGORITHMS
from extauthz.model.token import Claims
from extauthz.oauth2.jwk import MAX_RSA_BITS, MIN_RSA_BITS, thumbprint
from extauthz.oauth2.jwt import UnverifiedJwt, parse

# joserfc is imported where there is something to decrypt: every start would wait 25 ms for what few key managers need.
if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

MAX_ENCRYPTED_LENGTH = 64 * 1024
"""Characters of the whole token: what is longer costs no decryption."""
MAX_CONTENT_BYTES = 32 * 1024
"""Of what is inside. Without `zip` it cannot be longer than the outside, so this is a limit of its own."""

MAX_ATTEMPTS = 4
"""Keys that are tried for one token, whosever they are: anybody can send garbage, and an attempt costs as much as
signing."""

_HEADER_LENGTH = 8 * 1024
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
# RFC 8725 §3.6: compression tells the length of secrets, and expands; the others bring a key, or change the rules.
_REFUSED_HEADERS = ("zip", "crit", "jku", "jwk", "x5u", "b64")
_REPLICATED_CLAIMS = ("iss", "sub", "aud")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKey:
    """A private key of ours, and the names by which a token's `kid` may mean it."""

    key: "RSAKey | ECKey | OKPKey" = field(repr=False)
    names: frozenset[str]
    """The name of the secret, and the RFC 7638 SHA-256 thumbprint."""
    rsa: bool

    def fits(self, alg: str) -> bool:
        """Whether a token of this `alg` may be encrypted to the key (RFC 7518 §4.1, RFC 8037 §3.2)."""
        return alg in KEY_MANAGEMENT_ALGORITHMS and alg.startswith("RSA") is self.rsa


def decryption_key(name: str, pem: bytes) -> DecryptionKey:
    """The key in a secret.

    Raises:
        ValueError: not an unencrypted private key in PEM of a kind that decrypts; says nothing of its content.
    """
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - see above

    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError(f"secret `{name}` is not a private key in PEM without a passphrase") from exc
    match private:
        case RSAPrivateKey() if MIN_RSA_BITS <= private.key_size <= MAX_RSA_BITS:
            names = frozenset({name, thumbprint(private.public_key())})
            return DecryptionKey(key=RSAKey.import_key(pem), names=names, rsa=True)
        case EllipticCurvePrivateKey() if private.curve.name in _CURVES:
            names = frozenset({name, thumbprint(private.public_key())})
            return DecryptionKey(key=ECKey.import_key(pem), names=names, rsa=False)
        case X25519PrivateKey():
            okp = OKPKey.import_key(pem)
            return DecryptionKey(key=okp, names=frozenset({name, okp.thumbprint()}), rsa=False)
    wanted = f"RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, EC P-256, P-384 or P-521, or X25519"
    raise ValueError(f"secret `{name}` is no key that decrypts tokens: {wanted}")


class Attempts:
    """How many more keys may be tried for one token."""

    def __init__(self) -> None:
        self._left = MAX_ATTEMPTS

    def take(self) -> bool:
        """Whether one more may be tried, which then counts."""
        self._left -= 1
        return self._left >= 0


class JweDecrypter:
    """Opens tokens that are encrypted to one of our keys.

    Raises:
        ValueError: an algorithm that cannot be allowed, or that none of the keys fits.
    """

    def __init__(self, keys: Mapping[str, bytes], *, algorithms: frozenset[str], encryptions: frozenset[str]) -> None:
        self._keys = tuple(decryption_key(name, pem) for name, pem in keys.items())
        # Whatever the configuration says: never RSA1_5, a password or a shared key.
        if not (algorithms <= KEY_MANAGEMENT_ALGORITHMS and encryptions <= CONTENT_ENCRYPTIONS):
            raise ValueError("jwt.decryption: an algorithm that cannot be allowed")
        for alg in sorted(algorithms):
            if not any(key.fits(alg) for key in self._keys):
                raise ValueError(f"jwt.decryption: none of the keys fits {alg}")
        self._algorithms = algorithms
        self._encryptions = encryptions

    def is_named(self, outer: UnverifiedJwt) -> bool:
        """Whether a token's `kid` names one of the keys that may open it."""
        return any(outer.kid in key.names for key in self._keys if key.fits(outer.alg))

    def open(self, outer: UnverifiedJwt, attempts: Attempts | None = None) -> UnverifiedJwt:
        """The signed token inside. Nothing in it may be believed before its own signature was verified.

        `attempts` are shared by all who try to open the token; None: nobody else does.

        Raises:
            Denied: INVALID_TOKEN: a header that is not accepted, too long, not for our keys, or nothing signed inside.
        """
        self._ensure_acceptable(outer)
        content = self._content(outer, attempts or Attempts())
        if len(content) > MAX_CONTENT_BYTES:
            raise Denied(Reason.INVALID_TOKEN, f"holds more than {MAX_CONTENT_BYTES} bytes")
        return _signed_token(content)

    def _ensure_acceptable(self, outer: UnverifiedJwt) -> None:
        if len(outer.token) > MAX_ENCRYPTED_LENGTH:
            raise Denied(Reason.INVALID_TOKEN, f"longer than {MAX_ENCRYPTED_LENGTH} characters")
        if outer.alg not in self._algorithms or outer.header.get("enc") not in self._encryptions:
            raise Denied(Reason.INVALID_TOKEN, "not encrypted with one of jwt.decryption's algorithms")
        for name in _REFUSED_HEADERS:
            if name in outer.header:
                raise Denied(Reason.INVALID_TOKEN, f"header `{name}` of an encrypted token is refused")
        cty = outer.header.get("cty")
        # RFC 7519 §5.2: `JWT` marks a nested token; what says that it holds anything else is not one.
        if cty is not None and not (isinstance(cty, str) and cty.lower().removeprefix("application/") == "jwt"):
            raise Denied(Reason.INVALID_TOKEN, "its `cty` is not JWT")

    def _content(self, outer: UnverifiedJwt, attempts: Attempts) -> bytes:
        fitting = [key for key in self._keys if key.fits(outer.alg)]
        # A `kid` that is one of ours chooses; another name for our key is its owner's affair, so all are tried.
        named = [key for key in fitting if outer.kid in key.names]
        for key in named or fitting:
            if not attempts.take():
                break
            content = self._decrypted(outer.token, key)
            if content is not None:
                return content
        raise Denied(Reason.INVALID_TOKEN, "not encrypted to a key of jwt.decryption, or altered")

    def _decrypted(self, token: str, key: DecryptionKey) -> bytes | None:
        from joserfc import jwe  # noqa: PLC0415 - see above
        from joserfc.errors import JoseError  # noqa: PLC0415 - see above

        registry = jwe.JWERegistry(algorithms=self._algorithms | self._encryptions, strict_check_header=False)
        registry.max_protected_header_length = _HEADER_LENGTH
        try:
            return jwe.decrypt_compact(token, key.key, registry=registry).plaintext
        except (JoseError, InvalidTag, ValueError, TypeError, KeyError, AssertionError):
            # One answer for every cause (RFC 7516 §11.5): which step failed is nobody's business.
            return None


def ensure_replicated(outer: UnverifiedJwt, claims: Claims) -> None:
    """Claims that the header of an encrypted token repeats are those inside (RFC 7519 §5.3).

    Raises:
        Denied: INVALID_TOKEN: they differ.
    """
    for name in _REPLICATED_CLAIMS:
        if name in outer.header and outer.header[name] != claims.get(name):
            raise Denied(Reason.INVALID_TOKEN, f"header and claims disagree about `{name}`")


def _signed_token(content: bytes) -> UnverifiedJwt:
    try:
        inner = parse(content.decode("ascii"))
    except UnicodeDecodeError as exc:
        raise Denied(Reason.INVALID_TOKEN, "holds no token") from exc
    # Whoever has our public key can encrypt: without a signature inside, nobody has said anything.
    if inner is None or inner.encrypted:
        raise Denied(Reason.INVALID_TOKEN, "holds no signed token")
    return inner
