"""Where the gRPC server listens."""

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """A TCP address, or a Unix socket."""

    target: str
    """As gRPC wants it."""
    socket_path: Path | None = None
    """None: TCP."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`, `[ipv6]:port` or `unix:/path`.

        Raises:
            ValueError: neither.
        """
        scheme, _, path = text.partition(":")
        if scheme == "unix":
            if not path.startswith("/") or path.startswith("//"):
                raise ValueError(f"not an absolute path of a Unix socket: {text!r}")
            return cls(target=text, socket_path=Path(path))
        host, _, port = text.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
            raise ValueError(f"neither host:port nor unix:/path: {text!r}")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise ValueError(f"an IPv6 address needs brackets: {text!r}")
        return cls(target=text)

    def clear(self) -> None:
        """Remove the socket file that a process which is gone has left.

        Raises:
            OSError: the path is in use (a live server, another kind of file), or may not be touched.
        """
        if self.socket_path is None or not os.path.lexists(self.socket_path):
            return
        if not stat.S_ISSOCK(self.socket_path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "not a socket", str(self.socket_path))
        if _answers(self.socket_path):
            raise OSError(errno.EADDRINUSE, "another process listens there", str(self.socket_path))
        self.socket_path.unlink(missing_ok=True)

    def permit(self, mode: int) -> None:
        """Set who may connect to the socket, in the bits of `chmod`; on TCP nothing happens.

        Raises:
            OSError: there is no socket, or it is not ours.
        """
        if self.socket_path is not None:
            self.socket_path.chmod(mode)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True
