"""A catalog of any size, the same each time."""

from collections.abc import Iterator
from dataclasses import dataclass

from extauthz.catalog.changes import Entity
from extauthz.model.api import Api, Resource
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription

_WORDS = ("orders", "customers", "invoices", "items", "payments", "returns", "users", "reports", "prices", "stores")
_POLICIES = ("Gold", "Silver", "Bronze", "Unlimited")
_STEP = 7_919
"""A prime, so that an application's APIs lie all over the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many of each kind."""

    apis: int = 10_000
    resources: int = 20
    applications: int = 100_000
    subscriptions: int = 1_000_000

    def __str__(self) -> str:
        return (
            f"{self.apis:,} APIs x {self.resources} resources, {self.applications:,} applications, "
            f"{self.subscriptions:,} subscriptions"
        )

    def part(self, divisor: int) -> "Size":
        """A smaller one of the same shape; the resources of an API stay."""
        return Size(
            apis=self.apis // divisor,
            resources=self.resources,
            applications=self.applications // divisor,
            subscriptions=self.subscriptions // divisor,
        )


LARGE = Size()


def entities(size: Size, key_manager: KeyManager) -> Iterator[Entity]:
    """All of them, each after those that it names."""
    yield key_manager
    for number in range(size.apis):
        yield api(number, size)
    for number in range(size.applications):
        yield application(number, key_manager)
    each = size.subscriptions // size.applications
    for number in range(size.applications):
        for place in range(each):
            yield subscription(number, subscribed(number, place, size))


def api(number: int, size: Size) -> Api:
    """An API of a host that it shares with others."""
    return Api(
        id=f"api-{number}",
        name=f"API {number}",
        version="v1",
        context=f"/area{number % 100}/api{number}/v1",
        hosts=frozenset({f"host{number % 50}.example.com"}),
        publisher=f"team{number % 200}",
        resources=tuple(_resource(number, place) for place in range(size.resources)),
    )


def path(number: int, place: int) -> str:
    """A path that leads to a resource of an API."""
    return _template(number, place).replace("{id}", "4711")


def _template(number: int, place: int) -> str:
    word, inner = _WORDS[place // 2 % len(_WORDS)], _WORDS[(number + place) % len(_WORDS)]
    return f"/{word}/{{id}}/{inner}{place}" if place % 2 else f"/{word}{place}"


def _resource(number: int, place: int) -> Resource:
    methods = frozenset({"GET", "POST"}) if place % 3 else frozenset({"GET"})
    scopes = frozenset({f"{_WORDS[place % len(_WORDS)]}.read"})
    return Resource(template=_template(number, place), methods=methods, scopes=scopes)


def application(number: int, key_manager: KeyManager) -> Application:
    """An application with one client."""
    key = ApplicationKey(client_id=f"client-{number}", key_manager=key_manager.id)
    return Application(id=f"app-{number}", name=f"Application {number}", owner=f"owner{number % 5000}", keys=(key,))


def subscribed(application: int, place: int, size: Size) -> int:
    """The number of an API that an application has subscribed to."""
    return (application * 31 + place * _STEP) % size.apis


def subscription(application: int, number: int) -> Subscription:
    """The subscription of an application to an API."""
    return Subscription(
        id=f"app-{application}:api-{number}",
        application=f"app-{application}",
        api=f"api-{number}",
        policy=_POLICIES[application % len(_POLICIES)],
    )
