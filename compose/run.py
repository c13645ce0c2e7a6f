"""The door through which commands of the host are run."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from compose.errors import ComposeError
from settings.docker_host import child_environment

SHOWN_LINES = 10
GRACE_S = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Have the kernel end a command with the process that runs it.

    After a `kill -9` of ours nothing may go on unseen: the lock is free then. Only Linux can.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


_PREPARE = _end_with_parent if sys.platform == "linux" else None


@dataclass(frozen=True)
class Completed:
    """What a finished command left behind: both streams as text, and its exit status."""

    stdout: str
    stderr: str
    returncode: int


class Run(Protocol):
    """Anything that runs a command the way `run` does; tests put a recorder here."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        """Run `argv` and return what it left behind."""
        ...


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    check: bool = True,
    stdin: str = "",
) -> Completed:
    """Run `argv` to its end, without a shell, and return its output.

    `env` is added to what this process has; `timeout_s` is in seconds; `stdin` is text.
    Raises ComposeError when the program is missing, overruns its time or, with `check`,
    ends with another status than 0; the message then ends with its last ten lines.
    """
    try:
        with _started(argv, env, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(stdin, timeout=timeout_s)
    except FileNotFoundError as error:
        raise ComposeError(
            f"{argv[0]}: no such program on this host",
            next_step=f"install {argv[0]}, or add its directory to PATH",
        ) from error
    except PermissionError as error:
        raise ComposeError(f"{argv[0]}: may not be executed by this user") from error
    except subprocess.TimeoutExpired as error:
        raise ComposeError(
            f"no end after {timeout_s:g} s: {shlex.join(argv)}", next_step="is the host overloaded?"
        ) from error
    done = Completed(out, err, process.returncode)
    if check and done.returncode != 0:
        raise ComposeError(failure_text(argv, done))
    return done


def stream(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> int:
    """Run `argv` and hand over each line of its two streams as it comes; returns the exit status.

    Raises ComposeError when the program is missing or overruns its time.
    """
    overrun = threading.Event()
    with contextlib.ExitStack() as running:
        started = _started(argv, env, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            process = running.enter_context(started)
        except OSError as error:
            raise ComposeError(f"{argv[0]}: {error.strerror}") from error
        if timeout_s is not None:
            running.enter_context(_ended_after(process, timeout_s, overrun))
        for line in process.stdout or ():
            on_line(line.rstrip("\n"))
    if overrun.is_set():
        raise ComposeError(f"no end after {timeout_s:g} s: {shlex.join(argv)}")
    return process.returncode


@contextlib.contextmanager
def _ended_after(
    process: subprocess.Popen[str], seconds: float, overrun: threading.Event
) -> Iterator[None]:
    """End a command that takes too long, even one that says nothing any more."""

    def end() -> None:
        overrun.set()
        _end(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _started(
    argv: Sequence[str], env: Mapping[str, str] | None, *, stdin: int, stderr: int
) -> Iterator[subprocess.Popen[str]]:
    """Run a command; whatever ends the block early ends all that the command has started.

    It has a process group of its own: a Ctrl-C in the terminal is for the verb, which then
    decides what becomes of its commands. Not a session: a password that sudo remembers is the
    terminal's.
    """
    process = subprocess.Popen(
        list(argv),
        env=child_environment(env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        process_group=0,
        preexec_fn=_PREPARE,  # noqa: PLW1509 - it calls the kernel and nothing else
    )
    with process:
        try:
            yield process
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[str]) -> None:
    """End a command and what it has started: first the way Ctrl-C would, for apt and Compose.

    Then for good, since what it has started in the background need not heed that.
    """
    for number in (signal.SIGINT, signal.SIGKILL):
        # One that is root's, through sudo, may not be signalled; it gets its time.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)


def failure_text(argv: Sequence[str], done: Completed) -> str:
    """Give the command, its exit status and the last ten lines it wrote, standard error last."""
    written = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    head = f"exit status {done.returncode}: {shlex.join(argv)}"
    return "\n    ".join([head, *written[-SHOWN_LINES:]])
