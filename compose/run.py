"""The door through which commands of the host are run."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from compose.errors import ComposeError
from settings.docker_host import child_environment

SHOWN_LINES = 10


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
        process = subprocess.run(
            list(argv),
            env=child_environment(env),
            timeout=timeout_s,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
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
    done = Completed(process.stdout, process.stderr, process.returncode)
    if check and done.returncode != 0:
        raise ComposeError(failure_text(argv, done))
    return done


def failure_text(argv: Sequence[str], done: Completed) -> str:
    """Give the command, its exit status and the last ten lines it wrote, standard error last."""
    written = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    head = f"exit status {done.returncode}: {shlex.join(argv)}"
    return "\n    ".join([head, *written[-SHOWN_LINES:]])
