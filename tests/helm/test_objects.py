"""What the objects say, and why it matters in a cluster."""

import re
import textwrap

import pytest
import yaml
from helm.rendering import ci_names, render, rendered_ci

from extauthz.envoy.servicer import AUTHORIZATION_SERVICE

CATALOG = {"catalog": {"existingConfigMap": "apis"}}
DIGEST = "sha256:" + "0" * 64


def rendered(**values):
    return render(CATALOG | values)


def port_of(service):
    return service["spec"]["ports"][0]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "extauthz:0.1.0"),
        ({"tag": "1.2"}, "extauthz:1.2"),
        ({"registry": "registry.example.com/"}, "registry.example.com/extauthz:0.1.0"),
        ({"tag": "1.2", "digest": DIGEST}, f"extauthz@{DIGEST}"),
    ],
)
def test_a_digest_wins_over_a_tag(image, expected):
    assert rendered(image=image).container["image"] == expected


@pytest.mark.parametrize("name", ci_names())
def test_the_grace_period_is_longer_than_the_way_out(name):
    pod = rendered_ci(name).pod
    settings = yaml.safe_load(
        rendered_ci(name).find("ConfigMap", pod["volumes"][0]["configMap"]["name"])["data"]["extauthz.yaml"]
    )
    limits = {"drain_seconds": 5, "grace_seconds": 10} | settings.get("limits", {})
    hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {})
    way_out = hook.get("sleep", {}).get("seconds", 0) + limits["drain_seconds"] + limits["grace_seconds"]
    assert pod["terminationGracePeriodSeconds"] > way_out


def test_fractions_of_a_second_are_not_lost():
    pod = rendered(config={"limits": {"drain_seconds": 0.5, "grace_seconds": 0.4}}, preStopSeconds=0).pod
    assert pod["terminationGracePeriodSeconds"] == 6
    assert "lifecycle" not in pod["containers"][0]


def test_readiness_is_grpc_health_of_the_service_that_envoy_calls():
    container = rendered().container
    assert container["readinessProbe"]["grpc"] == {"port": 9191, "service": AUTHORIZATION_SERVICE}
    # Not ready is no reason to be killed.
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"


def test_with_tls_probes_are_those_of_the_operations_port():
    """The kubelet speaks gRPC in the clear only."""
    container = rendered_ci("tls-secret").container
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "operations"}
    assert "grpc" not in container["readinessProbe"]


def test_a_probe_of_ones_own_is_taken_as_it_is():
    probe = rendered(readinessProbe={"tcpSocket": {"port": "grpc"}}).container["readinessProbe"]
    assert probe["tcpSocket"] == {"port": "grpc"}
    assert "grpc" not in probe


def test_other_settings_are_other_pods_and_another_catalog_is_not():
    def annotations(**values):
        return rendered(**values).deployment["spec"]["template"]["metadata"]["annotations"]

    apis = [{"inline": {"applications": [{"id": name, "name": name}]}} for name in ("a", "b")]
    assert annotations(config={"errors": {"realm": "a"}}) != annotations(config={"errors": {"realm": "b"}})
    assert annotations(catalog=apis[0]) == annotations(catalog=apis[1])
    restarting = [annotations(catalog=api | {"restartOnChange": True}) for api in apis]
    assert restarting[0] != restarting[1]


@pytest.mark.parametrize("name", ci_names())
def test_configuration_is_mounted_as_folders(name):
    """A `subPath` would never follow a change."""
    for pod in rendered_ci(name).pods():
        assert all(
            "subPath" not in mount for container in pod["containers"] for mount in container.get("volumeMounts", [])
        )


def test_two_pods_have_a_budget_and_one_has_none():
    budget = rendered().find("PodDisruptionBudget", "gate-extauthz")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert "PodDisruptionBudget" not in rendered(replicaCount=1).kinds()
    scaling = rendered(replicaCount=1, autoscaling={"enabled": True})
    assert "PodDisruptionBudget" in scaling.kinds()
    least = rendered(podDisruptionBudget={"minAvailable": 1}).find("PodDisruptionBudget", "gate-extauthz")["spec"]
    assert least["minAvailable"] == 1
    assert "maxUnavailable" not in least


@pytest.mark.parametrize("values", [{"autoscaling": {"enabled": True}}, {"replicaCount": None}])
def test_the_number_of_pods_is_left_to_a_scaler(values):
    assert "replicas" not in rendered(**values).deployment["spec"]


def test_the_autoscaler_is_slow_to_take_pods_away():
    spec = rendered(autoscaling={"enabled": True}).find("HorizontalPodAutoscaler", "gate-extauthz")["spec"]
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [metric["resource"]["name"] for metric in spec["metrics"]] == ["cpu"]


def test_pods_are_spread_over_zones_and_nodes_and_never_pending_for_it():
    pod = rendered().pod
    assert [constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert {constraint["whenUnsatisfiable"] for constraint in pod["topologySpreadConstraints"]} == {"ScheduleAnyway"}
    assert "preferredDuringSchedulingIgnoredDuringExecution" in pod["affinity"]["podAntiAffinity"]


def test_a_selector_of_ones_own_is_not_added_to():
    (constraint,) = rendered_ci("scheduling").pod["topologySpreadConstraints"]
    assert constraint["labelSelector"] == {"matchLabels": {"tier": "gateway"}}


def test_null_takes_a_default_away_at_any_depth():
    assert rendered_ci("openshift").pod["securityContext"].keys() & {"runAsUser", "runAsGroup", "fsGroup"} == set()
    assert "cpu" not in rendered_ci("scheduling").container["resources"]["limits"]


def test_the_headless_service_shows_every_pod_on_the_port_of_the_container():
    services = render(CATALOG | {"ports": {"grpc": 50051}, "service": {"port": 80}})
    headless = services.find("Service", "gate-extauthz-headless")
    assert headless["spec"]["clusterIP"] == "None"
    assert port_of(headless)["port"] == 50051
    assert port_of(services.find("Service", "gate-extauthz"))["port"] == 80
    assert "Service" in rendered(service={"headless": {"enabled": False}}).kinds()


@pytest.mark.parametrize(("name", "protocol"), [("minimal", "kubernetes.io/h2c"), ("tls-secret", "grpc")])
def test_control_planes_are_told_to_speak_http2(name, protocol):
    for service in ("gate-extauthz", "gate-extauthz-headless"):
        assert port_of(rendered_ci(name).find("Service", service))["appProtocol"] == protocol


def test_the_policy_lets_in_gateways_and_the_test_and_out_to_what_is_needed():
    spec = rendered_ci("network-policy").find("NetworkPolicy", "gate-extauthz")["spec"]
    checks, operations = spec["ingress"]
    assert checks["ports"] == [{"protocol": "TCP", "port": 9191}]
    assert [*checks["from"][0]] == ["namespaceSelector", "podSelector"]
    assert checks["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"
    assert operations["ports"] == [{"protocol": "TCP", "port": 9192}]
    assert len(operations["from"]) == 2
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [53, 53, 6379, 6379, 443, 4318]
    assert all(rule["to"] for rule in spec["egress"])


def test_the_key_manager_is_off_unless_it_is_wanted():
    assert not [m for m in rendered().manifests if "resident" in m["metadata"]["name"]]


def test_the_key_manager_is_one_pod_that_only_extauthz_and_its_gateway_reach():
    objects = rendered_ci("resident")
    spec = objects.find("Deployment", "gate-extauthz-resident")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert port_of(objects.find("Service", "gate-extauthz-resident"))["appProtocol"] == "http"
    (rule,) = objects.find("NetworkPolicy", "gate-extauthz-resident")["spec"]["ingress"]
    assert len(rule["from"]) == 2
    claim = objects.find("PersistentVolumeClaim", "gate-extauthz-resident")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_certificate_is_good_for_the_names_of_both_services():
    names = rendered_ci("tls-cert-manager").find("Certificate", "gate-extauthz")["spec"]["dnsNames"]
    assert {"gate-extauthz.gateways.svc", "gate-extauthz-headless.gateways.svc.cluster.local"} <= set(names)
    assert "extauthz.internal.example.com" in names


def test_labels_of_ones_own_do_not_move_pods_to_another_service():
    objects = rendered_ci("extra")
    labels = objects.find("Deployment", "gate-authz")["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "data-plane"
    assert labels["team"] == "gateway"


def test_extra_objects_are_templates():
    assert rendered_ci("extra").find("ConfigMap", "gate-extra")["data"] == {"who": "extauthz"}


@pytest.mark.parametrize("name", ["minimal", "single", "tls-secret", "complete", "resident"])
def test_the_notes_have_snippets_that_are_yaml(name):
    notes = rendered_ci(name).notes
    snippets = re.findall(r"^\d\. (?:Envoy|Istio|Envoy Gateway)\n\n((?:   .*\n|\n)*?)\n   [A-Z]", notes, re.MULTILINE)
    assert len(snippets) == 3
    envoy, istio, gateway = ([*yaml.safe_load_all(textwrap.dedent(snippet))] for snippet in snippets)
    assert envoy[0].keys() == {"http_filters", "clusters"}
    assert istio[1]["kind"] == "AuthorizationPolicy"
    assert gateway[0]["kind"] == "SecurityPolicy"


def test_the_timeouts_of_the_notes_are_above_the_budget_of_a_check():
    notes = rendered(config={"limits": {"check_seconds": 1.25}}).notes
    assert "timeout: 1.75s" in notes
    assert "timeout: 1750ms" in notes  # durations of Gateway API have no fractions
