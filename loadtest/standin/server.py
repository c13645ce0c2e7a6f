"""The server's parts, put together once for the handlers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .auth import Auth, Sessions
from .automode import AutoMode
from .call import Call
from .config import Config
from .deploy import Drain
from .errors import StandinError
from .fault import NO_AGENTS, NoAgents, leases_for
from .leases import AgentRunner
from .ratelimit import RateLimit, api_limit, login_limit
from .server_settings import always_on_projects, load_settings
from .store import FeatureStore

CLEAN_SHUTDOWN = ".clean-shutdown"
IO_THREADS = 4


@dataclass(frozen=True)
class Server:
    """Everything a handler may need."""

    config: Config
    runner: AgentRunner
    store: FeatureStore
    auth: Auth
    api_limit: RateLimit
    login_limit: RateLimit
    auto_mode: AutoMode
    drain: Drain
    started: float

    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def settings(self) -> dict[str, Any]:
        """Return the settings as they are on disk now."""
        return load_settings(self.config.data_dir)


Answer = Mapping[str, Any] | Response
Handler = Callable[[Server, Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Endpoint:
    """A handler and what is checked before it runs."""

    handler: Handler
    checks_path: bool = False
    """Whether the body's projectPath must lie in the allowed root."""
    public: bool = False
    """Whether it answers without credentials."""


Routes = Mapping[tuple[str, str], Endpoint]


def assemble(config: Config, runner: AgentRunner) -> Server:
    """Build the server's parts; starts nothing. Raises OSError when DATA_DIR cannot be made."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    if config.fault == NO_AGENTS:
        runner = NoAgents(runner)
    store = FeatureStore()
    auto_mode = AutoMode(
        store,
        runner,
        lambda: load_settings(config.data_dir),
        config.max_concurrency,
        config.timings,
        leases_for(config.fault),
    )
    return Server(
        config=config,
        runner=runner,
        store=store,
        auth=Auth(config.api_key, Sessions(config.data_dir / ".sessions")),
        api_limit=api_limit(),
        login_limit=login_limit(),
        auto_mode=auto_mode,
        drain=Drain(auto_mode, config.timings),
        started=time.monotonic(),
    )


@contextlib.asynccontextmanager
async def running(server: Server) -> AsyncIterator[None]:
    """Run the parts: attach the runner, start the always-on loops; at the end, tidy up."""
    # Few threads: each costs memory, and the agents are meant to have it.
    executor = ThreadPoolExecutor(IO_THREADS, "io")
    asyncio.get_running_loop().set_default_executor(executor)
    await server.runner.attach()
    start = asyncio.create_task(_start_always_on(server))
    try:
        yield
    finally:
        start.cancel()
        with contextlib.suppress(OSError):  # a full disk must not keep the agents running
            (server.config.data_dir / CLEAN_SHUTDOWN).touch()
        await server.auto_mode.shut_down()
        server.runner.close()


async def _start_always_on(server: Server) -> None:
    marker = server.config.data_dir / CLEAN_SHUTDOWN
    timings = server.config.timings
    delay = timings.startup if marker.exists() else timings.crash
    marker.unlink(missing_ok=True)
    for project, branch, maximum in always_on_projects(server.settings()):
        # A project that cannot be read must not keep the others from starting.
        with contextlib.suppress(OSError, ValueError, StandinError):
            await server.auto_mode.reconcile(project)
            if (project, branch) not in server.auto_mode.loops:
                server.auto_mode.start(project, branch, maximum, delay)
