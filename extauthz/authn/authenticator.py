"""What an authenticator is, and the chain of all that tell who calls."""

from collections.abc import Sequence
from typing import Protocol, assert_never

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.api_key import ApiKeys
from extauthz.authn.credentials import Credentials
from extauthz.authn.registered_certificate import RegisteredCertificates, certificate_holder
from extauthz.model.api import Api
from extauthz.model.api_security import RegisteredCertificate, Requirement
from extauthz.model.check import BearerToken, PresentedApiKey, Principal, RequestContext
from extauthz.model.errors import Denied, Reason

_OFF = Requirement.OFF


class Authenticator(Protocol):
    """Knows one kind of credential, and where requests carry it."""

    async def authenticate(self, request: RequestContext, api: Api) -> Principal | None:
        """Who calls, or None if the request has no credential of this kind.

        Raises:
            Denied: it has one, which is refused.
            Unavailable: it has one, and whoever knows about it does not answer.
        """
        ...


class AuthenticatorChain:
    """Certificate, extensions, then the one token or API key: the first that owns a credential decides."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        certificates: RegisteredCertificates,
        tokens: AccessTokens,
        api_keys: ApiKeys | None,
        extensions: Sequence[Authenticator] = (),
    ) -> None:
        """`api_keys` None: those that come are refused."""
        self._credentials = credentials
        self._certificates = certificates
        self._tokens = tokens
        self._api_keys = api_keys
        self._extensions = tuple(extensions)

    async def authenticate(self, request: RequestContext, api: Api) -> Principal:
        """Who calls, by a credential of the kinds that the API accepts.

        Raises:
            Denied: no credential, or a refused one.
            Unavailable: the issuer, an extension, or the memory of used proofs, does not answer.
        """
        # First: without a certificate that is mandatory, nobody is asked anything.
        security = api.security
        certificate = None if security.mutual_tls is _OFF else self._certificates.shown(request, security)
        for extension in self._extensions:
            principal = await extension.authenticate(request, api)
            if principal is not None:
                return principal
        credential = self._credentials.presented(request, security)
        match credential:
            case BearerToken():
                return await self._tokens.principal(credential, api, request)
            case PresentedApiKey():
                return self._by_api_key(credential, api, request)
            case None:
                return _by_certificate(certificate, api)
            case _:
                assert_never(credential)

    def _by_api_key(self, presented: PresentedApiKey, api: Api, request: RequestContext) -> Principal:
        if self._api_keys is None:
            raise Denied(Reason.INVALID_TOKEN, "an API key, and the settings have no `api_keys`")
        return self._api_keys.principal(presented, api, request)


def _by_certificate(certificate: RegisteredCertificate | None, api: Api) -> Principal:
    match api.security.application:
        case Requirement.OPTIONAL if certificate is not None:
            return certificate_holder(certificate)
        case Requirement.OPTIONAL | Requirement.MANDATORY | Requirement.OFF:
            raise Denied(Reason.MISSING_CREDENTIALS, f"no credential of those that {api.id} accepts")
        case _:
            assert_never(api.security.application)
