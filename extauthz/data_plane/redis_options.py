"""How a Redis is reached, from the section of the settings that names it."""

import ssl
from pathlib import Path

from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.model.host_port import host_and_port
from extauthz.oauth2.tls import ClientCertificate, client_tls
from extauthz.redis_client.options import (
    ClusterServers,
    RedisOptions,
    SentinelServers,
    SingleServer,
)
from extauthz.settings.redis import RedisSettings, RedisTlsSettings

_CONNECTIONS = 16


def redis_options(settings: RedisSettings, secrets: Secrets, folder: Path, *, section: str) -> RedisOptions:
    """The options with the passwords and the key in them; files are relative to `folder`.

    Raises:
        DocumentError: a password is not text, or a certificate or key is of no use; at its place in `section`.
    """
    return RedisOptions(
        servers=_servers(settings, secrets, section),
        username=settings.username,
        password=_password(settings.password, secrets, section, "redis", "password"),
        tls=_tls(settings.tls, secrets, folder, section) if settings.tls else None,
        prefix=settings.key_prefix,
        timeout_seconds=settings.timeout_seconds,
        connections=_CONNECTIONS,
    )


def _servers(
    settings: RedisSettings, secrets: Secrets, section: str
) -> SingleServer | SentinelServers | ClusterServers:
    if settings.sentinel is not None:
        password = settings.sentinel.password
        return SentinelServers(
            master=settings.sentinel.master,
            nodes=[host_and_port(node) for node in settings.sentinel.nodes],
            username=settings.sentinel.username,
            password=_password(password, secrets, section, "redis", "sentinel", "password"),
        )
    if settings.cluster is not None:
        return ClusterServers(nodes=[host_and_port(node) for node in settings.cluster.nodes])
    return SingleServer(url=settings.url or "")


def _password(name: str | None, secrets: Secrets, *location: str) -> str | None:
    with told_at(*location):
        return secrets.text(name) if name is not None else None


def _tls(settings: RedisTlsSettings, secrets: Secrets, folder: Path, section: str) -> ssl.SSLContext:
    ca_file = str(folder / settings.ca_file) if settings.ca_file else None
    certificate = None
    with told_at(section, "redis", "tls"):
        if settings.certificate_file is not None and settings.key is not None:
            path = str(folder / settings.certificate_file)
            certificate = ClientCertificate(certificate_file=path, key=secrets.value(settings.key))
        return client_tls(ca_file, certificate) or ssl.create_default_context()
