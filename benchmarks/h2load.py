"""Load by `h2load`: one body, again and again, over HTTP/2."""

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores import LOAD, on_core
from benchmarks.figure import percentile

CHECK_PATH = "/envoy.service.auth.v3.Authorization/Check"
_GRPC = ("--header", "content-type: application/grpc", "--header", "te: trailers")
_SECONDS = re.compile(r"finished in ([0-9.]+)(us|ms|s), ")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_REQUESTS = re.compile(r"requests: .* (\d+) succeeded,")
_STATUSES = re.compile(r"status codes: (\d+) 2xx")
_LIMIT_SECONDS = 120
_FIRST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came back."""

    per_second: float
    milliseconds: tuple[float, ...] = ()
    """Of each request, in no order; only where they were asked for."""

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return percentile(self.milliseconds, percent)


def ensure_installed() -> None:
    """Ends the program where there is no `h2load`."""
    if shutil.which("h2load") is None:
        sys.exit("h2load is missing: `apt-get install nghttp2-client` (Debian, Ubuntu), then try again")


def framed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


async def checks(port: int, request: bytes, **how: int) -> Load:
    """Sends one CheckRequest `count` times; see `requests`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        body = Path(folder) / "body"
        body.write_bytes(framed(request))
        return await requests(f"http://127.0.0.1:{port}{CHECK_PATH}", *_GRPC, "--data", str(body), **how)


async def requests(
    url: str, *options: str, count: int, clients: int = 2, streams: int = 50, per_second: int = 0
) -> Load:
    """Sends `count` requests on `clients` connections, each with `streams` at a time, as fast as answers come.

    With `per_second`, it sends that many a second, and notes how long each one took.

    Raises:
        RuntimeError: some request did not get a status of 2xx.
    """
    paced = ("--rps", str(max(1, per_second // clients))) if per_second else ()
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".tsv") as log:
        noted = ("--log-file", log.name) if per_second else ()
        how = ("-n", str(count), "-c", str(clients), "-m", str(streams), "-t", "1", *paced, *noted)
        text = await _printed(("h2load", *how, *options, url))
        lines = Path(log.name).read_text(encoding="ascii").splitlines()  # noqa: ASYNC240 - nothing else runs
    return Load(per_second=parsed_per_second(text, count), milliseconds=_milliseconds(lines))


async def count_for(seconds: float, load: Callable[[int], Awaitable[Load]]) -> int:
    """How many requests take about so long, by a short load which warms up as well."""
    return max(_FIRST, int((await load(_FIRST)).per_second * seconds))


def parsed_per_second(text: str, count: int) -> float:
    """The rate that h2load's report comes to.

    Raises:
        RuntimeError: not all `count` requests got a status of 2xx.
    """
    finished, sent, statuses = (pattern.search(text) for pattern in (_SECONDS, _REQUESTS, _STATUSES))
    if finished is None or sent is None or statuses is None:
        raise RuntimeError(f"h2load printed something else:\n{text}")
    if int(sent[1]) != count or int(statuses[1]) != count:
        raise RuntimeError(f"not every request succeeded:\n{text}")
    return count / (float(finished[1]) * _UNITS[finished[2]])


async def _printed(argv: Sequence[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *on_core(LOAD, *argv), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    text = output.decode()
    if process.returncode != 0:
        raise RuntimeError(f"h2load ended with status {process.returncode}:\n{text}")
    return text


def _milliseconds(lines: Sequence[str]) -> tuple[float, ...]:
    return tuple(int(line.split("\t")[2]) / 1000 for line in lines)
