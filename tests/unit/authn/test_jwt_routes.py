"""What is remembered of JWTs, to route them without reading them again."""

import json

from extauthz.authn.jwt_routes import JwtRoute, JwtRoutes
from extauthz.cache.keys import CacheKeys
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwt import parse

KEYS = CacheKeys([b"s" * 32])


def token(header=None, **claims):
    parts = (header or {"alg": "RS256"}, claims)
    return ".".join([*(base64url.encode(json.dumps(part).encode()) for part in parts), "AAAA"])


def remembered(routes, value):
    named, jwt = KEYS.named(value), parse(value)
    assert jwt is not None
    routes.remember(named, jwt)
    return routes.get(named.name)


def test_a_route_is_what_the_token_says_of_itself():
    route = remembered(JwtRoutes(10), token(iss="https://issuer", aud=["us", "them"]))
    assert route == JwtRoute("https://issuer", frozenset({"us", "them"}))


def test_another_token_has_not_the_route():
    routes = JwtRoutes(10)
    remembered(routes, token(iss="https://issuer"))
    assert routes.get(KEYS.named(token(iss="https://issuer", sub="alice")).name) is None


def test_tokens_that_are_routed_alike_share_one_route():
    """A million tokens have a name each, and one issuer."""
    routes = JwtRoutes(10)
    one, other = (remembered(routes, token(iss="https://issuer", aud="us", jti=jti)) for jti in "ab")
    assert one is other


def test_the_least_recently_used_leaves_first():
    routes, tokens = JwtRoutes(2), [token(iss="i", jti=jti) for jti in "abc"]
    for value in tokens:
        remembered(routes, value)
    assert [routes.get(KEYS.named(value).name) is not None for value in tokens] == [False, True, True]


def test_a_token_without_an_issuer_has_no_route():
    assert remembered(JwtRoutes(10), token(sub="alice")) is None


def test_an_encrypted_token_has_no_route():
    """Its issuer may be inside, and which keys open it depends on more than the token."""
    header = base64url.encode(json.dumps({"alg": "RSA-OAEP-256", "enc": "A256GCM", "iss": "i"}).encode())
    assert remembered(JwtRoutes(10), f"{header}.AAAA.AAAA.AAAA.AAAA") is None
