"""How pods are found, and what is spoken with them."""

import pytest
from helm.rendering import CATALOG, port_of, render, rendered_ci, rendered_with


def test_the_headless_service_shows_every_pod_on_the_port_of_the_container():
    services = render(CATALOG | {"ports": {"grpc": 50051}, "service": {"port": 80}})
    headless = services.find("Service", "gate-extauthz-headless")
    assert headless["spec"]["clusterIP"] == "None"
    assert port_of(headless)["port"] == 50051
    assert port_of(services.find("Service", "gate-extauthz"))["port"] == 80
    assert "Service" in rendered_with(service={"headless": {"enabled": False}}).kinds()


@pytest.mark.parametrize(("name", "protocol"), [("minimal", "kubernetes.io/h2c"), ("tls-secret", "grpc")])
def test_control_planes_are_told_to_speak_http2(name, protocol):
    for service in ("gate-extauthz", "gate-extauthz-headless"):
        assert port_of(rendered_ci(name).find("Service", service))["appProtocol"] == protocol


def test_the_certificate_is_good_for_the_names_of_both_services():
    names = rendered_ci("tls-cert-manager").find("Certificate", "gate-extauthz")["spec"]["dnsNames"]
    assert {"gate-extauthz.gateways.svc", "gate-extauthz-headless.gateways.svc.cluster.local"} <= set(names)
    assert "extauthz.internal.example.com" in names


def test_addresses_of_both_families_are_asked_for_in_each_service():
    services = [m["spec"] for m in rendered_ci("ipv6").manifests if m["kind"] == "Service"]
    assert len(services) == 3
    for spec in services:
        assert (spec["ipFamilyPolicy"], spec["ipFamilies"]) == ("PreferDualStack", ["IPv6", "IPv4"])


def test_what_a_cloud_needs_is_handed_through_and_to_one_service_only():
    objects = rendered_ci("ipv6")
    ranges = objects.find("Service", "gate-extauthz")["spec"]["loadBalancerSourceRanges"]
    assert ranges == ["2001:db8::/32", "192.0.2.0/24"]
    types = {m["metadata"]["name"]: m["spec"]["type"] for m in objects.manifests if m["kind"] == "Service"}
    assert [name for name, kind in types.items() if kind != "ClusterIP"] == ["gate-extauthz"]
