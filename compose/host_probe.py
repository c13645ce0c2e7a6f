"""Looks at this host and says what is there; changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from compose.errors import ComposeError
from compose.host_packages import DOCKER_REPOSITORY
from compose.provision import LOCAL_ENDPOINTS, HostState
from compose.run import Run
from settings.docker_host import SYSTEM_PATH, docker_host

ANSWER_BUDGET_S = 20.0
REPOSITORY_BUDGET_S = 5.0
SOCKET = Path("/var/run/docker.sock")
# A whole process, since only that can be held to a deadline that counts the name lookup too.
FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"


def probe(run: Run) -> HostState:
    """Find out what this host has. Docker's repository is asked only when something is missing."""
    release = _os_release()
    state = HostState(
        system=platform.system().lower(),
        distribution=release.get("ID", ""),
        release=release.get("VERSION_ID", ""),
        codename=release.get("VERSION_CODENAME", ""),
        root=os.geteuid() == 0,
        sudo=_succeeds(run, ["sudo", "-n", "true"]),
        systemd=Path("/run/systemd/system").is_dir(),
        endpoint=endpoint(run),
        engine_version=_says(run, ["docker", "version", "--format", "{{.Server.Version}}"]),
        compose_version=_compose_2(_says(run, ["docker", "compose", "version", "--short"])),
        buildx_version=_second_word(_says(run, ["docker", "buildx", "version"])),
        engine_installed=_which("dockerd"),
        engine_package=_engine_package(run),
        socket_denied=SOCKET.exists() and not os.access(SOCKET, os.R_OK | os.W_OK),
    )
    return replace(state, docker_repository=bool(state.missing()) and _repository_answers(run))


def endpoint(run: Run) -> str:
    """Return the engine's address: DOCKER_HOST, else the client's context, else the usual socket.

    It is read, not tried: nothing need answer there.
    """
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    return docker_host() or _says(run, asked) or LOCAL_ENDPOINTS[0]


def _attempt(run: Run, argv: Sequence[str], budget_s: float) -> str | None:
    """Return what a command prints; None when it is missing, fails or hangs."""
    try:
        done = run(argv, check=False, timeout_s=budget_s)
    except ComposeError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _says(run: Run, argv: Sequence[str]) -> str | None:
    return _attempt(run, argv, ANSWER_BUDGET_S) or None


def _succeeds(run: Run, argv: Sequence[str], budget_s: float = ANSWER_BUDGET_S) -> bool:
    return _attempt(run, argv, budget_s) is not None


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _compose_2(version: str | None) -> str | None:
    """`version` where it is 2 or later, without a leading v."""
    number = (version or "").removeprefix("v")
    major = number.split(".")[0]
    return number if major.isdigit() and int(major) >= 2 else None


def _second_word(line: str | None) -> str | None:
    """Pick the version out of `github.com/docker/buildx v0.13.1 ...`."""
    words = (line or "").split()
    return words[1].removeprefix("v") if len(words) > 1 else None


def _which(program: str) -> bool:
    return any(shutil.which(program, path=path) for path in (None, SYSTEM_PATH))


def _engine_package(run: Run) -> str | None:
    for package in ("docker-ce", "docker.io"):
        if _says(run, ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]) == "installed":
            return package
    return None


def _repository_answers(run: Run) -> bool:
    argv = [sys.executable, "-c", FETCH, DOCKER_REPOSITORY]
    return _succeeds(run, argv, REPOSITORY_BUDGET_S)
