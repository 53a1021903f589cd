"""Introspection answers that the authorization server signed (RFC 9701)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from extauthz.model.clock import Clock
from extauthz.model.errors import Denied
from extauthz.model.token import Claims
from extauthz.oauth2.bounded_http import HttpAnswer
from extauthz.oauth2.claims import registered_claims
from extauthz.oauth2.introspection import IntrospectionResponse, PlainAnswers, introspection_response
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.jwt import SignedClaims, UnverifiedJwt, parse, verify

MEDIA_TYPE = "application/token-introspection+jwt"
TYP = "token-introspection+jwt"
MAX_AGE_SECONDS = 300.0
"""An answer is made when it is asked for (RFC 9701 §5, `iat`): an older one is somebody's record."""

KeyLookup = Callable[[str | None, str], Awaitable[Sequence[VerificationKey]]]
"""The keys that may have signed, by `kid` and `alg`.

Raises Denied when there is none, Unavailable when they are not known.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswers:
    """Believes what the issuer signed for us, and plain JSON only where a signature is not required."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    required: bool
    keys: KeyLookup = field(repr=False)
    clock: Clock

    @property
    def accept(self) -> str:
        """See `Answers` (RFC 9701 §4)."""
        return MEDIA_TYPE if self.required else f"{MEDIA_TYPE}, application/json;q=0.9"

    async def read(self, answer: HttpAnswer) -> IntrospectionResponse:
        """See `Answers`."""
        if answer.content_type == MEDIA_TYPE:
            return await self._signed(answer.body)
        if self.required:
            raise ValueError("an answer that is not signed")
        return await PlainAnswers().read(answer)

    async def _signed(self, body: bytes) -> IntrospectionResponse:
        try:
            jwt = parse(body.decode("ascii"))
            if jwt is None:
                raise ValueError("a signed answer that is no JWT")
            signed = await self._verified(jwt)
            self._ensure_for_us(signed.claims)
        except UnicodeDecodeError as exc:
            raise ValueError("a signed answer that is no JWT") from exc
        except Denied as exc:
            # Not the client's token is bad but the answer about it.
            raise ValueError(f"a signed answer that cannot be believed: {exc.detail}") from exc
        content = signed.claims.get("token_introspection")
        if not isinstance(content, dict):
            raise ValueError("a signed answer without `token_introspection`")  # noqa: TRY004 - a bad document
        return introspection_response(content)

    async def _verified(self, jwt: UnverifiedJwt) -> SignedClaims:
        # RFC 9701 §8.1: without this, any JWT that the issuer signed could be taken for an answer.
        if jwt.typ != TYP:
            raise ValueError(f"a signed answer whose `typ` is not {TYP}")
        if jwt.alg not in self.algorithms:
            raise ValueError("a signed answer whose algorithm is not one of signed_answer.algorithms")
        refused: Denied | None = None
        for key in await self.keys(jwt.kid, jwt.alg):
            try:
                return verify(jwt, key, self.algorithms)
            except Denied as denied:
                refused = denied
        raise refused or ValueError("a signed answer with an unknown key")

    def _ensure_for_us(self, claims: Claims) -> None:
        registered = registered_claims(claims, exp_required=False)
        if registered.iss != self.issuer:
            raise ValueError("a signed answer of another issuer")
        if self.audience not in registered.aud:
            raise ValueError("a signed answer for another audience")
        if registered.iat is None or abs(self.clock() - registered.iat) > MAX_AGE_SECONDS:
            raise ValueError("a signed answer that was not made now: see its `iat`, and both clocks")
