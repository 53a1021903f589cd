"""The printed parts are what Envoy takes there, by classes that nobody here wrote."""

import warnings

import pytest
import yaml
from support.catalogs import api, catalog_document, text_of
from typer.testing import CliRunner

from extauthz.cli.application import application

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's opinion of the generated classes
    from envoy_data_plane.envoy.config.cluster.v3 import Cluster
    from envoy_data_plane.envoy.config.route.v3 import Route
    from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import ExtAuthz

SETTINGS = {"catalog": {"file": "catalog.yaml"}, "secrets": {"pepper": {"env": "PEPPER"}}}


@pytest.fixture
def printed(tmp_path):
    def run(*options, catalog=None, **settings):
        (tmp_path / "extauthz.yaml").write_text(yaml.safe_dump(SETTINGS | settings))
        if catalog is not None:
            (tmp_path / "catalog.yaml").write_text(text_of(catalog))
        config = str(tmp_path / "extauthz.yaml")
        result = CliRunner().invoke(application, ["envoy-config", "--config", config, *options])
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def filter_of(text):
    (found,) = yaml.safe_load(text)["http_filters"]
    return found["typed_config"]


def names(text):
    return [pattern["exact"] for pattern in filter_of(text)["allowed_headers"]["patterns"]]


def test_every_part_is_of_its_type(printed):
    text = printed(catalog=catalog_document())
    typed = {key: value for key, value in filter_of(text).items() if key != "@type"}
    authorization = ExtAuthz.from_dict(typed)
    assert authorization.grpc_service is not None
    assert authorization.grpc_service.envoy_grpc is not None
    assert authorization.grpc_service.envoy_grpc.cluster_name == "extauthz"
    assert authorization.failure_mode_allow is False
    assert authorization.validate_mutations
    assert authorization.encode_raw_headers
    assert authorization.status_on_error is not None
    assert authorization.status_on_error.code == 503
    for part in yaml.safe_load(text)["clusters"]:
        cluster = {key: value for key, value in part.items() if key != "typed_extension_protocol_options"}
        assert Cluster.from_dict(cluster).health_checks[0].grpc_health_check is not None
    for route in yaml.safe_load(text)["routes"]:
        route.pop("typed_per_filter_config", None)
        assert Route.from_dict(route).match is not None


def test_every_choice_has_its_reason(printed):
    lines = printed().splitlines()
    chosen = "failure_mode_allow status_on_error timeout validate_mutations decoder_header_mutation_rules"
    chosen += " allowed_headers encode_raw_headers include_peer_certificate clear_route_cache circuit_breakers"
    for name in chosen.split():
        place = next(index for index, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        assert lines[place - 1].strip().startswith("# "), name


@pytest.mark.parametrize(("seconds", "timeout"), [(2.5, "3s"), (0.25, "0.75s"), (10, "10.5s")])
def test_envoy_waits_longer_than_a_check_may_take(printed, seconds, timeout):
    assert filter_of(printed(limits={"check_seconds": seconds}))["grpc_service"]["timeout"] == timeout


def test_only_headers_are_sent_that_these_settings_and_apis_need(printed):
    assert names(printed(catalog=catalog_document())) == ["authorization", "x-request-id"]
    cors = api(cors={"origins": ["https://app.example.com"]}, security={"api_key": {"header": "X-Key"}})
    settings = {
        "dpop": {},
        "api_keys": {"secret": ["pepper"]},
        "client_certificate": {"source": "x-forwarded-client-cert"},
        "client_address": {"source": "x-forwarded-for"},
    }
    text = printed(catalog=catalog_document(apis=[cors]), **settings)
    assert set(names(text)) == {
        *("authorization", "x-request-id", "dpop", "x-forwarded-client-cert", "x-forwarded-for", "referer"),
        *("origin", "access-control-request-method", "x-key"),
    }
    assert "include_peer_certificate" not in filter_of(text)
    assert "x[-_]key" in filter_of(text)["decoder_header_mutation_rules"]["allow_expression"]["regex"]


def test_without_a_catalog_what_apis_may_need_is_assumed_and_said(printed):
    text = printed(api_keys={"secret": ["pepper"]})
    assert {"origin", "upgrade", "x-api-key"} <= set(names(text))
    assert "The catalog was not read" in " ".join(line.strip("# ") for line in text.splitlines())


def test_own_headers_are_removed_and_may_be_set(printed):
    settings = {"backend_jwt": {"header": "X-Our-Jwt"}, "upstream_headers": {"X-App": {"attribute": "application"}}}
    text = printed(**settings)
    regexes = [
        mutation["remove_on_match"]["key_matcher"]["safe_regex"]["regex"]
        for mutation in yaml.safe_load(text)["http_connection_manager"]["early_header_mutation_extensions"][0][
            "typed_config"
        ]["mutations"]
    ]
    assert regexes == ["x[^a-z0-9]our[^a-z0-9]jwt", "x[^a-z0-9]app"]
    assert "x[-_]our[-_]jwt|x[-_]app" in filter_of(text)["decoder_header_mutation_rules"]["allow_expression"]["regex"]


@pytest.mark.parametrize(
    ("address", "discovery", "where"),
    [
        ("10.0.0.1:9191", "STATIC", {"socket_address": {"address": "10.0.0.1", "port_value": 9191}}),
        ("[::1]:9191", "STATIC", {"socket_address": {"address": "::1", "port_value": 9191}}),
        ("extauthz.auth:9191", "STRICT_DNS", {"socket_address": {"address": "extauthz.auth", "port_value": 9191}}),
        ("unix:/run/extauthz.sock", "STATIC", {"pipe": {"path": "/run/extauthz.sock"}}),
    ],
)
def test_the_cluster_leads_to_the_replicas(printed, address, discovery, where):
    (cluster,) = yaml.safe_load(printed("--address", address))["clusters"]
    assert cluster["type"] == discovery
    assert cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] == where


def test_a_replica_on_all_interfaces_is_reached_by_loopback(printed):
    (cluster,) = yaml.safe_load(printed(listen="0.0.0.0:9000"))["clusters"]
    address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "127.0.0.1", "port_value": 9000}


TLS = {"certificate": "tls.crt", "key": "tls.key"}
MUTUAL_TLS = TLS | {"client_ca": "ca.crt", "client_names": ["spiffe://example.org/envoy", "gateway.example.com"]}


def context_of(text):
    (cluster,) = yaml.safe_load(text)["clusters"]
    return cluster["transport_socket"]["typed_config"]


def test_in_the_clear_the_cluster_has_no_transport_socket(printed):
    (cluster,) = yaml.safe_load(printed())["clusters"]
    assert "transport_socket" not in cluster


@pytest.mark.parametrize(
    ("address", "kind", "name", "sni"),
    [
        ("extauthz.auth.svc:9191", "DNS", "extauthz.auth.svc", "extauthz.auth.svc"),
        ("10.0.0.1:9191", "IP_ADDRESS", "10.0.0.1", None),
        ("[::1]:9191", "IP_ADDRESS", "::1", None),
        ("unix:/run/extauthz.sock", "DNS", "extauthz", "extauthz"),
    ],
)
def test_with_tls_envoy_looks_for_the_name_of_the_replica(printed, address, kind, name, sni):
    context = context_of(printed("--address", address, tls=TLS))
    common = context["common_tls_context"]
    validation = common["combined_validation_context"]["default_validation_context"]
    assert validation["match_typed_subject_alt_names"] == [{"san_type": kind, "matcher": {"exact": name}}]
    assert context.get("sni") == sni
    assert "tls_certificate_sds_secret_configs" not in common


def test_with_mutual_tls_envoy_shows_a_certificate_and_its_names_are_told(printed):
    text = printed("--address", "extauthz.auth.svc:9191", tls=MUTUAL_TLS)
    (shown,) = context_of(text)["common_tls_context"]["tls_certificate_sds_secret_configs"]
    assert shown["name"] == "gateway"
    said = " ".join(line.strip("# ") for line in text.splitlines())
    assert "gateway.example.com, spiffe://example.org/envoy" in said


def test_an_address_that_is_none_is_bad_input(tmp_path):
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(SETTINGS))
    arguments = ["envoy-config", "--config", str(tmp_path / "e.yaml"), "--address", "nowhere"]
    assert CliRunner().invoke(application, arguments).exit_code == 2
