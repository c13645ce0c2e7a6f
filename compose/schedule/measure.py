"""One load test as a process of its own, and what its log says of how it went."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compose.errors import ComposeError
from settings.docker_host import child_environment

CONFIRMED, REFUTED, UNUSABLE, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes of a load test."""
# Taking a target down takes seconds, and nox gives it a minute.
ENDING = ((signal.SIGINT, 130.0), (signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))
_WORDS = {CONFIRMED: "confirmed", UNDECIDED: "inconclusive", INTERRUPTED: "interrupted"}
# Nox itself ends with 1 whatever the code of the command was, and says it.
_SAID = re.compile(r"Command python -m loadtest\b.* failed with exit code (-?\d+)")
_REPORT = re.compile(r"^Report\s+(\S+)", re.MULTILINE)
# A row of a table, whose other lines are indented; before it may stand a sign.
_REGRESSED = re.compile(r"^(?:\S )?(regressed\b.*(?:\n {5,}\S.*)*)", re.MULTILINE)
_ERROR = re.compile(r"^(?:nox > )?(?:error: |Session loadtest )(.*)", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Result:
    """How a load test ended, as exit code and in words; what its log says beside that."""

    code: int
    words: str
    regressed: str = ""
    report: str = ""


def loadtest_argv(checkout: Path, plan: str, prometheus: Path) -> list[str]:
    """The command of a scheduled run."""
    nox = str(checkout / ".venv" / "bin" / "nox")
    options = ["--plan", plan, "--baseline", "history", "--prometheus", str(prometheus)]
    return [nox, "-s", "loadtest", "--", *options]


def run_logged(argv: Sequence[str], log: Path, cwd: Path) -> int:
    """Run a command to its end with both its streams in `log`; returns its exit status.

    Ctrl-C and SIGTERM of ours end it as Ctrl-C would, with time to clean up, and are answered by
    130. When this process is killed, the kernel tells nox, which gives the load test a minute.
    Raises ComposeError.
    """
    with log.open("ab") as file:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C is for us, who then decide
                preexec_fn=_PREPARE,  # noqa: PLW1509 - it calls the kernel and nothing else
            )
        except OSError as error:
            raise ComposeError(
                f"{argv[0]}: {error.strerror}", next_step="./bootstrap", exit_code=UNUSABLE
            ) from None
        try:
            return process.wait()
        except KeyboardInterrupt:
            _end(process)
            return INTERRUPTED


def read_result(status: int, log: str) -> Result:
    """Work out how a load test ended from the exit status of nox and from its log. Pure."""
    text = _COLOUR.sub("", log)
    said = _SAID.search(text)
    code = status if status in (CONFIRMED, INTERRUPTED) else int(said[1]) if said else UNUSABLE
    worse = _REGRESSED.search(text)
    regressed = " ".join(worse[1].split()) if worse else ""
    report = _REPORT.search(text)
    where = report[1] if report else ""
    if code == REFUTED:
        return Result(code, "regressed" if regressed else "refuted", regressed, where)
    if code in _WORDS:
        return Result(code, _WORDS[code], regressed, where)
    why = _ERROR.search(text)
    how = f"ended with {code}" if code not in (REFUTED, UNUSABLE) else ""
    words = ": ".join(["cannot run", *[one for one in (how, why[1] if why else "") if one]])
    return Result(UNUSABLE, words, "", where)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it kindly, then less so; another Ctrl-C is for the next way."""
    for number, patience_s in ENDING:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(patience_s)
            return


def _told_of_our_end() -> None:
    # What is started in the background of a shell ignores Ctrl-C, and would go on doing so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


_PREPARE = _told_of_our_end if sys.platform == "linux" else None
