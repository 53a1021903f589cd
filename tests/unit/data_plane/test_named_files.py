"""Which files are looked at for changes."""

from pathlib import Path

from extauthz.data_plane.named_files import watched_files
from extauthz.document.strict import loads
from extauthz.settings.process import Settings

SETTINGS = """
tls: {certificate: server.pem, key: server-key.pem}
catalog:
  redis:
    url: rediss://redis:6379
    tls: {ca_file: catalog-ca.pem}
  secret: [shared]
cache:
  backend: redis
  secret: [shared]
  redis:
    cluster: {nodes: ["redis:6379"]}
    tls: {ca_file: /etc/ssl/cache-ca.pem, certificate_file: cache.pem, key: key}
backend_jwt:
  keys: [{key: key, certificate: jwt.pem}, {key: env}]
secrets:
  shared: {file: mounted/shared}
  key: {file: mounted/key}
  env: {env: SECRET}
"""


def watched(text):
    return {str(path) for path in watched_files(loads(text, Settings, "test"), Path("etc/extauthz.yaml"))}


def test_secrets_and_certificates_are_watched_and_what_others_follow_is_not():
    assert watched(SETTINGS) == {
        "etc/extauthz.yaml",
        "etc/catalog-ca.pem",
        "/etc/ssl/cache-ca.pem",
        "etc/cache.pem",
        "etc/jwt.pem",
        "etc/mounted/shared",
        "etc/mounted/key",
    }


def test_the_file_of_the_catalog_is_followed_by_itself():
    assert watched("catalog: {file: catalog.yaml}") == {"etc/extauthz.yaml"}
