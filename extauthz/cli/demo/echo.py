"""The upstream of the demo: it answers with the request that reached it, so that one sees what Envoy let through."""

import argparse

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application: any method and path is answered with `{method, path, headers}`.

    `path` is as it came, with the query. `headers` is a list of [name, value] in the order received, repeated ones
    apart; the names are in lower case, as ASGI has them.
    """
    request = Request(scope, receive)
    async for _ in request.stream():  # an answer before the end of an upload would cut the connection
        pass
    await JSONResponse(_seen(request))(scope, receive, send)


def _seen(request: Request) -> dict[str, object]:
    query = request.scope["query_string"]
    path = request.scope["raw_path"] + (b"?" + query if query else b"")
    return {
        "method": request.method,
        "path": path.decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw],
    }


def main() -> None:
    """`python -m extauthz.cli.demo.echo --port N`: serves on loopback until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m extauthz.cli.demo.echo", description="an upstream that echoes")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    port = parser.parse_args().port
    uvicorn.run(echo, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws="none", proxy_headers=False)


if __name__ == "__main__":
    main()
