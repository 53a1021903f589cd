"""Where the server may listen."""

import errno
import socket

import pytest

from extauthz.envoy.listen_address import ListenAddress


@pytest.mark.parametrize("text", ["127.0.0.1:9191", "[::]:0", "localhost:65535", "0.0.0.0:1"])
def test_a_tcp_address_has_a_host_and_a_port(text):
    assert ListenAddress.parse(text) == ListenAddress(target=text)


@pytest.mark.parametrize(
    "text",
    [
        *["", "9191", ":9191", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1"],
        *["::1:80", "localhost:٣", "unix:", "unix:relative", "unix://host/path"],
    ],
)
def test_anything_else_is_not_accepted(text):
    with pytest.raises(ValueError):
        ListenAddress.parse(text)


def socket_at(path):
    return ListenAddress.parse(f"unix:{path}")


def test_nothing_is_to_clear_where_nothing_is(tmp_path):
    socket_at(tmp_path / "s").clear()
    ListenAddress.parse("127.0.0.1:0").clear()


def test_a_socket_that_nobody_answers_is_removed(tmp_path):
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "s"))
    socket_at(tmp_path / "s").clear()
    assert not (tmp_path / "s").exists()


def test_a_socket_that_another_process_answers_is_left_alone(tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        with pytest.raises(OSError) as error:
            socket_at(tmp_path / "s").clear()
    assert error.value.errno == errno.EADDRINUSE
    assert (tmp_path / "s").exists()


@pytest.mark.parametrize("dangling", [True, False])
def test_a_file_that_is_no_socket_is_left_alone(tmp_path, dangling):
    if dangling:
        (tmp_path / "s").symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "s").write_text("precious")
    with pytest.raises(FileExistsError):
        socket_at(tmp_path / "s").clear()
