"""A stand-in's surroundings in one process: a runner without processes, a client, a clock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette

from loadtest.standin.agent import AgentOrder
from loadtest.standin.app import create_app
from loadtest.standin.config import Config, Timings
from loadtest.standin.server import Server

T = TypeVar("T")

API_KEY = "testkey"
FAST = Timings(normal=0, capacity=60, idle=60, drain_timeout=0.2, drain_poll=0.01)


class FakeAgent:
    """An agent that ends when the test says so, or when it is stopped."""

    def __init__(self, order: AgentOrder, runner: FakeRunner) -> None:
        self.order = order
        self.stopped = False
        self._runner = runner
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self._exit)

    def stop(self) -> None:
        self.stopped = True
        self.end(-15)

    def end(self, code: int) -> None:
        if not self._exit.done():
            self._runner.live -= 1
            self._exit.set_result(code)


class FakeRunner:
    """Starts agents that are no processes and counts how many live at once."""

    def __init__(self, code: int | None = None) -> None:
        self.code = code
        self.agents: list[FakeAgent] = []
        self.live = 0
        self.most_live = 0
        self.closed = False
        self.error: OSError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def attach(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def start(self, order: AgentOrder) -> FakeAgent:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        agent = FakeAgent(order, self)
        self.agents.append(agent)
        self.live += 1
        self.most_live = max(self.most_live, self.live)
        if self.code is not None:
            asyncio.get_running_loop().call_later(0.005, agent.end, self.code)
        return agent

    def close(self) -> None:
        self.closed = True

    def end(self, agent: FakeAgent, code: int) -> None:
        """End an agent from the test's thread."""
        assert self._loop
        self._loop.call_soon_threadsafe(agent.end, code)


class Client:
    """Calls an ASGI application, which lives in an event loop of its own, from plain code."""

    def __init__(self, app: Starlette) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 1234))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://standin")
        self._lifespan = app.router.lifespan_context(app)
        self.run(self._lifespan.__aenter__())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine beside the application and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        # Sessions travel only where a test sends them.
        self._http.cookies.clear()
        return self.run(self._http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def many(self, calls: Iterable[tuple[str, Any]]) -> list[httpx.Response]:
        """POST all (path, body) at the same time, with the API key."""
        return self.run(self._gather(list(calls)))

    def close(self) -> None:
        self.run(self._lifespan.__aexit__(None, None, None))
        self.run(self._http.aclose())
        self.run(self._cancel_leftovers())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _gather(self, calls: list[tuple[str, Any]]) -> list[httpx.Response]:
        headers = {"X-API-Key": API_KEY}
        posts = [self._http.post(path, json=body, headers=headers) for path, body in calls]
        return await asyncio.gather(*posts)

    async def _cancel_leftovers(self) -> None:
        leftovers = asyncio.all_tasks() - {asyncio.current_task()}
        for task in leftovers:
            task.cancel()
        await asyncio.gather(*leftovers, return_exceptions=True)


class World:
    """One server with its client, runner and one project."""

    def __init__(self, client: Client, server: Server, runner: FakeRunner, root: Path) -> None:
        self.client = client
        self.server = server
        self.runner = runner
        self.root = root
        self.project = str(root / "demo")

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers={"X-API-Key": API_KEY, **_dashed(headers)})

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={"X-API-Key": API_KEY, **_dashed(headers)})

    def create(self, title: str, **feature: Any) -> str:
        body = {"title": title, "description": f"about {title}", "status": "backlog", **feature}
        answer = self.post("/api/features/create", {"projectPath": self.project, "feature": body})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["feature"]["id"])

    def auto_mode(self, verb: str, **body: Any) -> httpx.Response:
        return self.post(f"/api/auto-mode/{verb}", {"projectPath": self.project, **body})

    def feature(self, feature_id: str) -> dict[str, Any]:
        body = {"projectPath": self.project, "featureId": feature_id}
        feature: dict[str, Any] = self.post("/api/features/get", body).json()["feature"]
        return feature

    def status_of(self, feature_id: str) -> str:
        feature = self.server.store.get(self.project, feature_id)
        return str(feature["status"]) if feature else "absent"

    def running(self) -> list[str]:
        return [lease.feature_id for lease in self.server.auto_mode.leases.all()]


@contextlib.contextmanager
def world(root: Path, runner: FakeRunner | None = None, **config: Any) -> Iterator[World]:
    """Run a server for the length of the block, on folders below `root`."""
    runner = runner or FakeRunner()
    settings = replace(
        Config(
            data_dir=root / "data",
            project_path=str(root / "demo"),
            api_key=API_KEY,
            api_key_source="environment",
            allowed_root=str(root),
            production=True,
            max_concurrency=6,
            timings=FAST,
        ),
        **config,
    )
    app = create_app(settings, runner)
    with contextlib.closing(Client(app)) as client:
        yield World(client, app.state.server, runner, root)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for a condition; fails with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
