"""What the tests of the backend JWT share: keys, a clock that they move, and an access with everything known."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from extauthz.model.api import Api, Resource
from extauthz.model.application import Application, KeyType
from extauthz.model.check import Access, Principal
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts, TokenForm


class MovedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return MovedClock()


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def rsa_pem():
    return pem(rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def small_rsa_pem():
    return pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - to be refused


@pytest.fixture(scope="session")
def ec_pem():
    return pem(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="session")
def p384_pem():
    return pem(ec.generate_private_key(ec.SECP384R1()))


@pytest.fixture(scope="session")
def ed25519_pem():
    return pem(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def access():
    resource = Resource(template="/pets", methods=frozenset({"GET"}))
    return Access(
        api=Api(
            id="petstore-1",
            organization="acme",
            name="Petstore",
            version="1.0.0",
            context="/petstore/v1",
            resources=(resource,),
        ),
        resource=resource,
        principal=Principal(
            key_manager=KeyManager(id="resident", organization="acme", issuer="https://issuer.example"),
            facts=TokenFacts(
                form=TokenForm.JWT,
                believe_until=1_000_600.0,
                issuer="https://issuer.example",
                subject="alice",
                client_id="client-1",
                scopes=frozenset({"write", "read"}),
                expires_at=1_003_600.0,
                claims={
                    "iss": "https://issuer.example",
                    "sub": "alice",
                    "azp": "client-1",
                    "exp": 1_003_600,
                    "email": "alice@example.com",
                },
            ),
            token_key=b"k" * 32,
        ),
        application=Application(
            id="app-7", organization="acme", name="Shop", owner="bob", policy="10PerMin", attributes={"region": "north"}
        ),
        key_type=KeyType.PRODUCTION,
        subscription=Subscription(id="sub-9", application="app-7", api="petstore-1", policy="Gold"),
    )
