import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from loadtest.standin.web import create_docs, create_ui, main
from tests.loadtest.standin.fakes import Client


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, and two cookies."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        asked = {
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        content = json.dumps(asked).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def upstream() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_ui_serves_its_page_on_every_path() -> None:
    with contextlib.closing(Client(create_ui("http://127.0.0.1:1"))) as client:
        for path in ("/", "/board", "/a/b"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert '<div id="app">' in answer.text


def test_the_ui_passes_the_api_on(upstream: str) -> None:
    with contextlib.closing(Client(create_ui(upstream))) as client:
        headers = {"X-API-Key": "k", "Connection": "keep-alive", "X-Forwarded-For": "10.0.0.1"}
        answer = client.post("/api/a%20b?c=d", content=b"text", headers=headers)
    assert answer.status_code == 201
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    asked = answer.json()
    assert (asked["path"], asked["body"]) == ("/api/a%20b?c=d", "text")
    assert asked["headers"]["x-api-key"] == "k"
    assert asked["headers"]["x-forwarded-for"] == "10.0.0.1, 192.0.2.1"


def test_an_unreachable_server_is_a_502(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(Client(create_ui("http://127.0.0.1:1"))) as client:
        answer = client.get("/api/health")
    assert answer.status_code == 502
    assert answer.json() == {"success": False, "error": "Bad Gateway"}
    assert "Connection refused" in capsys.readouterr().err


def test_the_docs_serve_their_page() -> None:
    with contextlib.closing(Client(create_docs())) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert '<div id="app">' in answer.text


def test_an_unknown_role_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nginx"], {}) == 2
    assert "usage" in capsys.readouterr().err
