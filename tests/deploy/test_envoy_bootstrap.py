"""The bootstraps of `deploy/envoy` as they are: Envoy accepts them, and they keep what their comments promise."""

import re
from pathlib import Path

import pytest
from deploy.gateway import at_home, furnish
from support.allow_server import running_allow_server
from support.certificate_authority import CertificateAuthority
from support.envoy import ROOT, ensure_accepted, running_echo, running_envoy, send

from extauthz.backend_jwt.attributes import ATTRIBUTES
from extauthz.cli.demo.envoy_bootstrap import Bootstrap, connection_manager, ext_authz, load, write
from extauthz.settings.process import LimitSettings

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]

BOOTSTRAPS = sorted((ROOT / "deploy/envoy").glob("*.yaml"))


def logged(bootstrap: Bootstrap) -> dict[str, str]:
    """The fields of the access log: the dictionary inside."""
    fields: dict[str, str]
    fields = connection_manager(bootstrap)["access_log"][0]["typed_config"]["log_format"]["json_format"]
    return fields


@pytest.mark.parametrize("bootstrap", BOOTSTRAPS, ids=lambda path: path.name)
async def test_envoy_accepts_the_bootstrap(bootstrap: Path, tmp_path: Path) -> None:
    furnish(tmp_path / "etc-envoy", CertificateAuthority(tmp_path))
    bootstrap = write(at_home(load(bootstrap), tmp_path / "etc-envoy"), tmp_path / bootstrap.name)
    await ensure_accepted(bootstrap)


def test_the_rate_limit_is_all_that_the_second_bootstrap_adds() -> None:
    plain, limiting = (load(ROOT / "deploy/envoy" / name) for name in ("envoy.yaml", "rate-limit.yaml"))
    limit = connection_manager(limiting)["http_filters"].pop(1)
    assert limit["name"] == "envoy.filters.http.local_ratelimit"
    fields, more = logged(plain), logged(limiting)
    added = {name: more.pop(name) for name in more.keys() - fields.keys()}
    assert all(value.startswith("%DYNAMIC_METADATA(envoy.filters.http.ext_authz:") for value in added.values())
    assert limiting == plain


def test_the_rate_limit_reads_what_extauthz_tells() -> None:
    text = (ROOT / "deploy/envoy/rate-limit.yaml").read_text(encoding="utf-8")
    read = re.findall(r"ext_authz:(\w+)\)%|ext_authz, path: \[\{key: (\w+)", text)
    names = {logged or limited for logged, limited in read}
    assert {"subscription_policy", "api_id"} <= names <= ATTRIBUTES


@pytest.mark.parametrize("bootstrap", BOOTSTRAPS, ids=lambda path: path.name)
def test_every_bootstrap_refuses_when_in_doubt(bootstrap: Path) -> None:
    manager, asked = connection_manager(load(bootstrap)), ext_authz(load(bootstrap))
    assert manager["normalize_path"]
    assert manager["merge_slashes"]
    assert manager["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    assert asked["failure_mode_allow"] is False
    assert asked["status_on_error"] == {"code": "ServiceUnavailable"}
    assert asked["validate_mutations"]
    assert asked["decoder_header_mutation_rules"]["disallow_is_error"]
    assert asked["encode_raw_headers"]
    assert asked["allowed_headers"]["patterns"]
    assert float(asked["grpc_service"]["timeout"].removesuffix("s")) > LimitSettings().check_seconds


async def test_authorization_and_upstream_read_the_same_path(tmp_path: Path) -> None:
    async with (
        running_echo(tmp_path) as echo,
        running_allow_server() as authorization,
        running_envoy(tmp_path, authorization_port=authorization.port, upstream_port=echo) as envoy,
    ):
        response = await send(envoy.port, target="/open/..//pets/%2e%2e/admin?next=/a/../b")
    assert b'"path":"/admin?next=/a/../b"' in response.body
    assert authorization.requests[0].attributes.request.http.path == "/admin?next=/a/../b"


@pytest.mark.parametrize("target", ["/open%2f..%2fadmin", "/open%5c..%5cadmin"])
async def test_encoded_slash_is_refused_unasked(tmp_path: Path, target: str) -> None:
    async with (
        running_allow_server() as authorization,
        running_envoy(tmp_path, authorization_port=authorization.port, upstream_port=authorization.port) as envoy,
    ):
        response = await send(envoy.port, target=target)
    assert response.status == 400
    assert authorization.requests == []


async def test_check_carries_only_the_headers_that_are_read_as_bytes(tmp_path: Path) -> None:
    """Envoy joins a repeated Authorization by itself, so two tokens never look like one."""
    authorizations = [("Authorization", "Bearer a"), ("Authorization", "Bearer \xff")]
    async with (
        running_echo(tmp_path) as echo,
        running_allow_server() as authorization,
        running_envoy(tmp_path, authorization_port=authorization.port, upstream_port=echo) as envoy,
    ):
        await send(envoy.port, [*authorizations, ("Cookie", "c"), ("X-Forwarded-For", "192.0.2.1")])
    headers = authorization.requests[0].attributes.request.http.header_map.headers
    seen = {header.key: header.raw_value for header in headers}
    assert set(seen) == {"authorization", "x-request-id"}
    assert seen["authorization"] == b"Bearer a,Bearer \xff"


async def test_what_a_client_claims_of_the_proxy_is_not_passed_on(tmp_path: Path) -> None:
    claims = [("X-Envoy-Internal", "true"), ("X-Envoy-Original-Path", "/forged"), ("X_Forwarded_For", "192.0.2.1")]
    async with (
        running_echo(tmp_path) as echo,
        running_allow_server() as authorization,
        running_envoy(tmp_path, authorization_port=authorization.port, upstream_port=echo) as envoy,
    ):
        response = await send(envoy.port, claims)
    assert response.status == 200
    assert response.seen_by_upstream("x-envoy-internal") == []
    assert response.seen_by_upstream("x-envoy-original-path") == []
    assert "192.0.2.1" not in response.seen_by_upstream("x-forwarded-for")


async def test_access_log_has_no_query(tmp_path: Path) -> None:
    async with (
        running_echo(tmp_path) as echo,
        running_allow_server() as authorization,
        running_envoy(tmp_path, authorization_port=authorization.port, upstream_port=echo) as envoy,
    ):
        await send(envoy.port, target="/pets?access_token=secret")
    log = (tmp_path / "envoy.log").read_text(encoding="utf-8")
    assert '"path":"/pets"' in log
    assert "secret" not in log
