"""A server and its UI that behave like automaker, or not quite: what a smoke test looks at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from compose.deploy.api import Api
from compose.deploy.build import COMMIT_LABEL
from compose.deploy.smoke import PROTECTED, Site
from tests.compose.deploy.fakes import (
    KEY,
    Asked,
    Engine,
    Reply,
    Web,
    inspected,
    running,
    serving,
)

COMMIT = "ab12cd34" * 5
SERVER = "automaker-server-staging"
REFUSED = Reply(401, {"success": False, "error": "Authentication required."})
OK = {"status": "ok"}


@dataclass
class Automaker:
    """What one server does; a field changed is a defect."""

    alive: bool = True
    ready: bool = True
    key_source: str = "environment"
    keys: tuple[str, ...] = (KEY,)
    open_to_all: bool = False
    anonymous: bool = False
    """Whether it lets in who brings nothing at all."""
    login: bool = True
    session: bool = True
    broken: str = ""
    """A path that answers 500."""
    token: str | None = "t0ken"
    page: str = '<div id="app"></div>'
    proxy: bool = True
    label: str = COMMIT
    statuses: list[str] = field(default_factory=lambda: ["running", "done"])
    """What the feature is, look by look; the last one for ever."""
    reason: str | None = None
    created: Any = field(default_factory=lambda: {"feature": {"id": "f1"}})
    runs: bool = True
    deleted: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    def server(self, asked: Asked) -> Reply:
        """Answer as the server."""
        if asked.path == "/api/health":
            return Reply(data=OK) if self.alive else Reply(500, text="<h1>oops</h1>")
        if asked.path == "/api/health/ready":
            checks = {"apiKey": {"configured": True, "source": self.key_source}}
            status = "ready" if self.ready else "not_ready"
            return Reply(200 if self.ready else 503, {"status": status, "checks": checks})
        if asked.path.startswith("/api/auth/log"):
            return self._session(asked)
        if not self._lets_in(asked):
            return REFUSED
        broken = Reply(500, {"error": "it broke"})
        return broken if asked.path == self.broken else self._inside(asked)

    def ui(self, asked: Asked) -> Reply:
        """Answer as the UI."""
        if asked.path.startswith("/api/"):
            return self.server(asked) if self.proxy else Reply(502, text="<h1>Bad Gateway</h1>")
        return Reply(text=self.page) if self.page else Reply(404, text="<h1>nothing</h1>")

    def _session(self, asked: Asked) -> Reply:
        if asked.path == "/api/auth/logout":
            self.sessions.discard(asked.headers.get("x-session-token", ""))
            return Reply(data={"success": True})
        if not self.login or asked.data["apiKey"] not in self.keys:
            return Reply(401, {"success": False, "error": "Invalid API key."})
        self.sessions |= {"s1"} if self.session else set()
        return Reply(data={"success": True, "token": "s1"})

    def _lets_in(self, asked: Asked) -> bool:
        key, token = asked.headers.get("x-api-key"), asked.headers.get("x-session-token")
        if self.anonymous and key is None and token is None:
            return True
        return self.open_to_all or key in self.keys or token in self.sessions

    def _inside(self, asked: Asked) -> Reply:
        if asked.path == "/api/auth/token":
            return Reply(data={"success": True, "token": self.token})
        if asked.path == "/api/features/create":
            return Reply(data=self.created)
        if asked.path == "/api/auto-mode/run-feature":
            return Reply(data={}) if self.runs else Reply(500, {"error": "at capacity"})
        if asked.path == "/api/features/get":
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            reason = {"statusChangeReason": self.reason} if self.reason else {}
            return Reply(data={"feature": {"id": "f1", "status": status, **reason}})
        if asked.path == "/api/features/delete":
            self.deleted.append(asked.data["featureId"])
            return Reply(data={})
        also = ("/api/health/quick", "/api/auto-mode/status", "/api/auto-mode/stop-feature")
        return (
            Reply(data=OK)
            if asked.path in (*PROTECTED, *also)
            else Reply(404, {"error": "no such route"})
        )

    def engine(self) -> Engine:
        """The engine that runs it."""
        labels = {COMMIT_LABEL: self.label} if self.label else {}
        return Engine({"docker exec": ""}, {SERVER: inspected(SERVER, labels=labels)})


@contextlib.contextmanager
def site_of(automaker: Automaker, docs: Api | None = None) -> Iterator[tuple[Site, Web]]:
    """Serve it; gives what the smoke test needs, and the server for what it was asked."""
    with serving(automaker.server) as server, serving(automaker.ui) as ui:
        runs = running(server=server.port, ui=ui.port)
        site = Site(runs, COMMIT, Api(server.base, KEY), Api(ui.base), docs)
        yield site, server
