"""Whether a token is presented by the one it is bound to: the one place that decides it, on every Check."""

from collections.abc import Awaitable
from typing import Protocol, assert_never

from extauthz.authn.client_certificate import ClientCertificate
from extauthz.model.check import BearerToken, Principal, RequestContext, TokenScheme
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import Binding, KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.oauth2.confirmation import Confirmation, confirmation

_UNBOUND = Confirmation()
_CONFIRMATION = "cnf"
# On every Check: a member of an enumeration is looked up in four times the time of a name of the module (0.1 us).
_NOT_REQUIRED = Binding.NONE
_BEARER, _DPOP = TokenScheme.BEARER, TokenScheme.DPOP
_INTROSPECTED = TokenForm.INTROSPECTED


class ProofOfPossession(Protocol):
    """Verifies the proof that comes with a token."""

    async def verify(self, request: RequestContext, token: BearerToken, jkt: str) -> None:
        """The proof is good, new, and made with the key whose thumbprint is `jkt`.

        Raises:
            Denied: invalid_dpop_proof, use_dpop_nonce, or invalid_token for another key.
            Unavailable: nobody can say whether the proof is new.
        """
        ...


class BindingCheck:
    """Holds a token against its `cnf` and against what its key manager requires.

    A token without `cnf` costs a look into a dictionary; certificates and proofs are read only where a `cnf` asks.
    """

    def __init__(self, *, certificate: ClientCertificate, dpop: ProofOfPossession | None) -> None:
        """`dpop` None: proofs are not accepted, so tokens that need one are refused."""
        self._certificate = certificate
        self._dpop = dpop

    def verify(self, request: RequestContext, token: BearerToken, principal: Principal) -> Awaitable[None] | None:
        """Every binding that the token has holds, and it has the one that is required.

        A proof is awaited by whoever asks; None: there is none to wait for.

        Raises:
            Denied: invalid_token, or (awaited) what is wrong with the proof.
            Unavailable: (awaited) nobody can say whether the proof is new.
        """
        key_manager, facts = principal.key_manager, principal.facts
        if key_manager is None:
            raise Denied(Reason.INVALID_TOKEN, "a token of no key manager")
        if key_manager.claim_mapping:
            _ensure_cnf_is_the_issuers(key_manager)
        bound = confirmation(facts.claims) or _UNBOUND if _CONFIRMATION in facts.claims else _UNBOUND
        if bound is not _UNBOUND or key_manager.binding is not _NOT_REQUIRED:
            _ensure_required(bound, key_manager.binding)
        if bound is not _UNBOUND or token.scheme is not _BEARER or facts.form is _INTROSPECTED:
            _ensure_scheme(bound, token, facts)
        if bound.x5t_s256 is not None:
            self._ensure_certificate(request, bound.x5t_s256)
        if bound.jkt is None:
            return None
        if self._dpop is None:
            raise Denied(Reason.INVALID_TOKEN, "bound by DPoP, which `dpop` of the settings does not switch on")
        # The last check: it alone leaves a trace, and no refused request should.
        return self._dpop.verify(request, token, bound.jkt)

    def _ensure_certificate(self, request: RequestContext, expected: str) -> None:
        try:
            thumbprint = self._certificate(request)
        except ValueError as exc:
            raise Denied(Reason.INVALID_TOKEN, f"client certificate: {exc}") from exc
        if thumbprint is None:
            raise Denied(Reason.INVALID_TOKEN, "bound to a certificate, and Envoy sent none of the client")
        if thumbprint != expected:
            raise Denied(Reason.INVALID_TOKEN, "bound to another certificate")


def _ensure_cnf_is_the_issuers(key_manager: KeyManager) -> None:
    mapping = key_manager.claim_mapping
    if _CONFIRMATION in mapping or _CONFIRMATION in mapping.values():
        # The catalog takes no such mapping; if one came in, every token would look unbound.
        raise Denied(Reason.INVALID_TOKEN, "claim_mapping of its key manager renames `cnf`")


def _ensure_required(bound: Confirmation, required: Binding) -> None:
    match required:
        case Binding.NONE:
            satisfied = True
        case Binding.CERTIFICATE:
            satisfied = bound.x5t_s256 is not None
        case Binding.DPOP:
            satisfied = bound.jkt is not None
        case Binding.ANY:
            satisfied = bound != _UNBOUND
        case _:
            assert_never(required)
    if not satisfied:
        raise Denied(Reason.INVALID_TOKEN, f"its key manager requires `binding: {required.value}`")


def _ensure_scheme(bound: Confirmation, token: BearerToken, facts: TokenFacts) -> None:
    if token.scheme is _DPOP and bound.jkt is None:
        # RFC 9449 §7.1: a proof says nothing where the token names no key.
        raise Denied(Reason.INVALID_TOKEN, "came with the DPoP scheme, and is not bound to a key")
    if token.scheme is _BEARER and bound.jkt is not None:
        # RFC 9449 §7.2: else whoever finds the token could use it.
        raise Denied(Reason.INVALID_TOKEN, "bound to a key, and came with the Bearer scheme")
    if bound.jkt is None and facts.form is _INTROSPECTED and (facts.token_type or "").lower() == "dpop":
        # RFC 9449 §6.2: such an answer has a `jkt`; without it nobody can tell whose the token is.
        raise Denied(Reason.INVALID_TOKEN, "introspection calls it a DPoP token, and names no key")
