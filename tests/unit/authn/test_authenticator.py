"""Which credentials it takes, by what the API accepts; one table for mutual TLS and applications."""

import pytest
from support.catalogs import request

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.authenticator import AuthenticatorChain
from extauthz.authn.binding import BindingCheck
from extauthz.authn.credentials import Credentials
from extauthz.authn.registered_certificate import RegisteredCertificates
from extauthz.cache.keys import CacheKeys
from extauthz.model.api import Api
from extauthz.model.api_security import ApiKeyPlacement, ApiSecurity, RegisteredCertificate, Requirement
from extauthz.model.check import Principal
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm

OFF, OPTIONAL, MANDATORY = Requirement.OFF, Requirement.OPTIONAL, Requirement.MANDATORY
MISSING, INVALID = Reason.MISSING_CREDENTIALS, Reason.INVALID_TOKEN
GOOD_CERTIFICATE = RegisteredCertificate(thumbprint="m" * 43, subject="CN=mine", not_before=0, not_after=2e9)
CALLER = Principal(
    key_manager=KeyManager(id="km", issuer="i"),
    facts=TokenFacts(form=TokenForm.JWT, believe_until=2e9),
    token_key=b"k",
)
STRANGER = Principal(facts=TokenFacts(form=TokenForm.NO_TOKEN, believe_until=2e9), token_key=b"x", application="app")


class Issuer:
    """Knows the token `good`, and counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    async def authenticate(self, token, api, request):
        self.asked += 1
        if token.value != "good":
            raise Denied(Reason.INVALID_TOKEN)
        return CALLER


class Extension:
    """Answers the same each time."""

    def __init__(self, answer):
        self._answer = answer

    async def authenticate(self, request, api):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def caller(security, *, certificate=None, issuer=None, extensions=(), **headers):
    """Who calls: `token`, `certificate` or `extension`; or the reason for the refusal."""
    chain = AuthenticatorChain(
        credentials=Credentials(max_token_bytes=512, dpop=False),
        certificates=RegisteredCertificates(lambda _: certificate, lambda: 1_700_000_000.0),
        tokens=AccessTokens(
            [issuer or Issuer()],
            keys=CacheKeys([b"s" * 32]),
            binding=BindingCheck(certificate=lambda _: certificate, dpop=None),
        ),
        api_keys=None,
        extensions=extensions,
    )
    api = Api(id="a", name="A", version="v1", context="/", security=security)
    try:
        principal = await chain.authenticate(request(headers=headers), api)
    except Denied as denied:
        return denied.reason
    if principal.certificate is not None:
        return "certificate"
    return "token" if principal.key_manager else "extension"


def of(mutual_tls, application=MANDATORY, **settings):
    certificates = () if mutual_tls is OFF else (GOOD_CERTIFICATE,)
    return ApiSecurity(mutual_tls=mutual_tls, application=application, certificates=certificates, **settings)


@pytest.mark.parametrize(
    ("mutual_tls", "application", "certificate", "token", "expected"),
    [
        (OFF, MANDATORY, None, None, MISSING),
        (OFF, MANDATORY, "good", None, MISSING),
        (OFF, MANDATORY, None, "good", "token"),
        (OFF, MANDATORY, None, "bad", INVALID),
        # A bad certificate falls back to the token; a good one does not excuse that there is none, or a bad one.
        (OPTIONAL, MANDATORY, None, "good", "token"),
        (OPTIONAL, MANDATORY, "bad", "good", "token"),
        (OPTIONAL, MANDATORY, "good", "good", "token"),
        (OPTIONAL, MANDATORY, "good", "bad", INVALID),
        (OPTIONAL, MANDATORY, "good", None, MISSING),
        (OPTIONAL, MANDATORY, "bad", None, MISSING),
        # One of both is enough.
        (OPTIONAL, OPTIONAL, None, None, MISSING),
        (OPTIONAL, OPTIONAL, "bad", None, MISSING),
        (OPTIONAL, OPTIONAL, "good", None, "certificate"),
        (OPTIONAL, OPTIONAL, None, "good", "token"),
        (OPTIONAL, OPTIONAL, "bad", "good", "token"),
        (OPTIONAL, OPTIONAL, "good", "good", "token"),
        (OPTIONAL, OPTIONAL, "good", "bad", INVALID),
        # Both.
        (MANDATORY, MANDATORY, "good", "good", "token"),
        (MANDATORY, MANDATORY, "good", "bad", INVALID),
        (MANDATORY, MANDATORY, "good", None, MISSING),
        (MANDATORY, MANDATORY, "bad", "good", INVALID),
        (MANDATORY, MANDATORY, None, "good", INVALID),
        (MANDATORY, MANDATORY, None, None, INVALID),
        # The certificate; whoever shows a token as well, shows a good one.
        (MANDATORY, OPTIONAL, "good", None, "certificate"),
        (MANDATORY, OPTIONAL, "good", "good", "token"),
        (MANDATORY, OPTIONAL, "good", "bad", INVALID),
        (MANDATORY, OPTIONAL, "bad", "good", INVALID),
        (MANDATORY, OPTIONAL, None, "good", INVALID),
    ],
)
async def test_who_may_call_with_what(mutual_tls, application, certificate, token, expected):
    shown = {"good": GOOD_CERTIFICATE.thumbprint, "bad": "b" * 43}.get(certificate)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    assert await caller(of(mutual_tls, application), certificate=shown, **headers) == expected


async def test_without_the_certificate_that_is_mandatory_nobody_is_asked_about_the_token():
    issuer = Issuer()
    asked = of(MANDATORY)
    assert await caller(asked, issuer=issuer, authorization="Bearer good") is INVALID
    assert issuer.asked == 0
    extension = Extension(AssertionError("asked"))
    assert await caller(asked, extensions=[extension]) is INVALID


async def test_a_credential_that_the_api_does_not_accept_does_not_spoil_the_certificate():
    security = of(OPTIONAL, OPTIONAL, oauth2=False)
    for authorization in ("Bearer bad", "Basic dTpw"):
        caught = await caller(security, certificate=GOOD_CERTIFICATE.thumbprint, authorization=authorization)
        assert caught == "certificate"


async def test_a_malformed_token_is_not_excused_by_the_certificate():
    security = of(OPTIONAL, OPTIONAL)
    refused = await caller(security, certificate=GOOD_CERTIFICATE.thumbprint, authorization="Bearer a,Bearer b")
    assert refused is Reason.INVALID_REQUEST


async def test_an_api_key_is_refused_where_the_settings_have_no_secret_for_them():
    security = ApiSecurity(oauth2=False, api_key=ApiKeyPlacement(header="x-api-key"))
    assert await caller(security, **{"x-api-key": "xk_" + "A" * 43}) is INVALID


async def test_a_value_of_application_that_is_not_known_refuses():
    with pytest.raises(AssertionError):
        await caller(of(OPTIONAL, "sometimes"), certificate=GOOD_CERTIFICATE.thumbprint)


async def test_the_first_extension_that_knows_the_caller_decides():
    issuer = Issuer()
    nobody, somebody = Extension(None), Extension(STRANGER)
    assert await caller(of(OFF), extensions=[nobody], authorization="Bearer good") == "token"
    first = await caller(of(OFF), extensions=[nobody, somebody], issuer=issuer, authorization="Bearer bad")
    assert (first, issuer.asked) == ("extension", 0)


async def test_a_refusal_of_an_extension_is_final():
    refusing = Extension(Denied(Reason.TOKEN_EXPIRED))
    refused = await caller(of(OFF), extensions=[refusing, Extension(STRANGER)], authorization="Bearer good")
    assert refused is Reason.TOKEN_EXPIRED


async def test_a_token_that_no_authenticator_owns_is_refused():
    class Nobody:
        async def authenticate(self, token, api, request):
            return None

    assert await caller(of(OFF), issuer=Nobody(), authorization="Bearer good") is INVALID
