"""DPoP proofs (RFC 9449 §4): what a client signs to show that a token is its own."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2 import base64url, strict_json, target_uri
from extauthz.oauth2.jwk import VerificationKey, verification_key
from extauthz.oauth2.jws import verified_payload

MAX_PROOF_LENGTH = 8 * 1024
"""Characters; with an RSA key of 4096 bits a proof has about 2,000."""

_TYP = "dpop+jwt"
_PARTS = 3
# Extensions that are not understood (RFC 7515 §4.1.11), another payload than the one in the middle, and keys elsewhere.
_REFUSED_HEADERS = ("crit", "b64", "jku", "x5u")
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRules:
    """What is accepted of a proof."""

    algorithms: frozenset[str] = frozenset({"ES256", "EdDSA", "PS256", "RS256"})
    max_age_seconds: float = 60.0
    future_skew_seconds: float = 5.0
    """How far ahead of ours a client's clock may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRequest:
    """The request that a proof must have been made for."""

    method: str
    uri: str
    """As `target_uri.composed` spells it."""
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DpopProof:
    """A proof that is valid for its request. Whether it was used before is not known yet."""

    jkt: str
    """RFC 7638 SHA-256 thumbprint of the key that signed it."""
    jti: str = field(repr=False)
    nonce: str | None = field(default=None, repr=False)


def verified_proof(proof: str, request: ProvenRequest, rules: ProofRules, now: float, *, jkt: str) -> DpopProof:
    """The proof of a `DPoP` header field, once every check of RFC 9449 §4.3 but nonce and replay has passed.

    `jkt` is the thumbprint of the key that the token is bound to: the signature of another key is not looked at.

    Raises:
        Denied: INVALID_DPOP_PROOF; INVALID_TOKEN: all but its signature is good, yet it is of another key.
    """
    header = _header(proof)
    key = _key(header, rules.algorithms)
    bound = key.thumbprint == jkt
    # Anybody can bring a key of his own choice, so what it costs to verify is spent on the token's key only.
    claims = _claims(proof, key, header["alg"]) if bound else _unverified_claims(proof)
    _ensure_for_request(claims, request)
    _ensure_recent(claims, rules, now)
    jti, nonce = claims.get("jti"), claims.get("nonce")
    if not isinstance(jti, str) or not jti:
        raise _refused("`jti` is missing or not a string")
    if not bound:
        # RFC 9449 §7.1, figure 15: the token is somebody else's.
        raise Denied(Reason.INVALID_TOKEN, "bound to another key than that of the proof")
    return DpopProof(jkt=key.thumbprint, jti=jti, nonce=nonce if isinstance(nonce, str) else None)


def _refused(detail: str) -> Denied:
    return Denied(Reason.INVALID_DPOP_PROOF, detail)


def _header(proof: str) -> dict[str, Any]:
    if not proof:
        raise _refused("no DPoP header field")
    # RFC 9449 §4.3 check 1. Envoy joins several fields with a comma.
    if "," in proof:
        raise _refused("several DPoP header fields")
    if len(proof) > MAX_PROOF_LENGTH:
        raise _refused(f"longer than {MAX_PROOF_LENGTH} characters")
    parts = proof.split(".")
    if len(parts) != _PARTS:
        raise _refused("not a JWS of three parts")
    try:
        return strict_json.parse_object(base64url.decode(parts[0]))
    except ValueError as exc:
        raise _refused(f"header: {type(exc).__name__}") from exc


def _key(header: Mapping[str, Any], algorithms: frozenset[str]) -> VerificationKey:
    if header.get("typ") != _TYP:
        raise _refused("`typ` is not dpop+jwt")
    alg, jwk = header.get("alg"), header.get("jwk")
    if not isinstance(alg, str) or alg not in algorithms:
        raise _refused("`alg` is not one of dpop.algorithms")
    if any(name in header for name in _REFUSED_HEADERS):
        raise _refused("a header that changes what is signed or by whom")
    if not isinstance(jwk, dict):
        raise _refused("`jwk` is missing or not an object")
    if not jwk.keys().isdisjoint(_PRIVATE_MEMBERS):
        raise _refused("`jwk` holds a private or a symmetric key")
    key = verification_key(jwk)
    if key is None or not key.fits(alg):
        raise _refused("`jwk` is not a key for `alg`")
    return key


def _claims(proof: str, key: VerificationKey, alg: str) -> dict[str, Any]:
    try:
        return strict_json.parse_object(verified_payload(proof, key, alg))
    except Denied as denied:
        raise _refused(denied.detail) from denied
    except ValueError as exc:
        raise _refused(f"claims: {type(exc).__name__}") from exc


def _unverified_claims(proof: str) -> dict[str, Any]:
    """Only to say why a proof is refused; nothing in them may be believed."""
    try:
        return strict_json.parse_object(base64url.decode(proof.split(".")[1]))
    except ValueError as exc:
        raise _refused(f"claims: {type(exc).__name__}") from exc


def _ensure_for_request(claims: Mapping[str, Any], request: ProvenRequest) -> None:
    if claims.get("htm") != request.method:
        raise _refused("`htm` is not the request's method")
    if _spelled(claims.get("htu")) != request.uri:
        raise _refused("`htu` is not the request's URI")
    digest = hashlib.sha256(request.access_token.encode("utf-8")).digest()
    if claims.get("ath") != base64url.encode(digest):
        raise _refused("`ath` is not the access token's hash")


def _spelled(htu: object) -> str:
    if not isinstance(htu, str):
        raise _refused("`htu` is missing or not a string")
    try:
        return target_uri.parsed(htu)
    except ValueError as exc:
        raise _refused(f"`htu`: {exc}") from exc


def _ensure_recent(claims: Mapping[str, Any], rules: ProofRules, now: float) -> None:
    iat = claims.get("iat")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise _refused("`iat` is missing or not a number")
    if iat > now + rules.future_skew_seconds:
        raise _refused("made in the future")
    # RFC 9449 §11.1: only as long as its `jti` is remembered.
    if iat < now - rules.max_age_seconds:
        raise _refused("older than dpop.max_age_seconds")
