"""Raw HTTP ext_authz."""

from typing import Annotated, Literal

from pydantic import Field

from extauthz.document.strict import Strict
from extauthz.settings.values import TcpAddress


class HttpCheckSettings(Strict):
    """A port for one kind of proxy that does not ask by gRPC. Whoever reaches it is believed."""

    listen: TcpAddress = "127.0.0.1:9193"
    """`host:port`, which only the proxy may reach."""
    proxy: Literal["envoy", "nginx", "traefik"]
    """Who asks: Envoy's `http_service`, nginx's `auth_request`, or Traefik's ForwardAuth."""
    path_prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=256)] = "/check"
    """Where the proxy asks; Envoy appends the original path."""
