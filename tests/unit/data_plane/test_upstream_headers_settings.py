"""Mistakes in `upstream_headers` are found at the start."""

import pytest
import yaml

from extauthz.data_plane.upstream import upstream_headers
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.process import Settings


def settings(headers, **more):
    document = {"catalog": {"file": "c.yaml"}, "upstream_headers": headers, **more}
    return loads(yaml.safe_dump(document), Settings, "extauthz.yaml")


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"Host": {"claim": "a"}}, "nothing of ours can travel in host"),
        ({"X-Envoy-User": {"claim": "a"}}, "nothing of ours"),
        ({"Authorization": {"claim": "a"}}, "another meaning"),
        ({"x-jwt-assertion": {"claim": "a"}}, "backend JWT"),
        ({"X-A": {"claim": "a"}, "x-a": {"claim": "b"}}, "twice"),
        ({"X-A-B-C-D-E-F": {"claim": "a"}}, "too many dashes"),
        ({"X-A": {"attribute": "token"}}, "no attribute token; there are api_id"),
    ],
)
def test_a_header_that_cannot_be_ours_is_a_mistake_in_the_settings(headers, problem):
    with pytest.raises(DocumentError) as error:
        upstream_headers(settings(headers))
    assert [mistake.location for mistake in error.value.mistakes] == [("upstream_headers",)]
    assert problem in str(error.value)


def test_the_header_of_the_backend_jwt_is_the_one_that_is_set():
    backend_jwt = {"keys": [{"key": "k"}], "header": "X-Who"}
    secrets = {"k": {"env": "K"}}
    upstream_headers(settings({"X-JWT-Assertion": {"claim": "a"}}, backend_jwt=backend_jwt, secrets=secrets))
    with pytest.raises(DocumentError, match="backend JWT"):
        upstream_headers(settings({"x-who": {"claim": "a"}}, backend_jwt=backend_jwt, secrets=secrets))
