"""The `ui` and `docs` images: `python3 -m standin.web ui|docs` serves a small HTML app.

The ui passes /api/* on to the server named by API_UPSTREAM.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

DEFAULT_UPSTREAM = "http://server:3008"
UPSTREAM_TIMEOUT_S = 180.0  # a drain answers after up to 120 s
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Each concerns one connection only, or is worked out anew by whoever sends the message on.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
</head>
<body>
<div id="app"><h1>{title}</h1><p>{text}</p></div>
</body>
</html>
"""
UI = PAGE.format(title="automaker", text="Stand-in for the automaker interface.")
DOCS = PAGE.format(title="automaker docs", text="Stand-in for the documentation site.")

Endpoint = Callable[[Request], Awaitable[Response]]


def create_ui(upstream: str) -> Starlette:
    """Build the ui: its page on every path, except that /api/* is answered by `upstream`."""

    async def proxy(request: Request) -> Response:
        body = await request.body()
        try:
            return await run_in_threadpool(_forward, upstream, request, body)
        except (OSError, http.client.HTTPException) as error:
            print(f"{request.method} {request.url.path}: {error!r}", file=sys.stderr)
            return JSONResponse({"success": False, "error": "Bad Gateway"}, 502)

    return Starlette(
        routes=[
            Route("/api/{path:path}", proxy, methods=METHODS),
            Route("/{path:path}", _page(UI), methods=["GET"]),
        ]
    )


def create_docs() -> Starlette:
    """Build the docs: one page on every path."""
    return Starlette(routes=[Route("/{path:path}", _page(DOCS), methods=["GET"])])


def main(arguments: list[str], env: Mapping[str, str]) -> int:
    """Serve `ui` or `docs` until told to stop; returns the exit code."""
    if arguments == ["ui"]:
        app = create_ui(env.get("API_UPSTREAM") or DEFAULT_UPSTREAM)
    elif arguments == ["docs"]:
        app = create_docs()
    else:
        print("usage: python3 -m standin.web ui|docs", file=sys.stderr)
        return 2
    # uvicorn raises the signal again once it has shut down; a stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        host=env.get("HOST") or "0.0.0.0",  # noqa: S104 - the container publishes its port itself
        port=int(env.get("PORT") or 80),
        loop="asyncio",
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return 0


def _page(html: str) -> Endpoint:
    async def page(_: Request) -> Response:
        return HTMLResponse(html)

    return page


def _forward(upstream: str, request: Request, body: bytes) -> Response:
    address = urlsplit(upstream)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=UPSTREAM_TIMEOUT_S
    )
    # As it was sent: the decoded path could not be told from one with escapes of its own.
    path = request.scope["raw_path"].decode("latin-1")
    path += f"?{request.url.query}" if request.url.query else ""
    try:
        connection.request(request.method, path, body or None, _outgoing(request))
        answer = connection.getresponse()
        response = Response(answer.read(), answer.status)
        # Not a mapping: a login answers with a header that may occur more than once.
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                response.headers.append(name, value)
        return response
    finally:
        connection.close()


def _outgoing(request: Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
    client = request.client.host if request.client else "unknown"
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{before}, {client}" if before else client
    return headers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
