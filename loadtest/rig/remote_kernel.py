"""The kernel of another machine, asked through a small container beside the target."""

from __future__ import annotations

import contextlib
import io
import json
import math
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from loadtest.rig.engine import ENGINE_ERRORS
from loadtest.rig.errors import RigError
from loadtest.rig.kernel import HeldAt, Look
from loadtest.rig.sampler import CGROUPS, SENT, read_held, read_look
from settings.docker_host import child_environment

PACKAGE = Path(__file__).parent.parent
_INSIDE = "/opt/sampler"
_MEMORY = 64 * 2**20
_START_S = 30.0
_END_S = 10.0
# A probe that saw nothing for a second has failed by the settings; a bit more tells it is over.
_SILENT_S = 3.0
# One line tells of all agents: whoever asks for the next one need not wait for another line.
_FRESH_S = 0.15


class RemoteKernel:
    """What a sampler's lines say; a `Kernel`.

    The two machines' clocks need not agree: the line that was under way for the shortest time
    tells the difference, so times are late by no more than that.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._news = threading.Condition()
        self._look: Look | None = None
        self._fresh = False
        self._held: dict[int, HeldAt] = {}
        self._held_s = -math.inf
        self._host_oom_kills = 0
        self._later_s: float | None = None
        self._over = False
        self._error = ""
        self.at_end = contextlib.ExitStack()
        """What is to be done when nobody asks any more."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_ready(self, budget_s: float) -> None:
        """Wait for the first look. Raises RigError with the reason when there will be none."""
        with self._news:
            self._news.wait_for(lambda: self._look or self._over, budget_s)
            if self._look is None:
                what = self._error or ("it ended" if self._over else "it says nothing")
                raise RigError(f"the sampler beside the target cannot be used: {what}")

    def look(self) -> Look:
        """The newest look, not yet returned; waits for it. Raises OSError when none comes."""
        with self._news:
            self._news.wait_for(lambda: self._fresh or self._over, _SILENT_S)
            if not self._fresh or self._look is None:
                raise OSError("the sampler's lines have ended")
            self._fresh = False
            return self._look

    def held(self, pid: int) -> HeldAt:
        """Memory of a process as it was read just now, or will be in a moment.

        What agents hold at the end of a trial counts most, so an older figure will not do. Raises
        OSError for a process of which it was never read.
        """
        with self._news:
            self._news.wait_for(lambda: self._over or self._held_age() < _FRESH_S, _SILENT_S)
            if pid not in self._held:
                raise OSError(f"memory of process {pid} is not known")
            return self._held[pid]

    def _held_age(self) -> float:
        return time.monotonic() - self._held_s

    def host_oom_kills(self) -> int:
        """Processes killed on that machine, by the last line."""
        with self._news:
            return self._host_oom_kills

    def close(self) -> None:
        """End what sends the lines."""
        self.at_end.close()
        self._thread.join(_END_S)
        if isinstance(self._lines, io.IOBase):
            self._lines.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for text in self._lines:
                self._take(text)
        with self._news:
            self._over = True
            self._news.notify_all()

    def _take(self, text: bytes) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict):  # the docker command's own words
            line = {"error": text.decode(errors="replace").strip()}
        with self._news, contextlib.suppress(KeyError, TypeError, ValueError):
            if "held" in line:
                self._held.update(read_held(line, self._later_s or 0.0))
                self._held_s = time.monotonic()
            self._error = line.get("error", self._error)
            self._host_oom_kills = line.get("host_oom_kills", self._host_oom_kills)
            if "at" in line:
                later = time.time() - line["at"]
                self._later_s = later if self._later_s is None else min(later, self._later_s)
                self._look, self._fresh = read_look(line, self._later_s), True
            self._news.notify_all()


def open_remote_kernel(
    client: docker.DockerClient,
    engine: str,
    image: str,
    pid: int,
    hz: float,
    labels: Mapping[str, str],
) -> RemoteKernel:
    """The kernel of the machine of an engine, for the container whose first process is `pid`.

    `engine` is the address that `client` talks to; `image` has a python3. What watches is charged
    to a container of its own, which ends when this process does, since its input ends then.
    Raises RigError where it cannot be used.
    """
    with contextlib.ExitStack() as started:
        container = _create(client, image, pid, hz, labels)
        started.callback(_remove, container)
        container.put_archive("/opt", _package())
        attached = subprocess.Popen(
            ["docker", "start", "--attach", "--interactive", str(container.id)],
            env=child_environment({"DOCKER_HOST": engine}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is ours to act on
        )
        started.callback(_end, attached)
        kernel = RemoteKernel(attached.stdout or ())
        kernel.at_end = started.pop_all()
    try:
        kernel.wait_ready(_START_S)
    except BaseException:
        kernel.close()
        raise
    return kernel


def _create(
    client: docker.DockerClient, image: str, pid: int, hz: float, labels: Mapping[str, str]
) -> Container:
    settings: dict[str, Any] = {
        "entrypoint": ["python3", "-m", "loadtest.rig.sampler", str(pid), str(hz)],
        "environment": {"PYTHONPATH": _INSIDE, "PYTHONUNBUFFERED": "1"},
        "labels": dict(labels),
        # Processes and cgroups as the host sees them; memory of any process takes ptrace's right.
        "user": "0",
        "pid_mode": "host",
        "cgroupns": "host",
        "volumes": {"/sys/fs/cgroup": {"bind": CGROUPS, "mode": "ro"}},
        "cap_drop": ["ALL"],
        "cap_add": ["SYS_PTRACE", "DAC_READ_SEARCH"],
        "security_opt": ["apparmor=unconfined"],
        "network_mode": "none",
        "mem_limit": _MEMORY,
        "stdin_open": True,
        "auto_remove": True,
    }
    return client.containers.create(image, **settings)


def _package() -> bytes:
    """The modules that the sampler needs, as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in SENT:
            archive.add(PACKAGE / name, f"{_INSIDE.removeprefix('/opt/')}/loadtest/{name}")
    return buffer.getvalue()


def _remove(container: Container) -> None:
    # It removes itself when it ends; with an engine that is gone, the lines end too.
    with contextlib.suppress(*ENGINE_ERRORS):
        container.remove(force=True, v=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command that is attached: with its input, the sampler ends, and with that the rest.

    By force where the engine does not answer any more.
    """
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(_END_S / 5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
