"""`extauthz serve` that knows many opaque tokens from the start: `benchmarks.filled COUNT serve --config FILE`.

To introspect a million tokens would take many minutes. So the facts are made here, by the code that makes them of an
issuer's answers, and put into the cache before anything is served.
"""

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import extauthz.__main__
from benchmarks.requests import GOOD, numbered_token
from extauthz.authn.facts import FactMaker
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.data_plane.authentication import TokenCaches
from extauthz.document.strict import load
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import Claims
from extauthz.oauth2.introspection import IntrospectionResponse

_BELIEVED_SECONDS = 7_200


def fill(caches: TokenCaches, key_manager: KeyManager, count: int) -> None:
    """Facts about so many tokens, each with claims of its own as they come out of JSON."""
    now, facts = time.time(), FactMaker(ttl_seconds=_BELIEVED_SECONDS, negative_ttl_seconds=0)
    said = {**GOOD, "iss": key_manager.issuer, "sub": "alice", "iat": int(now), "exp": int(now) + _BELIEVED_SECONDS}
    memory = caches.introspection._memory  # noqa: SLF001 - there is no other way in that is as fast
    for number in range(count):
        claims = json.loads(json.dumps({"active": True, **said, "sub": f"user-{number}", "jti": f"id-{number}"}))
        response = IntrospectionResponse(active=True, claims=Claims(claims))
        key = caches.keys.token_key(
            key_manager.organization,
            key_manager.id,
            key_manager.fingerprint,
            caches.keys.named(numbered_token(number)),
        )
        memory.put(key, facts.from_introspection(response, key_manager, now))


def main() -> None:
    """Fills, then is `extauthz`."""
    count, settings = int(sys.argv[1]), Path(sys.argv[-1])
    catalog = contents_of(load(settings.with_name("catalog.yaml"), CatalogDocument), settings.parent)
    key_manager = next(each for each in catalog.entities() if isinstance(each, KeyManager))
    build = importlib.import_module("extauthz.data_plane.build")
    made: Callable[..., TokenCaches] = build.token_caches

    def filled(*parts: object) -> TokenCaches:
        caches = made(*parts)
        gc.disable()
        fill(caches, key_manager, count)
        gc.enable()
        return caches

    build.token_caches = filled  # type: ignore[attr-defined]
    sys.argv[:] = ["extauthz", *sys.argv[2:]]
    extauthz.__main__.main()


if __name__ == "__main__":
    main()
