"""What the chart writes as settings is what the program reads."""

import json
from dataclasses import replace

import pytest
import yaml
from helm.kubelet import secrets_of, start
from helm.rendering import ci_names, ci_values, render, rendered_ci
from helm.server_certificates import certificates
from typer.testing import CliRunner

from extauthz.cli.application import application
from extauthz.cli.check.expectations import ExpectationsDocument
from extauthz.document.strict import load, loads
from extauthz.resident.settings import ResidentSettings


def config_map(rendered, name):
    return rendered.find("ConfigMap", name)["data"]


def settings_of(values):
    return yaml.safe_load(config_map(render(values), "gate-extauthz-config")["extauthz.yaml"])


def laid_out(name, folder):
    """The pod of a values file, with the ConfigMaps and Secrets that it expects of others."""
    rendered = rendered_ci(name)
    pod = rendered.pod
    secrets = secrets_of(pod)
    ours = [v for v in pod["volumes"] if "secret" in v]
    pems = certificates(folder / "authority")
    secrets |= {volume["secret"]["secretName"]: pems for volume in ours}
    catalog = json.dumps(ci_values("minimal")["catalog"]["inline"])
    expected = {"apis": {"catalog.yaml": catalog, "apis.yaml": catalog}, "gateway-ca": {"ca.crt": pems["ca.crt"]}}
    known = {m["metadata"]["name"] for m in rendered.manifests if m["kind"] == "ConfigMap"}
    others = tuple(
        {"kind": "ConfigMap", "metadata": {"name": other}, "data": data}
        for other, data in expected.items()
        if other not in known
    )
    # Volumes of the operator's own are not ours to lay out.
    mounted = [v for v in pod["volumes"] if v["name"] not in {"redis-ca", "scratch"}]
    names = {volume["name"] for volume in mounted}
    container = pod["containers"][0]
    mounts = [mount for mount in container["volumeMounts"] if mount["name"] in names]
    environment = [entry for entry in container.get("env", []) if "fieldRef" not in entry.get("valueFrom", {})]
    pod = pod | {"volumes": mounted, "containers": [container | {"volumeMounts": mounts, "env": environment}]}
    if "apis" in secrets:
        secrets["apis"] = expected["apis"]
    return start(replace(rendered, manifests=rendered.manifests + others), pod, secrets, folder / "pod")


@pytest.mark.parametrize("name", [*ci_names()])
def test_the_program_takes_the_rendered_settings_catalog_and_secrets(name, tmp_path, monkeypatch):
    started = laid_out(name, tmp_path)
    for variable, value in started.environment.items():
        monkeypatch.setenv(variable, value)
    config = started.args[2]
    result = CliRunner().invoke(application, ["config", "validate", "--config", config, "--secrets"])
    assert result.exit_code == 0, result.output


def test_a_mistake_is_found_that_the_chart_lets_pass(tmp_path):
    """The test above can fail: what only the program knows is refused by it."""
    values = {"catalog": {"inline": {"subscriptions": [{"application": "nobody", "api": "nothing"}]}}}
    rendered = render(values)
    started = start(rendered, rendered.pod, {}, tmp_path)
    result = CliRunner().invoke(application, ["config", "validate", "--config", started.args[2]])
    assert result.exit_code == 2
    assert "nobody" in result.output


@pytest.mark.parametrize("name", [name for name in ci_names() if name.startswith("resident")])
def test_the_key_manager_takes_its_file(name):
    text = config_map(rendered_ci(name), "gate-extauthz-resident")["resident.yaml"]
    assert loads(text, ResidentSettings, "resident.yaml").listen.startswith("0.0.0.0:")


def test_the_expectations_of_the_test_are_read_by_the_command(tmp_path):
    path = tmp_path / "expectations.yaml"
    path.write_text(
        config_map(rendered_ci("complete"), "gate-extauthz-expectations")["expectations.yaml"], encoding="utf-8"
    )
    document = load(path, ExpectationsDocument)
    assert [case.expect.decision for case in document.cases] == ["deny", "allow", "deny", "allow"]


def test_numbers_and_words_are_as_they_were_written():
    """Helm reads numbers as floating point, and `off` would be a boolean in YAML 1.1."""
    config = {
        "revocation": {"retention_seconds": 31536000},
        "errors": {"realm": "off"},
        "limits": {"check_seconds": 0.1},
    }
    settings = settings_of({"catalog": {"existingConfigMap": "apis"}, "config": config})
    assert settings["revocation"] == {"retention_seconds": 31536000}
    assert isinstance(settings["revocation"]["retention_seconds"], int)
    assert settings["errors"] == {"realm": "off"}
    assert settings["limits"] == {"check_seconds": 0.1}


def test_nothing_in_the_settings_is_taken_for_a_template():
    config = {"errors": {"realm": "{{ .Release.Name }}"}}
    assert settings_of({"catalog": {"existingConfigMap": "apis"}, "config": config})["errors"] == config["errors"]


def test_a_secret_is_a_file_or_a_variable_and_may_go_where_it_says():
    secrets = {
        "a-file": {"existingSecret": "s", "key": "k", "hosts": ["login.example.com"]},
        "a-variable": {"existingSecret": "s", "key": "k", "as": "env"},
    }
    assert settings_of({"catalog": {"existingConfigMap": "apis"}, "secrets": secrets})["secrets"] == {
        "a-file": {"file": "/etc/extauthz/secrets/a-file", "hosts": ["login.example.com"]},
        "a-variable": {"env": "EXTAUTHZ_SECRET_A_VARIABLE"},
    }


def test_secrets_of_extra_variables_stay_possible():
    values = {"catalog": {"existingConfigMap": "apis"}, "config": {"secrets": {"own": {"env": "OWN"}}}}
    assert settings_of(values)["secrets"] == {"own": {"env": "OWN"}}


def test_tls_settings_point_at_what_is_mounted():
    data = config_map(rendered_ci("tls-mutual"), "gate-extauthz-config")["extauthz.yaml"]
    assert yaml.safe_load(data)["tls"] == {
        "certificate": "/etc/extauthz/tls/tls.crt",
        "key": "/etc/extauthz/tls/tls.key",
        "reload_seconds": 10,
        "client_ca": "/etc/extauthz/client-ca/ca.crt",
        "client_names": ["spiffe://cluster.local/ns/gateways/sa/envoy"],
    }
