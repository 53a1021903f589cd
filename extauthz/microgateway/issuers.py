"""`jwtTokenConfig`: issuers whose JWTs are checked here."""

import re
from typing import Any

from extauthz.microgateway.report import Report
from extauthz.microgateway.source import Table
from extauthz.microgateway.yaml_text import Said

_ALGORITHMS = ["RS256", "RS384", "RS512"]
"""What a Microgateway verifies."""
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DEFAULT_ALIAS = "wso2apim310"
_DEFAULT_MAPPER = "org.wso2.micro.gateway.jwtTransformer.DefaultJwtTransformer"
_AUDIENCE_TO_WRITE = "to-be-written"
"""No token is for it."""
_NOT_LOCAL = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"})
_NOT_REMOTE = _NOT_LOCAL - {"sub"}


class JwtIssuer:
    """Reads one table. `event_hub`: the Microgateway knew subscriptions from API Manager, and not from the token."""

    def __init__(self, table: Table, report: Report, *, event_hub: bool) -> None:
        self._table = table
        self._report = report
        self._event_hub = event_hub

    def document(self) -> dict[str, Any]:
        """A key manager that issues JWTs."""
        self._tell_mapper()
        issuer = self._table.text("issuer")
        if issuer is None:
            self._report.note(self._table.path("issuer"), "is not set: write the `iss` of the tokens")
        consumer_key = self._table.text("consumerKeyClaim")
        return {
            "issuer": Said(issuer, self._table.path("issuer")),
            "jwt": self._jwt(),
            "client_id_claim": Said(consumer_key, self._table.path("consumerKeyClaim")),
            "claim_mapping": self._claim_mapping(),
            "subscription_validation": self._subscription_validation(),
        }

    def _jwt(self) -> dict[str, Any]:
        jwks_uri, certificates = self._table.text("jwksURL"), self._certificates()
        audiences = self._audiences()
        return {
            "jwks_uri": Said(jwks_uri, self._table.path("jwksURL")),
            "certificates": certificates,
            "algorithms": Said(_ALGORITHMS, "what a Microgateway verifies"),
            "audiences": Said(audiences, self._table.path("audience")) if audiences else None,
        }

    def _audiences(self) -> list[str]:
        if self._table.is_text("audience"):
            one = self._table.text("audience")  # with a space or a comma in it, it is one all the same
            audiences = [one] if one else []
        else:
            audiences = self._table.texts("audience")
        if not audiences and self._table.has_value("audience"):
            # Left out, a token for anybody would do.
            return [_AUDIENCE_TO_WRITE]
        return audiences

    def _certificates(self) -> Said | None:
        key = self._table.path("certificateAlias")
        alias = self._table.text("certificateAlias")
        if alias is None:
            if "jwksURL" in self._table:
                return None
            alias = _DEFAULT_ALIAS
            self._report.note(key, f"is not in the file, nor is jwksURL: WSO2's default, {alias}, is written")
        if not _ALIAS.fullmatch(alias):
            text = "is no name of a file: export the certificate, and write `certificates: [{file: ...}]`"
            self._report.note(key, text)
            return None
        text = (
            f"is in a Java keystore: keytool -exportcert -rfc -alias {alias} -keystore TRUSTSTORE > "
            f"certificates/{alias}.pem, the folder that `certificate_directory` names"
        )
        self._report.note(key, text)
        return Said([{"alias": alias}], key)

    def _claim_mapping(self) -> Said | None:
        mapping: dict[str, str] = {}
        for claim in self._table.tables("claims"):
            remote, local = claim.text("remoteClaim"), claim.text("localClaim")
            if remote is None or local is None:
                self._report.note(claim.name, "needs remoteClaim and localClaim: left out")
            elif remote in _NOT_REMOTE or local in _NOT_LOCAL:
                self._report.note(
                    claim.name, f"not carried over: {remote} as {local} would change what a token is checked by"
                )
            elif remote in mapping or local in mapping.values():
                self._report.note(claim.name, f"not carried over: {remote} or {local} is mapped already")
            else:
                mapping[remote] = local
        return Said(mapping, self._table.path("claims")) if mapping else None

    def _subscription_validation(self) -> Said:
        key = self._table.path("validateSubscription")
        validates = self._table.flag("validateSubscription")
        if validates is None and self._table.has_value("validateSubscription"):
            # Perhaps it says true: `off` would let every valid token in.
            return Said("catalog", key)
        if not validates:
            return Said("off", key)
        if self._event_hub:
            text = "subscriptions came from API Manager 3.2: list `applications` and `subscriptions` in the catalog"
            self._report.note(key, text)
            return Said("catalog", key)
        text = (
            "the token's `subscribedAPIs` is looked at (`claim`): API Manager 3.0 and 3.1 write it. For other issuers "
            "write `catalog`, and list `applications` and `subscriptions`"
        )
        self._report.note(key, text)
        return Said("claim", key)

    def _tell_mapper(self) -> None:
        mapper = self._table.text("claimMapperClassName")
        if mapper == _DEFAULT_MAPPER:
            self._report.note(
                self._table.path("claimMapperClassName"), "not needed: ours does what the default one does"
            )
        elif mapper is not None:
            text = "a Java class, not carried over: `claim_mapping`, or an extension (docs/extensions.md)"
            self._report.note(self._table.path("claimMapperClassName"), text)
        if self._table.flag("remoteUserClaimRetrievalEnabled"):
            text = "not carried over: write `userinfo: {endpoint: ...}` at the key manager, an OpenID Connect endpoint"
            self._report.note(self._table.path("remoteUserClaimRetrievalEnabled"), text)
