"""/api/health and the metrics: whether the server lives, can write, and what its board holds."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.responses import PlainTextResponse, Response

from .call import Call, Json
from .config import VERSION, Config
from .fault import NEVER_READY, health_delay
from .features import Feature, now_iso
from .server import Answer, Endpoint, Routes, Server

DEEP_TIMEOUT_S = 10.0
DEGRADED_AFTER_MS = 2000
PAGE = resource.getpagesize()
NO_SYNC: Mapping[str, Any] = {
    "role": "worker",
    "syncPort": None,
    "connected": False,
    "peerCount": 0,
    "onlinePeers": [],
    "isLeader": False,
    "peerCapacitySummary": [],
    "partitionSince": None,
    "queuedChanges": 0,
    "compactionDiagnostics": None,
}


async def live(server: Server, _call: Call) -> Answer:
    """Answer the process answers; nothing more is checked."""
    await asyncio.sleep(health_delay(server.config.fault))
    return {"status": "ok", "timestamp": now_iso(), "version": VERSION}


async def ready(server: Server, _call: Call) -> Answer:
    """503 unless DATA_DIR can be written right now."""
    await asyncio.sleep(health_delay(server.config.fault))
    data_dir = await asyncio.to_thread(_probe_data_dir, server.config)
    is_ready = data_dir["writable"] and server.config.fault != NEVER_READY
    answer = {
        "status": "ready" if is_ready else "not_ready",
        "timestamp": now_iso(),
        "version": VERSION,
        "checks": {
            "apiKey": {"configured": True, "source": server.config.api_key_source},
            "dataDir": data_dir,
        },
    }
    return Json(answer, 200 if is_ready else 503)


async def quick(server: Server, _call: Call) -> Answer:
    """Uptime in seconds."""
    return {"status": "ok", "uptime": server.uptime(), "version": VERSION}


async def detailed(server: Server, _call: Call) -> Answer:
    """Answer the process: memory in bytes, directories, platform."""
    resident = resident_bytes()
    heap = {"heapTotal": resident, "heapUsed": resident, "external": 0, "arrayBuffers": 0}
    return {
        "status": "ok",
        "timestamp": now_iso(),
        "version": VERSION,
        "uptime": server.uptime(),
        "memory": {"rss": resident, **heap},
        "dataDir": str(server.config.data_dir),
        "auth": {"enabled": True, "method": "api_key_or_session"},
        "env": {
            "nodeVersion": f"python-{platform.python_version()}",
            "platform": sys.platform,
            "arch": os.uname().machine,
        },
        "sync": NO_SYNC,
    }


async def standard(server: Server, _call: Call) -> Answer:
    """Answer the board of AUTOMAKER_PROJECT_PATH in figures; 503 when it cannot be read."""
    began = time.monotonic()
    try:
        features = await asyncio.to_thread(server.store.all_of, server.config.project_path)
    except OSError as error:
        return _unwell(server, "degraded", str(error))
    headers = {"X-Response-Time": f"{_since(began)}ms"}
    return Json(_summary(server, features), headers=headers)


async def deep(server: Server, _call: Call) -> Answer:
    """Answer the board in full and every running feature of every project.

    503 when the board cannot be read or takes more than ten seconds.
    """
    began = time.monotonic()
    reading = asyncio.to_thread(server.store.all_of, server.config.project_path)
    try:
        features = await asyncio.wait_for(reading, DEEP_TIMEOUT_S)
    except TimeoutError:
        spent = {"responseTime": _since(began), "timedOut": True}
        return _unwell(server, "unhealthy", "Health check timed out", performance=spent)
    except OSError as error:
        return _unwell(server, "unhealthy", str(error))
    answer = _summary(server, features)
    shown = ("id", "title", "status", "branchName")
    answer["board"]["features"] = [
        {key: feature[key] for key in shown if key in feature} for feature in features
    ]
    answer["agents"]["sessions"] = []
    answer["autoMode"]["queue"] = [
        {"featureId": lease.feature_id, "title": lease.feature.get("title")}
        for lease in server.auto_mode.leases.all()
    ]
    spent_ms = _since(began)
    if spent_ms > DEGRADED_AFTER_MS:
        answer["status"] = "degraded"
    return {**answer, "performance": {"responseTime": spent_ms, "timedOut": False}}


async def environment(server: Server, _call: Call) -> Answer:
    """Whether the server was told that it runs in a container."""
    return {"isContainerized": server.config.containerized, "skipSandboxWarning": False}


async def log_path(server: Server, _call: Call) -> Answer:
    """Where the real server logs to; this one logs to its standard error only."""
    return {"logPath": str(server.config.data_dir / "server.log")}


async def prometheus(server: Server, _call: Call) -> Answer:
    """Answer a few figures in Prometheus' text format."""
    leases = len(server.auto_mode.leases.all())
    figures = {
        "active_agents_count": ("gauge", leases),
        "auto_mode_loops_count": ("gauge", len(server.auto_mode.loops)),
        "process_resident_memory_bytes": ("gauge", resident_bytes()),
        "process_uptime_seconds": ("counter", round(server.uptime(), 3)),
    }
    lines = [f"# TYPE {name} {kind}\n{name} {value}\n" for name, (kind, value) in figures.items()]
    return PlainTextResponse("".join(lines), media_type="text/plain; version=0.0.4")


def resident_bytes() -> int:
    """Answer the server process's resident memory, without its agents."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * PAGE


def _probe_data_dir(config: Config) -> dict[str, Any]:
    path = str(config.data_dir)
    try:
        (config.data_dir / ".readiness-check").write_text(now_iso(), encoding="ascii")
    except OSError as error:
        accessible = os.access(path, os.R_OK)
        return {"accessible": accessible, "writable": False, "path": path, "error": str(error)}
    return {"accessible": True, "writable": True, "path": path}


def _summary(server: Server, features: list[Feature]) -> dict[str, Any]:
    # "autoMode" counts running agents, not a queue: the names are the API's.
    running = len(server.auto_mode.leases.all())
    return {
        "status": "ok",
        "uptime": server.uptime(),
        "version": VERSION,
        "board": {
            "totalFeatures": len(features),
            "byStatus": dict(Counter(feature["status"] for feature in features)),
        },
        "agents": {"running": 0, "total": 0},
        "autoMode": {"enabled": running > 0, "queueLength": running},
    }


def _unwell(server: Server, status: str, error: str, **details: Any) -> Response:
    answer = {"status": status, "error": error, "uptime": server.uptime(), "version": VERSION}
    return Json({**answer, **details}, 503)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


ROUTES: Routes = {
    ("GET", "/api/health"): Endpoint(live, public=True),
    ("GET", "/api/health/ready"): Endpoint(ready, public=True),
    ("GET", "/api/health/quick"): Endpoint(quick),
    ("GET", "/api/health/detailed"): Endpoint(detailed),
    ("GET", "/api/health/standard"): Endpoint(standard),
    ("GET", "/api/health/deep"): Endpoint(deep),
    ("GET", "/api/health/environment"): Endpoint(environment, public=True),
    ("GET", "/api/health/log-path"): Endpoint(log_path, public=True),
    ("GET", "/api/metrics/prometheus"): Endpoint(prometheus, public=True),
}
