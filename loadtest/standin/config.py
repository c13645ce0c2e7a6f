"""What the environment says, read once into one value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .server_settings import clamp_system_concurrency, parse_int

PUBLIC_API_KEY = "protoLabs_studio_key"
VERSION = "0.0.0"


@dataclass(frozen=True)
class Timings:
    """Pauses of the auto loops and of a drain, in seconds.

    The variables carry milliseconds and the real server's names. Its defaults are longer:
    startup 10 s, crash 30 s.
    """

    startup: float = 0.0
    """Before a loop's first pick (AUTO_MODE_STARTUP_DELAY_MS)."""
    crash: float = 0.0
    """Before a loop's first pick after an unclean end (AUTO_MODE_CRASH_DELAY_MS)."""
    normal: float = 2.0
    """Between two starts (SLEEP_INTERVAL_NORMAL_MS)."""
    capacity: float = 5.0
    """Longest wait for a free slot (SLEEP_INTERVAL_CAPACITY_MS)."""
    idle: float = 30.0
    """Longest wait for work (SLEEP_INTERVAL_IDLE_MS)."""
    drain_timeout: float = 120.0
    drain_poll: float = 5.0


@dataclass(frozen=True)
class Config:
    """The whole configuration of the server process."""

    data_dir: Path
    project_path: str
    api_key: str = field(default=PUBLIC_API_KEY, repr=False)
    api_key_source: str = "default"
    allowed_root: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - the container publishes its ports itself
    port: int = 3008
    production: bool = False
    auto_login: bool = False
    mock_agent: bool = False
    containerized: bool = False
    cors_origins: tuple[str, ...] = ()
    max_concurrency: int = 2
    timings: Timings = field(default_factory=Timings)
    profiles: str = "{}"
    seed: int = 0
    base_bytes: int = 0
    """Private memory of the server itself (STANDIN_BASE_BYTES), to imitate a larger one; 0 adds
    nothing to what it needs anyway."""
    fault: str = ""
    """What to do wrong on purpose (STANDIN_FAULT); see `fault`."""


def read_config(env: Mapping[str, str], cwd: str) -> Config:
    """Turn environment variables into a Config.

    Figures that are no numbers fall back to their defaults and an empty API key counts as
    unset, both as in the real server.
    """
    key = env.get("AUTOMAKER_API_KEY", "")
    origins = env.get("CORS_ORIGIN", "").split(",")
    return Config(
        data_dir=Path(os.path.abspath(os.path.join(cwd, env.get("DATA_DIR") or "data"))),
        project_path=env.get("AUTOMAKER_PROJECT_PATH") or cwd,
        api_key=key or PUBLIC_API_KEY,
        api_key_source="environment" if key else "default",
        allowed_root=env.get("ALLOWED_ROOT_DIRECTORY") or None,
        host=env.get("HOST") or Config.host,
        port=parse_int(env.get("PORT", "")) or Config.port,
        production=env.get("NODE_ENV") == "production",
        auto_login=env.get("AUTOMAKER_AUTO_LOGIN") == "true",
        mock_agent=env.get("AUTOMAKER_MOCK_AGENT") == "true",
        containerized=env.get("IS_CONTAINERIZED") == "true",
        cors_origins=tuple(origin.strip() for origin in origins if origin.strip()),
        max_concurrency=clamp_system_concurrency(env.get("AUTOMAKER_MAX_CONCURRENCY")),
        timings=_read_timings(env),
        profiles=env.get("STANDIN_PROFILES") or "{}",
        seed=parse_int(env.get("STANDIN_SEED", "")) or 0,
        base_bytes=max(0, parse_int(env.get("STANDIN_BASE_BYTES", "")) or 0),
        fault=env.get("STANDIN_FAULT", ""),
    )


def _read_timings(env: Mapping[str, str]) -> Timings:
    def seconds(name: str, default: float) -> float:
        milliseconds = parse_int(env.get(name, ""))
        return default if milliseconds is None or milliseconds < 0 else milliseconds / 1000

    return Timings(
        startup=seconds("AUTO_MODE_STARTUP_DELAY_MS", Timings.startup),
        crash=seconds("AUTO_MODE_CRASH_DELAY_MS", Timings.crash),
        normal=seconds("SLEEP_INTERVAL_NORMAL_MS", Timings.normal),
        capacity=seconds("SLEEP_INTERVAL_CAPACITY_MS", Timings.capacity),
        idle=seconds("SLEEP_INTERVAL_IDLE_MS", Timings.idle),
        drain_timeout=seconds("DRAIN_TIMEOUT_MS", Timings.drain_timeout),
        drain_poll=seconds("DRAIN_POLL_MS", Timings.drain_poll),
    )
