import pytest

from extauthz.cli.demo.envoy_bootstrap import (
    DEFAULT_PATH,
    Bootstrap,
    Ports,
    UnexpectedBootstrap,
    cluster,
    connection_manager,
    ext_authz,
    load,
    with_ports,
    write,
)

PORTS = Ports(listener=1, admin=2, authorization=3, upstream=4)


def endpoint_port(bootstrap, name):
    endpoint = cluster(bootstrap, name)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    return endpoint["address"]["socket_address"]["port_value"]


def without_admin(bootstrap):
    del bootstrap["admin"]


def without_listener(bootstrap):
    bootstrap["static_resources"]["listeners"] = []


def with_a_renamed_cluster(bootstrap):
    cluster(bootstrap, "upstream")["name"] = "service"


def with_a_named_address(bootstrap):
    bootstrap["admin"]["address"] = {"pipe": {"path": "/run/admin"}}


def with_clusters_as_text(bootstrap):
    bootstrap["static_resources"]["clusters"] = "extauthz, upstream"


def test_every_port_is_moved():
    moved = with_ports(load(), PORTS)
    assert moved["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 2}
    assert moved["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] == 1
    assert endpoint_port(moved, "extauthz") == 3
    assert endpoint_port(moved, "upstream") == 4


def test_original_is_left_as_it_was():
    original = load()
    with_ports(original, PORTS)
    assert original == load()


def test_written_bootstrap_reads_back(tmp_path):
    moved = with_ports(load(), PORTS)
    assert load(write(moved, tmp_path / "envoy.yaml")) == moved


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without_admin, "lacks admin"),
        (without_listener, r"lacks static_resources.listeners.0"),
        (with_a_renamed_cluster, "nothing named 'upstream'"),
        (with_a_named_address, "lacks address.socket_address"),
        (with_clusters_as_text, "nothing named 'extauthz'"),
    ],
)
def test_unexpected_shape_is_named(spoil, complaint):
    bootstrap = load()
    spoil(bootstrap)
    with pytest.raises(UnexpectedBootstrap, match=complaint):
        with_ports(bootstrap, PORTS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(b"- a list", "not a mapping"), (b"a: [", "not YAML"), (b"\xff\xfe\xfd", "cannot read"), (None, "cannot read")],
)
def test_unreadable_file_is_named(tmp_path, text, complaint):
    path = tmp_path / "other.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(UnexpectedBootstrap, match=complaint) as raised:
        load(path)
    assert "other.yaml" in str(raised.value)


@pytest.mark.parametrize("find", [connection_manager, ext_authz])
def test_empty_bootstrap_has_no_filters(find):
    with pytest.raises(UnexpectedBootstrap):
        find(Bootstrap({}))


def test_checkout_has_the_default():
    assert DEFAULT_PATH.is_file()
