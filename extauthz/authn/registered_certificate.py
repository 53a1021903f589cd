"""Client certificates as credentials: those that an API has registered (wso2-facts §1.8)."""

from typing import assert_never

from extauthz.authn.client_certificate import ClientCertificate
from extauthz.model.api_security import ApiSecurity, RegisteredCertificate, Requirement
from extauthz.model.check import Principal, RequestContext
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason
from extauthz.model.token import TokenFacts, TokenForm


class RegisteredCertificates:
    """Finds the registered certificate that the client showed; Envoy has verified that it has the key."""

    def __init__(self, certificate: ClientCertificate, clock: Clock) -> None:
        self._certificate = certificate
        self._clock = clock

    def shown(self, request: RequestContext, security: ApiSecurity) -> RegisteredCertificate | None:
        """The certificate; None where it is optional and the client showed none, or none that counts.

        Raises:
            Denied: invalid_token: it is mandatory.
        """
        match security.mutual_tls:
            case Requirement.OFF:
                return None
            case Requirement.OPTIONAL:
                return self._registered(request, security)[0]
            case Requirement.MANDATORY:
                registered, problem = self._registered(request, security)
                if registered is None:
                    raise Denied(Reason.INVALID_TOKEN, f"mutual TLS is mandatory, and {problem}")
                return registered
            case _:
                assert_never(security.mutual_tls)

    def _registered(self, request: RequestContext, security: ApiSecurity) -> tuple[RegisteredCertificate | None, str]:
        try:
            thumbprint = self._certificate(request)
        except ValueError as error:
            return None, f"what the client showed is no certificate: {error}"
        if thumbprint is None:
            return None, "Envoy sent no certificate of the client"
        registered = next((each for each in security.certificates if each.thumbprint == thumbprint), None)
        if registered is None:
            return None, "the client's certificate is not registered"
        # RFC 5280 §4.1.2.5: both dates belong to the time in which it is valid.
        if not registered.not_before <= self._clock() <= registered.not_after:
            return None, f"the certificate of {registered.subject} is outside of its dates"
        return registered, ""


def certificate_holder(certificate: RegisteredCertificate) -> Principal:
    """Who calls, where the certificate is the only credential."""
    facts = TokenFacts(
        form=TokenForm.NO_TOKEN,
        believe_until=certificate.not_after,
        subject=certificate.subject,
        scopes=certificate.scopes,
        expires_at=certificate.not_after,
    )
    return Principal(facts=facts, token_key=certificate.thumbprint.encode("ascii"), certificate=certificate)
