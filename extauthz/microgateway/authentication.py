"""`keyManager.security`: how a Microgateway proves itself at the introspection endpoint.

Basic beats OAuth2; of the grants, clientCredential beats password, and password beats directToken.
"""

from typing import Any

from extauthz.microgateway.report import Report
from extauthz.microgateway.source import GivenSecret, Table
from extauthz.microgateway.yaml_text import Said

_BEARERS = {"AUTH_HEADER_BEARER": "header", "POST_BODY_BEARER": "body", "NO_BEARER": "none"}
_GRANTS = ("clientCredential", "password", "directToken")
_WAYS = {"clientCredential": "client_credentials", "password": "password", "directToken": "direct_token"}


class Authentication:
    """Reads the tables; `endpoint` is where the introspection questions go."""

    def __init__(self, security: Table, endpoint: str, report: Report) -> None:
        self._basic = security.table("basic")
        self._oauth2 = security.table("oauth2")
        self._endpoint = endpoint
        self._report = report

    def document(self) -> dict[str, Any] | None:
        """What `authentication` says; None if there is nothing to say."""
        if self._takes_basic():
            return {"basic": self._basic_document()}
        self._basic.leave("not carried over: it is not enabled")
        grant = self._grant() if self._takes_oauth2() else None
        if grant is None:
            text = "no way to prove ourselves at the introspection endpoint: write one (docs/catalog.md)"
            self._report.note(self._oauth2.name, text)
            return None
        table = self._oauth2.table(grant)
        return {_WAYS[grant]: Said(self._grant_document(grant, table), table.name)}

    def _takes_basic(self) -> bool:
        enabled = self._basic.flag("enabled")
        if enabled or (enabled is None and self._basic):
            self._oauth2.leave("not carried over: basic beats oauth2")
            return True
        if enabled is None and not self._takes_oauth2():
            text = "is not in the file: WSO2's default, Basic as admin, is written"
            self._report.note(self._basic.path("enabled"), text)
            return True
        return False

    def _takes_oauth2(self) -> bool:
        enabled = self._oauth2.flag("enabled")
        if enabled is False:
            self._oauth2.leave("not carried over: oauth2 is not enabled")
        return bool(self._oauth2) if enabled is None else enabled

    def _basic_document(self) -> dict[str, Any]:
        username = self._basic.text("username")
        password = self._basic.secret("password") or GivenSecret(key=self._basic.path("password"), env=None)
        return {
            "username": Said(username or "admin", self._basic.path("username")),
            "password": self._secret(password, self._endpoint),
        }

    def _grant(self) -> str | None:
        enabled = [grant for grant in _GRANTS if self._oauth2.table(grant).flag("enabled")]
        for grant in _GRANTS:
            if enabled and grant in enabled[1:]:
                reason = f"not carried over: {enabled[0]} beats {grant}"
            else:
                reason = "not carried over: it is not enabled"
            if grant not in enabled[:1]:
                self._oauth2.table(grant).leave(reason)
        if not enabled:
            self._leave_refresh("clientCredential")
            self._oauth2.leave("not carried over: no grant is enabled")
            return None
        if "enabled" not in self._oauth2:
            self._report.note(self._oauth2.path("enabled"), f"is not in the file; {enabled[0]} is, and was taken")
        return enabled[0]

    def _grant_document(self, grant: str, table: Table) -> dict[str, Any]:
        token_url = None if grant == "directToken" else self._oauth2.text("tokenUrl")
        refresh = self._refresh(grant, token_url)
        places = (self._endpoint, token_url, self._oauth2.table("refresh").text("refreshUrl") if refresh else None)
        if grant == "directToken":
            self._leave_token_request(refreshed=refresh is not None)
            return {"access_token": self._required(table, "accessToken", *places), "refresh": refresh}
        document = self._request(table, token_url, self._oauth2.path("tokenUrl"), *places)
        if grant == "password":
            document["username"] = Said(table.text("username"), table.path("username"))
            document["password"] = self._required(table, "password", *places)
            document["refresh"] = refresh
        return {name: value for name, value in document.items() if value is not None}

    def _request(self, table: Table, url: str | None, source: str, *places: str | None) -> dict[str, Any]:
        """A token request."""
        bearer = self._oauth2.text("credentialBearer")
        credentials = _BEARERS.get((bearer or "AUTH_HEADER_BEARER").upper())
        if credentials is None:
            text = f"is none of {', '.join(_BEARERS)}: AUTH_HEADER_BEARER was taken"
            self._report.note(self._oauth2.path("credentialBearer"), text)
        client_id = table.text("clientId")
        document: dict[str, Any] = {
            "token_endpoint": Said(url, source),
            "client_id": Said(client_id, table.path("clientId")),
            "credentials": Said(credentials or "header", self._oauth2.path("credentialBearer")),
        }
        if credentials == "none":
            if table.secret("clientSecret"):
                self._report.note(table.path("clientSecret"), "not carried over: with NO_BEARER it is not sent")
        else:
            document["client_secret"] = self._required(table, "clientSecret", *places)
        if scopes := table.texts("scopes"):
            document["scopes"] = Said(scopes, table.path("scopes"))
        return document

    def _refresh(self, grant: str, token_url: str | None) -> dict[str, Any] | None:
        table = self._oauth2.table("refresh")
        if not table.flag("enabled") or grant == "clientCredential":
            self._leave_refresh(grant)
            return None
        url = table.text("refreshUrl")
        places = (self._endpoint, url, token_url)
        document = self._request(table, url, table.path("refreshUrl"), *places)
        document["refresh_token"] = self._required(table, "refreshToken", *places)
        return document

    def _leave_token_request(self, *, refreshed: bool) -> None:
        """With a direct token nothing but its refresh is asked of a token endpoint."""
        for key in ("tokenUrl",) if refreshed else ("tokenUrl", "credentialBearer"):
            if key in self._oauth2 and self._oauth2.text(key) is not None:
                self._report.note(self._oauth2.path(key), "not needed with directToken")

    def _leave_refresh(self, grant: str) -> None:
        table = self._oauth2.table("refresh")
        if table.flag("enabled") and grant == "clientCredential":
            table.leave("not carried over: refresh goes with password or directToken only")
        else:
            table.leave("not carried over: it is not enabled")

    def _required(self, table: Table, key: str, *places: str | None) -> Said:
        given = table.secret(key)
        if given is None:
            self._report.note(table.path(key), "is not in the file: a value has to be set")
            given = GivenSecret(key=table.path(key), env=None)
        return self._secret(given, *places)

    def _secret(self, given: GivenSecret, *places: str | None) -> Said:
        return Said(self._report.secret(given.key, env=given.env, urls=places), given.key)
