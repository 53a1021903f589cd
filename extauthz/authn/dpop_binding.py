"""Proof of possession by DPoP (RFC 9449 §7): the proof beside a token, and that it comes for the first time."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from extauthz.model.check import BearerToken, RequestContext
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason
from extauthz.oauth2 import target_uri
from extauthz.oauth2.dpop import DpopProof, ProofRules, ProvenRequest, verified_proof
from extauthz.oauth2.dpop_nonce import DpopNonces

PROOF_HEADER = "dpop"


class ReplayMemory(Protocol):
    """Remembers which proofs were used."""

    async def is_first_use(self, key: bytes, seconds: float) -> bool:
        """Whether nobody asked about this key within the last `seconds`; from now on, somebody did.

        Raises:
            Unavailable: nobody can say.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DpopBinding:
    """`ProofOfPossession` by the `DPoP` header field."""

    rules: ProofRules
    replay: ReplayMemory
    clock: Clock
    scheme: str | None = None
    """Of the URIs that clients sign, where TLS ends before Envoy; None: the one that Envoy sees."""
    nonces: DpopNonces | None = None
    """None: no proof needs a nonce."""

    async def verify(self, request: RequestContext, token: BearerToken, jkt: str) -> None:
        """See `ProofOfPossession`."""
        now = self.clock()
        header = request.headers.get(PROOF_HEADER)
        proof = verified_proof(header, self._proven(request, token), self.rules, now, jkt=jkt)
        self._ensure_nonce(proof, now)
        if not await self.replay.is_first_use(_replay_key(proof), self._remembered_seconds):
            raise Denied(Reason.INVALID_DPOP_PROOF, "used before")

    def _proven(self, request: RequestContext, token: BearerToken) -> ProvenRequest:
        try:
            uri = target_uri.composed(self.scheme or request.scheme, request.host, request.path)
        except ValueError as exc:
            raise Denied(Reason.INVALID_DPOP_PROOF, f"the request has no URI to prove: {exc}") from exc
        return ProvenRequest(method=request.method, uri=uri, access_token=token.value)

    def _ensure_nonce(self, proof: DpopProof, now: float) -> None:
        if self.nonces is None or (proof.nonce is not None and self.nonces.is_current(proof.nonce, now)):
            return
        raise Denied(Reason.USE_DPOP_NONCE, "no nonce, or not a current one", dpop_nonce=self.nonces.issue(now))

    @property
    def _remembered_seconds(self) -> float:
        # As long as the proof would be accepted, and the skew once more for replicas whose clocks are behind.
        return self.rules.max_age_seconds + 2 * self.rules.future_skew_seconds


def _replay_key(proof: DpopProof) -> bytes:
    # With the key's thumbprint, so that no client can use up the `jti`s of another; hashed, so that the `jti` may have
    # any length. The thumbprint always has 43 characters: no two pairs make one text.
    return hashlib.sha256(f"{proof.jkt}{proof.jti}".encode()).digest()
