"""The built-in key manager beside the data plane."""

from helm.rendering import port_of, rendered_ci, rendered_with


def test_the_key_manager_is_off_unless_it_is_wanted():
    assert not [m for m in rendered_with().manifests if "resident" in m["metadata"]["name"]]


def test_the_key_manager_is_one_pod_that_only_extauthz_and_its_gateway_reach():
    objects = rendered_ci("resident")
    spec = objects.find("Deployment", "gate-extauthz-resident")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert port_of(objects.find("Service", "gate-extauthz-resident"))["appProtocol"] == "http"
    (rule,) = objects.find("NetworkPolicy", "gate-extauthz-resident")["spec"]["ingress"]
    assert len(rule["from"]) == 2
    claim = objects.find("PersistentVolumeClaim", "gate-extauthz-resident")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
