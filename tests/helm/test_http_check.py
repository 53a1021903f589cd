"""The port for proxies that ask by HTTP, as the chart opens it."""

import pytest
from helm.installing import installed, values
from helm.rendering import port_of, rendered_ci, rendered_with
from support.check_client import OVERWRITES
from support.http_check import ask

PEER = [{"podSelector": {"matchLabels": {"app": "nginx"}}}]


def ports_of(rendered):
    return {port["name"]: port["containerPort"] for port in rendered.container["ports"]}


def test_without_the_setting_there_is_no_port():
    rendered = rendered_with(networkPolicy={"enabled": True, "ingress": {"gateways": PEER}})
    assert ports_of(rendered).keys() == {"grpc", "operations"}
    assert "http-check" not in "".join(rendered.texts.values())


def test_the_service_is_one_of_its_own_inside_the_cluster():
    rendered = rendered_with(config={"http_check": {"proxy": "traefik"}}, service={"type": "LoadBalancer"})
    service = rendered.find("Service", "gate-extauthz-http-check")
    assert service["spec"]["type"] == "ClusterIP"
    assert port_of(service)["targetPort"] == "http-check"
    assert port_of(service)["appProtocol"] == "http"
    assert port_of(rendered.find("Service", "gate-extauthz"))["name"] == "grpc"
    assert ports_of(rendered)["http-check"] == 9193
    assert "http://gate-extauthz-http-check.gateways.svc.cluster.local:9193/check" in rendered.notes


def test_the_port_is_told_in_each_place():
    rendered = rendered_ci("http-check")
    settings = rendered.find("ConfigMap", "gate-extauthz-config")["data"]["extauthz.yaml"]
    assert "listen: 0.0.0.0:8193" in settings
    assert ports_of(rendered)["http-check"] == 8193
    assert port_of(rendered.find("Service", "gate-extauthz-http-check"))["port"] == 80


def test_only_the_proxy_reaches_it():
    rules = rendered_ci("http-check").find("NetworkPolicy", "gate-extauthz")["spec"]["ingress"]
    (rule,) = [rule for rule in rules if {"protocol": "TCP", "port": 8193} in rule["ports"]]
    names = [peer["namespaceSelector"]["matchLabels"] for peer in rule["from"]]
    assert names == [{"kubernetes.io/metadata.name": "ingress-nginx"}]


@OVERWRITES
@pytest.mark.external_service
async def test_the_rendered_command_line_answers_a_proxy(tmp_path):
    release = values()
    release["config"]["http_check"] = {"proxy": "nginx", "path_prefix": "/ask"}

    def asked(path):
        lines = (("Host", "api.example.com"), ("X-Original-Method", "GET"), ("X-Original-URI", path))
        believed = (("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.1"))
        return ask(release["ports"]["httpCheck"], "/ask", (*lines, *believed))

    async with installed(release, tmp_path):
        assert (await asked("/petstore/about")).status == 200
        assert (await asked("/petstore/pets")).status == 401
