"""Sections that have no counterpart here, and what to do about each."""

from extauthz.microgateway.report import Report
from extauthz.microgateway.source import Table

_ADVICE = {
    "listenerConfig": "Envoy listens: addresses, keys and TLS are its configuration. Authorities in a Java truststore "
    "that vouch for issuers: keytool -exportcert -rfc -alias ALIAS -keystore TRUSTSTORE > ALIAS.pem, then `ca_file`",
    "mutualSSLConfig": "Envoy asks for client certificates; APIs take them by `security: {mutual_tls: ...}`",
    "tokenRevocationConfig": "no JMS and no etcd here: revocations come by `extauthz revoke`, POST /revocations, or "
    "WSO2's notifications (docs/revocation.md)",
    "apim": "API Manager is not asked: APIs, applications and subscriptions are in the catalog",
    "apikey": "no API keys are issued over HTTP: `extauthz api-key create` makes them, `api_keys` lists them",
    "apikeyTokenConfig": "API keys are opaque here, and no JWTs: make new ones with `extauthz api-key create`",
    "b7a": "users with HTTP Basic (`b7a.users`) are not supported: give them a token or an API key. Logs and "
    "observability are those of extauthz and Envoy",
    "basicAuth": "callers with HTTP Basic are not supported: give them a token or an API key",
    "security": "no counterpart",
    "throttlingConfig": "Envoy counts: rate limits by the subscription policy in the dynamic metadata (deploy/envoy)",
    "throttling": "Envoy counts: rate limits by the subscription policy in the dynamic metadata (deploy/envoy)",
    "analytics": "Envoy's access log has each request, with the dynamic metadata that extauthz adds",
    "httpClients": "connections to upstreams are Envoy's",
    "http2": "connections are Envoy's",
    "validationConfig": "requests and responses are not validated against their schema",
    "server": "no counterpart",
    "filters": "no filters of Ballerina: an extension (docs/extensions.md), or a filter of Envoy",
    "rollingFile": "logs go to standard error",
}


def tell_left_out(top: Table, report: Report) -> None:
    """One line for each section that nobody asked for, and one for each key that nobody here knows."""
    for section, advice in _ADVICE.items():
        for table in top.tables(section):
            table.leave(f"not carried over: {advice}")
    for key in top.untouched():
        report.note(key, "not known here: not carried over")
