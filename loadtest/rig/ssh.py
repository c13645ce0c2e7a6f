"""Engines and targets of other machines, through ssh: as sockets and ports of this one."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from loadtest.rig.errors import RigError
from settings.docker_host import child_environment
from settings.owner import Owner

_ADDRESS = re.compile(r"ssh://(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:]+)(?::(?P<port>\d+))?/?")
# A question that nobody answers must not hold up a run; a connection that is dead must end.
_OPTIONS = ("BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3")
_PREFIX = "automaker-staging-ssh-"
_LONGEST = 30
_TUNNEL_S = 15.0
_END_S = 5.0


def ssh_argv(address: str, *options: str) -> list[str]:
    """The ssh command for `ssh://[user@]host[:port]`, up to the host. Raises RigError."""
    found = _ADDRESS.fullmatch(address)
    if not found or found["host"].startswith("-") or (found["user"] or "").startswith("-"):
        raise RigError(f"{address}: not an address such as ssh://user@host or ssh://host:22")
    argv = ["ssh", "-T"]
    for option in _OPTIONS:
        argv += ["-o", option]
    if found["port"]:
        argv += ["-p", found["port"]]
    target = f"{found['user']}@{found['host']}" if found["user"] else found["host"]
    return [*argv, *options, "--", target]


class Dialer:
    """A unix socket here behind which the engine of another machine answers.

    Each connection is an ssh of its own that carries the engine's API, as the docker command does
    it; ssh reads and writes the connection itself, so it ends with it.
    """

    def __init__(self, address: str) -> None:
        self._argv = [*ssh_argv(address), "docker", "system", "dial-stdio"]
        _sweep()
        prefix = f"{_PREFIX}{Owner.this_process()}-"
        self._folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_place()))
        self._errors = (self._folder / "ssh.log").open("ab")
        self._listener = socket.socket(socket.AF_UNIX)
        self._children: list[subprocess.Popen[bytes]] = []
        path = self._folder / "engine.sock"
        self._listener.bind(str(path))
        self._listener.listen(16)
        self.url = f"unix://{path}"
        """The engine's address for a client."""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def problem(self) -> str:
        """What ssh last complained of; empty where it did not."""
        lines = (self._folder / "ssh.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        """End all connections and take the socket away."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()
        self._thread.join(_END_S)
        for child in self._children:
            _end(child)
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._children = [child for child in self._children if child.poll() is None]
            # Our own copy is closed at once: the client sees the end when ssh ends.
            with connection, contextlib.suppress(OSError):
                self._children.append(
                    subprocess.Popen(
                        self._argv,
                        env=child_environment(),
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=self._errors,
                        start_new_session=True,  # a Ctrl-C is ours to act on
                    )
                )


@contextlib.contextmanager
def tunnel(address: str, port: int) -> Iterator[int]:
    """A port here that leads to a port of 127.0.0.1 on another machine.

    Raises RigError with what ssh says when there is none.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        here = int(free.getsockname()[1])
    # Not through a shared connection: that would keep the port when this ssh has ended.
    argv = ssh_argv(
        address, "-o", "ExitOnForwardFailure=yes", "-o", "ControlPath=none",
        "-L", f"127.0.0.1:{here}:127.0.0.1:{port}",
    )  # fmt: skip
    with tempfile.TemporaryFile() as errors:
        # `cat` instead of -N: it ends with its input, so the tunnel ends however we do.
        process = subprocess.Popen(
            [*argv, "cat"],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            if not _listens(here, process):
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip() or "it says nothing"
                problem = RigError(f"no tunnel to {address}: {said}")
                problem.add_note(f"try it: ssh -o BatchMode=yes {argv[-1]} true")
                raise problem
            yield here
        finally:
            _end(process)


def _place() -> Path:
    """Where sockets lie: their paths may have about 100 characters, and ours takes half of them."""
    folder = tempfile.gettempdir()
    return Path(folder if len(folder) <= _LONGEST else "/tmp")  # noqa: S108 - mkdtemp makes it ours


def _sweep() -> None:
    """Remove the folders of processes that were killed."""
    for folder in _place().glob(f"{_PREFIX}*"):
        owner = Owner.parse(folder.name.removeprefix(_PREFIX).partition("-")[0])
        if owner is not None and not owner.is_alive():
            shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether something listens on a port before the process ends, or takes too long."""
    end = time.monotonic() + _TUNNEL_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.02)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
