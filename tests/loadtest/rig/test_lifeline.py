"""Whether an engine is still there, against a small one that stops when it is told to."""

from __future__ import annotations

import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.rig import lifeline as module
from loadtest.rig.lifeline import Lifeline
from tests.loadtest.standin.fakes import wait_until


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what a lifeline asks; its events end when `over` is set, its pings with `silent`."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.over = threading.Event()
        self.silent = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_GET(self) -> None:
        if self.path.endswith("/version"):
            self._answer(200, b'{"ApiVersion": "1.41"}')
        elif "/events" in self.path:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.server.over.wait(30)
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._answer(503 if self.server.silent.is_set() else 200, b"OK")

    def address_string(self) -> str:
        return "a unix socket"

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(module, "_ASK_EVERY_S", 0.05)
    with Engine(tmp_path / "engine.sock") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def url(engine: Engine) -> str:
    return f"unix://{engine.server_address!s}"


def test_an_engine_that_answers_is_not_lost(engine: Engine) -> None:
    lifeline = Lifeline(url(engine))
    threading.Event().wait(0.3)
    assert lifeline.lost is None
    lifeline.close()
    assert lifeline.lost is None, "closing it is no loss"


def test_an_engine_whose_events_end_is_lost_even_if_it_answers_again(engine: Engine) -> None:
    lifeline = Lifeline(url(engine))
    engine.over.set()
    wait_until(lambda: lifeline.lost is not None, "the loss")
    assert lifeline.lost == "its engine ended"
    lifeline.close()


def test_an_engine_that_answers_no_question_is_lost(engine: Engine) -> None:
    lifeline = Lifeline(url(engine))
    engine.silent.set()
    wait_until(lambda: lifeline.lost is not None, "the loss")
    assert lifeline.lost == "its engine gave no answer 3 times"
    lifeline.close()
