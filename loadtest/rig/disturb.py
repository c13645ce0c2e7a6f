"""The container of a scenario, disturbed for real: processes killed, files laid in, logs read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from loadtest.rig.agent_processes import agents_among, owner_of, pid_inside
from loadtest.rig.errors import RigError
from loadtest.rig.kernel import read_process
from loadtest.rig.target import Target
from loadtest.scenarios.control import ContainerState, Docs, LogFile, Signal
from loadtest.scenarios.model import Setup
from loadtest.scenarios.world import World

_UID = 1001  # the server's user in the image
_HEAP = "console.log(require('v8').getHeapStatistics().heap_size_limit)"
_STOP_S = 20
_LINE = 8000


class Disturber:
    """A running target, as the protocol `Control` has it."""

    def __init__(
        self,
        target: Target,
        client: docker.DockerClient,
        another: Callable[[Setup], AbstractContextManager[World]],
        docs: Callable[[], AbstractContextManager[Docs]],
        swap: Callable[[int], AbstractContextManager[bool]],
    ) -> None:
        self._target = target
        self._client = client
        self.another = another
        self.docs = docs
        self.swap = swap

    def agents(self) -> list[str] | None:
        """The feature of every agent process, by the kernel."""
        found = self._agents()
        return None if found is None else list(found.values())

    def kill_agent(self, feature_id: str) -> bool:
        """End an agent with SIGKILL; one whose feature cannot be seen is the only one there is."""
        found = self._agents() or {}
        named = [pid for pid, feature in found.items() if feature == feature_id]
        if not named and set(found.values()) == {""} and len(found) == 1:
            named = list(found)
        return bool(named) and self._signal(named[0], "KILL")

    def end_server(self, signal: Signal) -> bool:
        """Signal the server's own process from inside, as a crash does: the engine did not ask."""
        self._target.refresh()
        pid = self._server_pid()
        return pid is not None and self._signal(pid, signal)

    def oom_kills(self) -> int:
        """Processes of the container that the kernel killed for want of memory."""
        cgroup = self._target.cgroup()
        try:
            return cgroup.read().oom_kills
        finally:
            cgroup.close()

    def restart(self) -> None:
        """Stop the container in order and start it again."""
        self._container().restart(timeout=_STOP_S)
        self._target.refresh()

    def state(self) -> ContainerState:
        """The container now."""
        found = self._target.inspect()
        status, host = found["State"], found["HostConfig"]
        policy = host["RestartPolicy"]
        retries = f":{policy['MaximumRetryCount']}" if policy["MaximumRetryCount"] else ""
        return ContainerState(
            running=status["Running"] and not status["Restarting"],
            status=status["Status"],
            exit_code=status["ExitCode"],
            restarts=found["RestartCount"],
            started_at=status["StartedAt"],
            memory=host["Memory"],
            memswap=host["MemorySwap"],
            restart_policy=f"{policy['Name']}{retries}",
        )

    def write(self, path: str, text: str) -> None:
        """Put a file into the container, owned by the server's user."""
        where = PurePosixPath(path)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            # Folders that are there keep their owner, which is the same.
            for folder in [*reversed(where.parents)][2:]:
                archive.addfile(_entry(folder, tarfile.DIRTYPE, 0o755))
            entry = _entry(where, tarfile.REGTYPE, 0o644)
            content = text.encode()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        self._container().put_archive("/", buffer.getvalue())

    def exists(self, path: str) -> bool:
        """Whether the container has such a file or folder."""
        try:
            self._container().get_archive(path)
        except NotFound:
            return False
        return True

    def environment(self) -> Mapping[str, str]:
        """The environment of the server's process, as the kernel shows it; empty without one."""
        pid = self._server_pid()
        if pid is None:
            return {}
        code, text = self._run("cat", f"/proc/{pid_inside(pid)}/environ", like=pid)
        pairs = (entry.partition("=") for entry in text.split("\0") if code == 0 and entry)
        return {name: value for name, _, value in pairs}

    def heap_limit(self) -> int | None:
        """V8's heap limit in bytes, by the container's own node; None without one."""
        options = self.environment().get("NODE_OPTIONS", "")
        code, text = self._run("env", f"NODE_OPTIONS={options}", "node", "-e", _HEAP)
        return int(text) if code == 0 else None

    def print_lines(self, total: int) -> None:
        """Write about `total` bytes to where the container's first process prints."""
        line = "x" * _LINE
        command = f"yes {line} | head -c {total} > /proc/1/fd/1"
        self._run("sh", "-c", command, like=self._target.pid)

    def log_files(self) -> list[LogFile] | None:
        """The engine's files of the container's output; None where they cannot be read."""
        path = Path(self._target.inspect()["LogPath"])
        try:
            return [
                LogFile(one.name, one.stat().st_size)
                for one in path.parent.iterdir()
                if one.name.startswith(path.name)
            ]
        except OSError:
            return None

    def _agents(self) -> dict[int, str] | None:
        try:
            cgroup = self._target.cgroup()
        except RigError:
            return None
        try:
            return agents_among(cgroup.pids())
        except OSError:
            return None
        finally:
            cgroup.close()

    def _server_pid(self) -> int | None:
        """The host's number of the server's process: what the init has started, if there is one."""
        try:
            cgroup = self._target.cgroup()
        except RigError:
            return None
        try:
            for pid in cgroup.pids():
                process = read_process(pid)
                if process is not None and process.parent == self._target.pid:
                    return pid
        except OSError:
            return None
        finally:
            cgroup.close()
        return None if self._target.spec.init else self._target.pid

    def _signal(self, pid: int, signal: Signal) -> bool:
        # By the engine, so that it works for whoever may use it, not for root alone.
        inside = pid_inside(pid)
        code, _ = self._run("sh", "-c", f"kill -{signal} {inside}") if inside else (1, "")
        return code == 0

    def _run(self, *argv: str, like: int | None = None) -> tuple[int, str]:
        """Exit code and output of a command inside; 1 where there is no inside.

        As root, which may signal anyone; or `like` the user of a process of this host, since root
        of a container may not look into another user's process.
        """
        user = "0" if like is None else owner_of(like)
        try:
            done: Any = self._container().exec_run(list(argv), user=user)
        except APIError:  # it is down, or between two lives
            return 1, ""
        return int(done.exit_code), done.output.decode(errors="replace")

    def _container(self) -> Container:
        return self._client.containers.get(self._target.id)


class DocsContainer:
    """A docs container, as the protocol `Docs` has it."""

    def __init__(self, container: Container, serves: Callable[[str], bool]) -> None:
        self._container = container
        self._serves = serves

    def answers(self) -> bool:
        """Whether it serves its page now."""
        self._container.reload()
        bindings: Any = self._container.ports.get("80/tcp")
        return bool(bindings) and self._serves(f"http://127.0.0.1:{bindings[0]['HostPort']}")

    def started_at(self) -> str:
        """When it was started last, and how often it was restarted."""
        self._container.reload()
        attrs = self._container.attrs
        return f"{attrs['State']['StartedAt']}, {attrs['RestartCount']} restarts"


def _entry(path: PurePosixPath, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(str(path).lstrip("/"))
    entry.type, entry.mode = kind, mode
    entry.uid = entry.gid = _UID
    return entry
