"""A host of its own for a test: a network namespace with a Docker engine inside.

The default ports and container names are free there, the engine can be stopped, killed and
started again, and its disk can be small, while the machine's own engine notices nothing. There
is no way out of the namespace: whatever a test needs is loaded or lies on the disk.
"""

from __future__ import annotations

import contextlib
import json as json_text
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

TOP = Path(__file__).parent.parent.parent
CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = Path("/run/netns")
# Short, since the path of a unix socket may have about 100 characters.
FOLDERS = Path("/tmp")
NAME = re.compile(r"ah-(\d+)-[0-9a-f]{8}")
TOOLS = ("ip", "nsenter", "dockerd", "docker", "mkfs.ext4", "mount", "umount")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What pip needs to reach its index where a proxy or a wheel folder stands in between.
PASSED_ON = re.compile(r"PIP_\w+|SSL_CERT_\w+|\w+_CA_BUNDLE|(https?|no|all)_proxy", re.IGNORECASE)
ENGINE_BUDGET_S = 30.0
REMOVAL_BUDGET_S = 20.0
# Requests are made by a process inside, as sockets belong to the namespace of their process.
REQUEST = """
import json, sys, urllib.error, urllib.request
url, method, headers, body, timeout = json.load(sys.stdin)
request = urllib.request.Request(url, body and body.encode(), headers, method=method)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(request, timeout=timeout)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(str(error))
with answer:
    json.dump([answer.status, answer.read().decode(errors="replace")], sys.stdout)
"""


def _heed_ctrl_c() -> None:
    """Undo what tests inherit that run in the background of a shell: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def missing() -> str | None:
    """What this machine lacks for a host of its own, or None."""
    if os.geteuid() != 0:
        return "a host of its own takes root"
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    lacking = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    return f"a host of its own takes {', '.join(lacking)}" if lacking else None


class OwnHost:
    """One such host; leaving the context removes all of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.top = FOLDERS / name
        self.folder = self.top / "scratch"
        self.socket = f"unix://{self.top}/docker.sock"
        self._disk: Path | None = None
        self._engine: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, disk: int | None = None) -> Self:
        """Make a host whose engine answers; with `disk`, its data has so many bytes and no more."""
        sweep()
        host = cls(f"ah-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            host._prepare(disk)
            host.start_engine()
        except BaseException:
            host.close()
            raise
        return host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the host with everything that runs in it."""
        if self._engine is not None and self._answers():
            with contextlib.suppress(subprocess.SubprocessError):
                if ids := self.docker("ps", "--all", "--quiet").split():
                    self.run(["docker", "rm", "--force", "--volumes", *ids], timeout=60)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop_engine()
        remove(self.name)
        self._reap()

    def environment(self) -> dict[str, str]:
        """The variables a command gets here; nothing of the machine's settings is among them."""
        passed = {key: value for key, value in os.environ.items() if PASSED_ON.fullmatch(key)}
        home = str(self.top / "home")
        return {**passed, "PATH": SYSTEM_PATH, "HOME": home, "DOCKER_HOST": self.socket}

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 300,
        input: str | None = None,
        cwd: Path = TOP,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside; `env` is added to `environment()`."""
        done = subprocess.run(
            self._inside(argv),
            env={**self.environment(), **(env or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            input=input if input is not None else "",
            check=False,
        )
        if check and done.returncode != 0:
            error = subprocess.CalledProcessError(
                done.returncode, list(argv), done.stdout, done.stderr
            )
            error.add_note(done.stdout[-4000:] + done.stderr[-4000:])
            raise error
        return done

    def popen(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = TOP,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Start a command inside, in a session of its own; its pid is that of the command."""
        return subprocess.Popen(
            self._inside(argv),
            env={**self.environment(), **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - nothing here has threads
        )

    def invoke(
        self, *words: str, env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb of this checkout inside."""
        return self.run([sys.executable, "-m", "invoke", *words], env=env, check=check)

    def docker(self, *words: str) -> str:
        """Run a docker command inside; returns what it printed."""
        return self.run(["docker", *words]).stdout

    def load(self, image: str) -> None:
        """Copy an image from the machine's engine."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
            argv = ["docker", "--host", self.socket, "load", "--quiet"]
            subprocess.run(argv, stdin=save.stdout, stdout=subprocess.DEVNULL, check=True)
        if save.returncode != 0:
            raise subprocess.CalledProcessError(save.returncode, save.args)

    def http(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        timeout: float = 10,
    ) -> tuple[int, str]:
        """Status and text of a request made inside; ConnectionError where nothing answers."""
        sent = dict(headers or {})
        body = None
        if json is not None:
            body = json_text.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        done = self.run(
            [sys.executable, "-I", "-c", REQUEST],
            input=json_text.dumps([url, method, sent, body, timeout]),
            check=False,
            timeout=timeout + 10,
        )
        if done.returncode != 0:
            raise ConnectionError(f"{method} {url}: {done.stderr.strip()}")
        status, text = json_text.loads(done.stdout)
        return int(status), str(text)

    def start_engine(self) -> None:
        """Start the engine, and wait until it answers."""
        if self._engine is not None:
            return
        argv = self._inside(["dockerd", "--config-file", str(self.top / "daemon.json")])
        with (self.top / "dockerd.log").open("ab") as log:
            self._engine = subprocess.Popen(
                argv,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for the tests alone
            )
        engine = self._engine
        if not _wait(lambda: engine.poll() is not None or self._answers(), ENGINE_BUDGET_S):
            raise RuntimeError(f"no engine after {ENGINE_BUDGET_S:g} s:\n{self.engine_log()}")
        if engine.poll() is not None:
            self._engine = None
            raise RuntimeError(f"the engine ended, {engine.returncode}:\n{self.engine_log()}")

    def stop_engine(self) -> None:
        """Stop the engine as a service manager would, and its containers with it."""
        if self._engine is not None:
            self._engine.terminate()
            self._engine.wait(ENGINE_BUDGET_S)
            self._engine = None

    def kill_engine(self) -> None:
        """Kill the engine as a crash would; processes of containers may stay."""
        names = {"dockerd", "containerd", "docker-proxy"}
        killed = _kill([pid for pid in _inhabitants(self.name) if _command(pid) in names])
        self._reap()
        # As long as init has not reaped its containerd, a new engine takes it for running.
        if not _wait(lambda: not any(map(_exists, killed)), REMOVAL_BUDGET_S):
            raise RuntimeError(f"still there after SIGKILL: {killed}")

    def engine_log(self) -> str:
        """The end of what the engine wrote."""
        with contextlib.suppress(OSError):
            return (self.top / "dockerd.log").read_text(errors="replace")[-4000:]
        return ""

    def fill_disk(self, leave_bytes: int) -> None:
        """Use up the engine's disk but for `leave_bytes`."""
        self.free_disk()
        disk = self._small_disk()
        free = os.statvfs(disk)
        size = free.f_bavail * free.f_frsize - leave_bytes
        with (disk / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, size)

    def free_disk(self) -> None:
        """Give back what `fill_disk` took."""
        (self._small_disk() / "filler").unlink(missing_ok=True)

    def _small_disk(self) -> Path:
        if self._disk is None:
            raise ValueError("this host has no small disk: OwnHost.start(disk=...)")
        return self._disk

    def _prepare(self, disk: int | None) -> None:
        for folder in (self.top, self.folder, self.top / "home", self.top / "data"):
            folder.mkdir()
        if disk is not None:
            self._disk = self.top / "data"
            volume = self.top / "disk.ext4"
            with volume.open("wb") as file:
                file.truncate(disk)
            _tool("mkfs.ext4", "-q", "-F", "-m", "0", str(volume))
            _tool("mount", "-o", "loop", str(volume), str(self._disk))
        settings = {
            "hosts": [self.socket],
            "data-root": str(self.top / "data" / "docker"),
            "exec-root": str(self.top / "exec"),
            "pidfile": str(self.top / "docker.pid"),
            # All processes of containers are found here, even when the engine knows nothing.
            "cgroup-parent": f"/{self.name}",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
        }
        (self.top / "daemon.json").write_text(json_text.dumps(settings), encoding="utf-8")
        _tool("ip", "netns", "add", self.name)
        _tool(*self._inside(["ip", "link", "set", "lo", "up"]))

    def _inside(self, argv: Sequence[str]) -> list[str]:
        # Not `ip netns exec`: it mounts another /sys, without the cgroups that dockerd needs.
        return ["nsenter", f"--net={NAMESPACES / self.name}", "--", *argv]

    def _answers(self) -> bool:
        argv = ["docker", "version", "--format", "{{.Server.Version}}"]
        try:
            return self.run(argv, check=False, timeout=20).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _reap(self) -> None:
        if self._engine is not None:
            self._engine.wait(REMOVAL_BUDGET_S)
            self._engine = None


def sweep() -> list[str]:
    """Remove hosts whose tests were killed; returns their names."""
    places = [*FOLDERS.glob("ah-*"), *NAMESPACES.glob("ah-*"), *_cgroups("ah-*")]
    names = {path.name for path in places}
    found = [name for name in names if (one := NAME.fullmatch(name)) and not _exists(int(one[1]))]
    for name in sorted(found):
        remove(name)
    return sorted(found)


def remove(name: str) -> None:
    """Remove whatever there is of a host, in whatever state; RuntimeError if something stays."""
    for state in _each(_cgroups(name), "freezer.state"):
        with contextlib.suppress(OSError):
            state.write_text("THAWED", encoding="ascii")  # a frozen process cannot be killed
    _wait(lambda: not _kill(_inhabitants(name)), REMOVAL_BUDGET_S)
    for mount in reversed(_mounts(name)):
        _tool("umount", "--lazy", mount, check=False)
    _wait(lambda: not _loop_devices(name), REMOVAL_BUDGET_S)
    shutil.rmtree(FOLDERS / name, ignore_errors=True)
    for tasks in reversed(list(_each(_cgroups(name), "cgroup.procs"))):
        with contextlib.suppress(OSError):
            tasks.parent.rmdir()
    if (NAMESPACES / name).exists():
        _tool("ip", "netns", "delete", name, check=False)
    if left := remnants(name):
        raise RuntimeError(f"of {name} there is still: {', '.join(left)}")


def remnants(name: str) -> list[str]:
    """Everything that there is of a host: processes, mounts, devices, files."""
    files = [path for path in (FOLDERS / name, NAMESPACES / name) if path.exists()]
    return [
        *(f"process {pid} ({_command(pid)})" for pid in _inhabitants(name)),
        *(f"mount {mount}" for mount in _mounts(name)),
        *(f"device {device}" for device in _loop_devices(name)),
        *(str(path) for path in [*files, *_cgroups(name)]),
    ]


def _inhabitants(name: str) -> list[int]:
    """Processes in the host's network namespace or in one of its containers."""
    found = set()
    with contextlib.suppress(OSError):
        inside = (NAMESPACES / name).stat()
        for entry in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):
                if os.path.samestat(entry.stat(), inside):
                    found.add(int(entry.parts[2]))
    for tasks in _each(_cgroups(name), "cgroup.procs"):
        with contextlib.suppress(OSError):  # v2 answers EOPNOTSUPP for threaded cgroups
            found |= {int(pid) for pid in tasks.read_text(encoding="ascii").split()}
    return sorted(found - {0})


def _cgroups(pattern: str) -> list[Path]:
    """The host's topmost cgroups: one with cgroup v2, one a controller with v1."""
    return [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]


def _each(folders: Iterable[Path], name: str) -> Iterator[Path]:
    """Files of that name in the folders and below, those further up first."""
    for folder in folders:
        yield from sorted(folder.rglob(name), key=lambda path: len(path.parts))


def _mounts(name: str) -> list[str]:
    """What is mounted in the host's folder or is its namespace, oldest first."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    return [one for line in lines if (one := line.split()[1]).startswith(f"{FOLDERS / name}/")]


def _loop_devices(name: str) -> list[str]:
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if backing.read_text(encoding="utf-8").startswith(f"{FOLDERS / name}/"):
                found.append(backing.parts[3])
    return found


def _kill(pids: list[int]) -> list[int]:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return pids


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    return ""


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _wait(condition: Callable[[], Any], budget_s: float) -> bool:
    """Whether the condition comes true within its budget."""
    deadline = time.monotonic() + budget_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def _tool(*argv: str, check: bool = True) -> None:
    done = subprocess.run(
        argv,
        env={"PATH": SYSTEM_PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
