"""The cluster of extauthz."""

import ipaddress
from typing import Any

from extauthz.cli.envoy_config.commented import because
from extauthz.cli.envoy_config.ext_authz import CLUSTER
from extauthz.cli.envoy_config.gateway_facts import GatewayFacts
from extauthz.cli.envoy_config.transport_socket import transport_socket
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE
from extauthz.model.host_port import host_and_port

_HTTP_TYPE = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def cluster(facts: GatewayFacts) -> dict[str, Any]:
    """The cluster, for `static_resources.clusters`."""
    return {
        "name": CLUSTER,
        "type": _discovery(facts.address),
        "connect_timeout": because("Well below the timeout of a Check.", "0.5s"),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_TYPE,
                "explicit_http_config": {
                    "http2_protocol_options": because(
                        "gRPC is HTTP/2. The keepalive finds a replica that vanished without a FIN.",
                        {"connection_keepalive": {"interval": "30s", "timeout": "5s"}},
                    )
                },
            }
        },
        "circuit_breakers": because(
            "The default of 1024 is met by 1,000 requests a second that wait one second; beyond it: refusals.",
            {"thresholds": [{"max_connections": 4096, "max_pending_requests": 16384, "max_requests": 16384}]},
        ),
        "health_checks": [_health_check()],
        **({"transport_socket": transport_socket(facts)} if facts.tls else {}),
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(facts.address)}}]}],
        },
    }


def _health_check() -> dict[str, Any]:
    return {
        "grpc_health_check": because(
            "A replica says NOT_SERVING before its first catalog, and before it leaves.",
            {"service_name": AUTHORIZATION_SERVICE},
        ),
        "interval": "1s",
        "no_traffic_interval": because("The default of 60 s would hide a replica that has just come up.", "1s"),
        "timeout": "1s",
        "healthy_threshold": 1,
        "unhealthy_threshold": because("Envoy closes every connection to a host that it gives up.", 3),
    }


def _discovery(address: str) -> Any:
    if address.startswith("unix:") or _is_ip(host_and_port(address)[0]):
        return "STATIC"
    return because("Every address of the name is a host: with a headless Service, every replica.", "STRICT_DNS")


def _address(address: str) -> dict[str, Any]:
    if address.startswith("unix:"):
        return {"pipe": {"path": address.removeprefix("unix:")}}
    host, port = host_and_port(address)
    return {"socket_address": {"address": host, "port_value": port}}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
