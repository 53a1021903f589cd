"""`keyManager`: the server that opaque tokens are introspected at."""

from typing import Any

from extauthz.microgateway.authentication import Authentication
from extauthz.microgateway.report import Report
from extauthz.microgateway.source import Table
from extauthz.microgateway.yaml_text import Said

_SERVER = "https://localhost:9443"
"""WSO2's default."""
_CONTEXT = "oauth2"


class Introspecting:
    """Reads the table."""

    def __init__(self, table: Table, report: Report) -> None:
        self._table = table
        self._report = report

    @property
    def failed_jwt(self) -> bool:
        """Whether a JWT that fails is introspected."""
        return bool(self._table.flag("enableIntrospectForFailedJWT"))

    def document(self) -> dict[str, Any]:
        """A key manager that introspects."""
        base = f"{self._server()}/{self._context()}"
        self._tell_legacy_mode()
        self._tell_user_claims()
        issuer = self._table.text("issuer")
        if issuer is None:
            text = f"is not in the file (it came with 3.2): {base}/token was taken; write what the server says as `iss`"
            self._report.note(self._table.path("issuer"), text)
        endpoint = f"{base}/introspect"
        authentication = Authentication(self._table.table("security"), endpoint, self._report).document()
        return {
            "issuer": Said(issuer or f"{base}/token", self._table.path("issuer")),
            "introspection": {
                "endpoint": Said(endpoint, f"{self._table.path('serverUrl')}, {self._table.path('tokenContext')}"),
                "authentication": authentication,
            },
        }

    def _server(self) -> str:
        server = self._table.text("serverUrl")
        if server is None:
            self._report.note(
                self._table.path("serverUrl"), f"is not in the file: WSO2's default, {_SERVER}, is written"
            )
        return (server or _SERVER).rstrip("/")

    def _context(self) -> str:
        return (self._table.text("tokenContext") or _CONTEXT).strip("/")

    def _tell_legacy_mode(self) -> None:
        """3.0 and 3.1 say `external`, 3.2 says the opposite, `enableLegacyMode`."""
        external, legacy = self._table.flag("external"), self._table.flag("enableLegacyMode")
        key = self._table.path("enableLegacyMode" if legacy is not None else "external")
        if legacy or external is False:
            text = (
                "WSO2's key validation service (SOAP) is not spoken here. The introspection endpoint of the same "
                "server is written: see that it answers to these credentials, or write the right one"
            )
            self._report.note(key, text)
        elif external is None and legacy is None:
            text = (
                "is not in the file: before 3.2 that means WSO2's key validation service (SOAP), which is not spoken "
                "here; the introspection endpoint of the same server is written"
            )
            self._report.note(key, text)

    def _tell_user_claims(self) -> None:
        if self._table.flag("remoteUserClaimRetrievalEnabled"):
            text = "not carried over: write `userinfo: {endpoint: ...}` at the key manager, an OpenID Connect endpoint"
            self._report.note(self._table.path("remoteUserClaimRetrievalEnabled"), text)
