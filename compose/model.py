"""What the effective Compose model says about a service: its limits, as typed values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose.commands import STAGING_FILE, effective_model
from compose.errors import ComposeError
from compose.run import Run

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_OLD_SPACE = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d+)")


@dataclass(frozen=True)
class Health:
    """The budget of a healthcheck; Docker's own defaults where the model leaves one out."""

    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0


@dataclass(frozen=True)
class Restart:
    """A restart policy; `retries` is None where it goes on for ever."""

    name: str = "no"
    retries: int | None = None


@dataclass(frozen=True)
class ServiceLimits:
    """How much one service may use. Memory in bytes; None stands for not set."""

    memory_bytes: int
    memswap_bytes: int
    """Memory and swap together; Docker takes twice the memory where it is not set."""
    cpus: float | None
    node_old_space_mib: int | None
    """V8's heap ceiling from NODE_OPTIONS."""
    max_concurrency: int | None
    """AUTOMAKER_MAX_CONCURRENCY: agents the server runs at once."""
    health: Health | None
    restart: Restart
    init: bool
    environment: Mapping[str, str] = field(repr=False)
    """What the container gets; it holds secrets, so it is not shown."""


def load_model(
    run: Run,
    files: Sequence[Path | str] = (STAGING_FILE,),
    *,
    env_file: Path | str | None = None,
    project_dir: Path | str | None = None,
    env: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    """Return the effective model of Compose files. `env` goes before the values of `env_file`.

    Raises ComposeError when Compose refuses the files or a required variable is not set.
    """
    argv = effective_model(files, env_file, project_dir)
    text = run(argv, env=env, timeout_s=60.0).stdout
    try:
        model = json.loads(text)
    except json.JSONDecodeError as error:
        raise ComposeError(f"docker compose config: not JSON: {text[:80]!r}") from error
    return _mapping(model, "model")


def read_limits(model: Mapping[str, Any], service: str = "server") -> ServiceLimits:
    """Read the limits of `service` from an effective model; ComposeError names the key path."""
    at = f"services.{service}"
    services = _mapping(model.get("services"), "services")
    if service not in services:
        raise ComposeError(f"{at}: missing", next_step=f"services there: {', '.join(services)}")
    body = _mapping(services[service], at)
    environment = _environment(body.get("environment") or {}, f"{at}.environment")
    memory, swap = _memory(body, at)
    return ServiceLimits(
        memory_bytes=memory,
        memswap_bytes=swap,
        cpus=_cpus(body, at),
        node_old_space_mib=_old_space(environment),
        max_concurrency=_optional_count(environment, "AUTOMAKER_MAX_CONCURRENCY", at),
        health=_health(body.get("healthcheck"), f"{at}.healthcheck"),
        restart=_restart(body.get("restart") or "no", f"{at}.restart"),
        init=body.get("init") is True,
        environment=environment,
    )


def _memory(body: Mapping[str, Any], at: str) -> tuple[int, int]:
    """Memory, and memory with swap, in bytes; the limit may stand in either of two places."""
    deployed = _deployed(body, at).get("memory")
    limit = _number(body.get("mem_limit", deployed), f"{at}.mem_limit")
    if limit <= 0:
        raise ComposeError(f"{at}.mem_limit: {limit:g} is no limit")
    swap = _number(body.get("memswap_limit", 2 * limit), f"{at}.memswap_limit")
    return int(limit), int(swap)


def _cpus(body: Mapping[str, Any], at: str) -> float | None:
    cpus = body.get("cpus", _deployed(body, at).get("cpus"))
    return None if cpus is None else _number(cpus, f"{at}.cpus")


def _deployed(body: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    found = body
    path = at
    for key in ("deploy", "resources", "limits"):
        path = f"{path}.{key}"
        found = _mapping(found.get(key) or {}, path)
    return found


def _environment(values: object, at: str) -> dict[str, str]:
    """Plain values: Compose doubles each `$` when it prints its model."""
    named = _mapping(values, at)
    return {name: str(v).replace("$$", "$") for name, v in named.items() if v is not None}


def _old_space(environment: Mapping[str, str]) -> int | None:
    found = _OLD_SPACE.search(environment.get("NODE_OPTIONS", ""))
    return int(found[1]) if found else None


def _optional_count(environment: Mapping[str, str], name: str, at: str) -> int | None:
    text = environment.get(name)
    return None if text is None else int(_number(text, f"{at}.environment.{name}"))


def _health(check: object, at: str) -> Health | None:
    if check is None:
        return None
    body = _mapping(check, at)
    if body.get("disable") is True:
        return None
    usual = Health()
    return Health(
        interval_s=seconds(body.get("interval"), usual.interval_s, f"{at}.interval"),
        timeout_s=seconds(body.get("timeout"), usual.timeout_s, f"{at}.timeout"),
        retries=int(_number(body.get("retries", usual.retries), f"{at}.retries")),
        start_period_s=seconds(
            body.get("start_period"), usual.start_period_s, f"{at}.start_period"
        ),
    )


def _restart(text: object, at: str) -> Restart:
    name, _, retries = str(text).partition(":")
    return Restart(name, int(_number(retries, at)) if retries else None)


def seconds(text: object, usual: float, at: str) -> float:
    """Return the seconds of a duration as Compose prints it, such as 1m30s; None is `usual`."""
    if text is None:
        return usual
    parts = _DURATION_PART.findall(str(text))
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ComposeError(f"{at}: {text!r} is not a duration such as 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _number(value: object, at: str) -> float:
    if value is None:
        raise ComposeError(f"{at}: missing")
    try:
        return float(str(value))
    except ValueError:
        raise ComposeError(f"{at}: {value!r} is not a number") from None


def _mapping(value: object, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ComposeError(f"{at}: missing or not a mapping")
    return value
