"""`python -m benchmarks.catalog.from_yaml`: what a part of the large catalog takes from a YAML file, as JSON."""

import asyncio
import json
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.catalog.generated import LARGE, Size, api, application, subscribed, subscription
from benchmarks.figure import Figure
from extauthz.catalog.building import built
from extauthz.catalog.file_source import load_contents
from extauthz.model.key_manager import KeyManager

_SMALLER = 50


async def main() -> None:
    """Read, checked, converted and indexed."""
    size = LARGE.part(_SMALLER)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "catalog.yaml"
        path.write_text("\n".join(_lines(size)), encoding="utf-8")
        start = perf_counter()
        contents = load_contents(path)
        await built(contents.entities())
        seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [
        Figure(name=f"from YAML: {size}", value=seconds, unit="s"),
        Figure(name="same process: peak RSS", value=peak, unit="MiB"),
    ]
    print(json.dumps([asdict(figure) for figure in figures]))


def _lines(size: Size) -> Iterator[str]:
    key_manager = KeyManager(id="km", issuer="https://issuer.example.com")
    yield "key_managers:"
    yield f"- {{id: km, issuer: '{key_manager.issuer}', jwt: {{jwks_uri: '{key_manager.issuer}/jwks'}}}}"
    yield "apis:"
    for number in range(size.apis):
        yield from _api(number, size)
    yield "applications:"
    for number in range(size.applications):
        made = application(number, key_manager)
        keys = f"[{{key_manager: km, client_id: {made.keys[0].client_id}}}]"
        yield f"- {{id: {made.id}, name: '{made.name}', owner: {made.owner}, keys: {keys}}}"
    yield "subscriptions:"
    for number in range(size.applications):
        for place in range(size.subscriptions // size.applications):
            each = subscription(number, subscribed(number, place, size))
            yield f"- {{application: {each.application}, api: {each.api}, policy: {each.policy}}}"


def _api(number: int, size: Size) -> Iterator[str]:
    made = api(number, size)
    yield f"- id: {made.id}"
    yield f"  name: {made.name}"
    yield f"  version: {made.version}"
    yield f"  context: {made.context}"
    yield f"  hosts: [{', '.join(made.hosts)}]"
    yield "  resources:"
    for each in made.resources:
        methods, scopes = ", ".join(sorted(each.methods)), ", ".join(sorted(each.scopes))
        yield f"  - {{template: '{each.template}', methods: [{methods}], scopes: [{scopes}]}}"


if __name__ == "__main__":
    asyncio.run(main())
