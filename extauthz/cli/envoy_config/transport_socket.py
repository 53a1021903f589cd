"""TLS between Envoy and extauthz, on Envoy's side."""

import ipaddress
from typing import Any

from extauthz.cli.envoy_config.commented import because
from extauthz.cli.envoy_config.gateway_facts import GatewayFacts
from extauthz.model.host_port import host_and_port

_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_SECRETS = "/etc/envoy/sds"
_NAME_OF_A_SOCKET = "extauthz"
"""What the certificate must name where the address has no name."""


def transport_socket(facts: GatewayFacts) -> dict[str, Any]:
    """The `transport_socket` of the cluster."""
    host = _NAME_OF_A_SOCKET if facts.address.startswith("unix:") else host_and_port(facts.address)[0]
    kind = _kind(host)
    context: dict[str, Any] = {
        "alpn_protocols": because("gRPC servers close a connection that has not agreed on HTTP/2.", ["h2"]),
        "tls_params": because(
            "Nobody here needs an older one.",
            {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
        ),
    }
    if facts.client_names:
        context["tls_certificate_sds_secret_configs"] = because(
            "Required by tls.client_ca of the settings; the certificate must have one of tls.client_names: "
            f"{', '.join(facts.client_names)}. Envoy watches what these files name: nothing needs a restart when "
            "a certificate is renewed. Examples of them are in deploy/envoy/sds.",
            [_secret("gateway")],
        )
    context["combined_validation_context"] = {
        "default_validation_context": because(
            "The name in the certificate of extauthz. Without it, whoever has any certificate of the authority could "
            "answer Checks with `allow`.",
            {"match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": host}}]},
        ),
        "validation_context_sds_secret_config": _secret("extauthz-authority"),
    }
    named = {"sni": host} if kind == "DNS" else {}
    typed = {"@type": _TYPE} | named | {"common_tls_context": context}
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed}


def _secret(name: str) -> dict[str, Any]:
    source = {"path": f"{_SECRETS}/{name}.yaml"}
    return {"name": name, "sds_config": {"resource_api_version": "V3", "path_config_source": source}}


def _kind(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "DNS"
    return "IP_ADDRESS"
