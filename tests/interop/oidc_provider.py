"""`oidc-provider` (npm) on loopback: an OpenID-certified authorization server that nobody here wrote."""

import base64
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from support.certificate_authority import CertificateAuthority
from support.signing_keys import SigningKey, private_key, self_signed_certificate

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

SECRET = "s3cret:%&+ /of a client"
"""Odd enough to need its encoding."""
ACCOUNT = "ann"
_MAX_REDIRECTS = 10
CALLBACK = "https://client.example.com/callback"
RESOURCES = {
    "opaque": {"scope": "read write", "accessTokenFormat": "opaque", "audience": "petstore"},
    **{
        alg: {"scope": "read write", "accessTokenFormat": "jwt", "audience": "petstore", "jwt": {"sign": {"alg": alg}}}
        for alg in ("RS256", "PS256", "ES256")
    },
}
"""By short name; the resource indicator (RFC 8707) is `urn:petstore:<name>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What this service needs to be one of the provider's clients."""

    authority: CertificateAuthority
    certificate: Path
    """PEM, issued by the authority."""
    key: bytes
    """PEM, of the certificate."""
    own: SigningKey
    """Of the client that signs assertions."""
    self_signed: SigningKey
    """Of the certificate that nobody else signed."""
    self_signed_certificate: str
    """PEM."""


def new_gateway(folder: Path) -> Gateway:
    """Keys and certificates, in a folder."""
    authority = CertificateAuthority(folder)
    certificate, key = authority.certificate("gateway")
    self_signed = signing_key("self-signed", "ES256")
    return Gateway(
        authority=authority,
        certificate=certificate,
        key=key,
        own=signing_key("gateway", "RS256"),
        self_signed=self_signed,
        self_signed_certificate=self_signed_certificate(self_signed.private_key),
    )


def pem(key: SigningKey) -> bytes:
    """The private half."""
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_key(kid: str, alg: str) -> SigningKey:
    """A key under the name that it is published with."""
    return SigningKey(kid=kid, alg=alg, private_key=private_key(alg, kid))


def first_keys() -> list[SigningKey]:
    """One for each way of signing."""
    return [signing_key(f"{alg}-1", alg) for alg in ("RS256", "PS256", "ES256")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """A running provider as its clients see it."""

    port: int
    tls_port: int
    gateway: Gateway
    session: aiohttp.ClientSession

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str, *, tls: bool = False) -> str:
        return f"https://127.0.0.1:{self.tls_port}{path}" if tls else f"{self.issuer}{path}"

    async def access_token(self, resource: str, client_id: str = "client", **options: Any) -> str:
        """By client_credentials, for one of `RESOURCES`."""
        form = {"grant_type": "client_credentials", "resource": f"urn:petstore:{resource}", "scope": "read"}
        return str((await self.token_response(form, client_id, **options))["access_token"])

    async def introspected(self, token: str) -> dict[str, Any]:
        return await self._post("/token/introspection", {"token": token}, "gateway-basic")

    async def token_response(self, form: dict[str, str], client_id: str = "client", **options: Any) -> dict[str, Any]:
        return await self._post("/token", form, client_id, **options)

    async def revoke(self, token: str) -> None:
        """RFC 7009."""
        await self._post("/token/revocation", {"token": token}, "client")

    async def login(self, resource: str) -> dict[str, Any]:
        """The token response of a user's authorization code flow: access token, refresh token, ID token."""
        form = {"grant_type": "authorization_code", "code": await self._code(resource), "redirect_uri": CALLBACK}
        return await self.token_response(form | {"resource": f"urn:petstore:{resource}"})

    async def use_keys(self, *keys: SigningKey) -> None:
        """From now on these are published, and the first of each algorithm signs."""
        async with self.session.post(self.url("/control/jwks"), json=private_jwks(keys)) as response:
            assert response.status == 204, await response.text()

    async def calls(self, path: str) -> list[dict[str, Any]]:
        """How an endpoint was asked until now."""
        async with self.session.get(self.url("/control/calls")) as response:
            return [call for call in await response.json() if call["path"] == path]

    async def _post(
        self, path: str, form: dict[str, str], client_id: str, *, dpop: str | None = None, tls: Any = None
    ) -> dict[str, Any]:
        headers = {"Authorization": aiohttp.encode_basic_auth(client_id, quote_plus(SECRET))}
        if dpop is not None:
            headers["DPoP"] = dpop
        url = self.url(path, tls=tls is not None)
        async with self.session.post(url, data=form, headers=headers, ssl=tls or True) as response:
            text = await response.text()
            assert response.status == 200, text
            return dict(json.loads(text)) if text else {}

    async def _code(self, resource: str) -> str:
        parameters = {
            "client_id": "client",
            "response_type": "code",
            "scope": "openid offline_access read",
            "redirect_uri": CALLBACK,
            "resource": f"urn:petstore:{resource}",
            "nonce": "n-0S6_WzA2Mj",
        }
        url = f"{self.url('/auth')}?{urlencode(parameters)}"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            for _ in range(_MAX_REDIRECTS):
                if url.startswith(CALLBACK):
                    break
                async with browser.get(url, allow_redirects=False) as response:
                    assert response.status == 303, await response.text()
                    url = response.headers["Location"]
                    url = url if "://" in url else self.url(url)
        answer = parse_qs(urlsplit(url).query)
        assert "code" in answer, answer
        return answer["code"][0]


@asynccontextmanager
async def running_provider(folder: Path, gateway: Gateway) -> AsyncIterator[OidcProvider]:
    """The provider on two loopback ports: plain HTTP, and TLS with client certificates."""
    port, tls_port = free_port(), free_port()
    certificate, key = gateway.authority.certificate("server")
    settings = {
        "port": port,
        "account": ACCOUNT,
        "scopes": ["read", "write"],
        "clients": _clients(gateway),
        "resources": {f"urn:petstore:{name}": resource for name, resource in RESOURCES.items()},
        "jwks": private_jwks(first_keys()),
        "tls": {
            "port": tls_port,
            "key": key.decode("ascii"),
            "certificate": certificate.read_text(),
            "authority": gateway.authority.ca_file.read_text(),
        },
    }
    configuration = _written(folder, settings)
    async with Processes(folder) as processes, aiohttp.ClientSession() as session:
        await processes.start(_program(configuration, port))
        yield OidcProvider(port=port, tls_port=tls_port, gateway=gateway, session=session)


def private_jwks(keys: tuple[SigningKey, ...] | list[SigningKey]) -> dict[str, Any]:
    """A JWK set with the private halves, as the provider wants it."""
    return {"keys": [{**_private_jwk(key), "kid": key.kid, "alg": key.alg, "use": "sig"} for key in keys]}


def client_tls(gateway: Gateway, folder: Path) -> ssl.SSLContext:
    """A TLS context of a client that shows the gateway's certificate."""
    key_file = folder / "client-key.pem"
    key_file.write_bytes(gateway.key)
    context = ssl.create_default_context(cafile=str(gateway.authority.ca_file))
    context.load_cert_chain(gateway.certificate, key_file)
    return context


def _written(folder: Path, settings: dict[str, Any]) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "provider.json").write_text(json.dumps(settings))
    return folder / "provider.json"


def _program(configuration: Path, port: int) -> Program:
    modules = os.environ.get("INTEROP_MODULES")
    if not modules:
        pytest.fail("INTEROP_MODULES is not set: `make interop` installs the provider and says where it is")
    return Program(
        name="oidc-provider",
        argv=("node", str(Path(__file__).with_name("provider.mjs")), str(configuration)),
        ready=answers_ok(f"http://127.0.0.1:{port}/.well-known/openid-configuration"),
        environment={"INTEROP_MODULES": modules},
    )


def _clients(gateway: Gateway) -> list[dict[str, Any]]:
    redirecting = {
        "redirect_uris": [CALLBACK],
        "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
    }
    basic = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
    public = {name: value for name, value in gateway.own.jwk().items() if name != "alg"}
    certificate = ssl.PEM_cert_to_DER_cert(gateway.self_signed_certificate)
    self_signed = gateway.self_signed.jwk() | {"x5c": [base64.b64encode(certificate).decode("ascii")]}
    return [
        _client("client", **basic, **redirecting),
        _client("bound", tls_client_certificate_bound_access_tokens=True, **basic),
        _client("gateway-basic", **basic),
        _client("gateway-post", token_endpoint_auth_method="client_secret_post", client_secret=SECRET),
        _client("gateway-signed", introspection_signed_response_alg="RS256", **basic),
        _client(
            "gateway-jwt",
            token_endpoint_auth_method="private_key_jwt",
            token_endpoint_auth_signing_alg="RS256",
            jwks={"keys": [public]},
        ),
        _client("gateway-tls", token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn="CN=gateway"),
        _client(
            "gateway-self-signed",
            token_endpoint_auth_method="self_signed_tls_client_auth",
            jwks={"keys": [self_signed]},
        ),
    ]


def _client(client_id: str, **settings: Any) -> dict[str, Any]:
    defaults = {"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}
    if "redirect_uris" in settings:
        defaults["response_types"] = ["code"]
    return {"client_id": client_id, "scope": "openid offline_access read write", **defaults, **settings}


def _private_jwk(key: SigningKey) -> dict[str, Any]:
    algorithm = ECAlgorithm if key.alg == "ES256" else RSAAlgorithm
    members: dict[str, Any] = json.loads(algorithm.to_jwk(key.private_key))  # type: ignore[arg-type]
    members.pop("key_ops", None)
    return members
