"""One request as the handlers see it, and the answers they give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from .errors import PageError, Refusal

BODY_LIMIT = 50 * 1024 * 1024
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>{text}</pre>
</body>
</html>
"""


@dataclass(frozen=True)
class Call:
    """A request whose body has been read: `body` is None when there was none to parse."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    client: str
    body: Any

    def fields(self) -> dict[str, Any]:
        """Return the body's keys. Raises a 500 without a body, as the real server's handlers do."""
        if self.body is None:
            raise Refusal(500, "Cannot destructure property of 'req.body' as it is undefined.")
        return self.body if isinstance(self.body, dict) else {}


class Json(Response):
    """A JSON answer. Escaped to ASCII: clients may send, and get back, unpaired surrogates."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return json.dumps(content, separators=(",", ":")).encode()


def error_page(text: str, status: int) -> Response:
    """Return the HTML page that stands for an error outside the handlers."""
    headers = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
    page = _PAGE.format(text=escape(text).encode("utf-8", "replace").decode())
    return HTMLResponse(page, status, headers)


async def read_call(request: Request, cors_origins: tuple[str, ...]) -> Call:
    """Read a request to its end. Raises PageError for a foreign origin or an unusable body."""
    origin = request.headers.get("origin")
    if origin is not None and not is_allowed_origin(origin, cors_origins):
        raise PageError(500, "Internal Server Error")
    return Call(
        method=request.method,
        path=request.url.path,
        headers=request.headers,
        query=request.query_params,
        cookies=request.cookies,
        client=request.client.host if request.client else "unknown",
        body=await _read_body(request),
    )


def is_allowed_origin(origin: str, cors_origins: tuple[str, ...]) -> bool:
    """Whether a browser page from `origin` may call: listed, or private when none are listed."""
    if cors_origins:
        return origin in cors_origins or "*" in cors_origins
    try:
        host = urlsplit(origin).hostname or ""
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether the request says that its body is JSON."""
    return "application/json" in headers.get("content-type", "").lower()


async def _read_body(request: Request) -> Any:
    announced = "content-length" in request.headers or "transfer-encoding" in request.headers
    if not announced or not is_json(request.headers):
        return None
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BODY_LIMIT:
                raise PageError(413, "Payload Too Large")
    except ClientDisconnect:
        raise PageError(400, "Bad Request") from None
    return _parse(bytes(content)) if content else {}


def _parse(content: bytes) -> Any:
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise PageError(400, "Bad Request") from None
    if not isinstance(body, dict | list):
        raise PageError(400, "Bad Request")
    return body


def _refuse_constant(name: str) -> NoReturn:
    # Python would take NaN and Infinity, which are no JSON.
    raise ValueError(name)
