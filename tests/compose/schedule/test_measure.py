"""The load test as a process: how it ends, how it is ended, and what its log says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compose.errors import ComposeError
from compose.schedule.measure import Result, loadtest_argv, read_result, run_logged

TOP = Path(__file__).parent.parent.parent.parent
FAILED = "nox > Command python -m loadtest --plan regression failed with exit code {}\n"
PAGE = "reports/20261124T023006Z-1/report.html"
REPORT = f"Report    {PAGE}\n"
REGRESSED = "regressed  agent-memory:small  2.00 GB -> 2.40 GB, +20 %\n"
# Ends as a load test does: kindly, after a moment, and says so.
KIND = """
import signal, sys, time
print("began", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.2)
    print("cleaned up", flush=True)
    sys.exit(130)
"""
OURS = """
import sys
from pathlib import Path
from compose.schedule.measure import run_logged
print(run_logged([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), Path("/")), flush=True)
"""


def test_the_command_compares_with_the_runs_before_and_leaves_metrics() -> None:
    argv = loadtest_argv(Path("/srv/a"), "quick", Path("/var/lib/x.prom"))
    assert " ".join(argv) == (
        "/srv/a/.venv/bin/nox -s loadtest -- --plan quick --baseline history "
        "--prometheus /var/lib/x.prom"
    )


@pytest.mark.parametrize(
    ("status", "log", "result", "why"),
    [
        (0, REPORT, Result(0, "confirmed", "", PAGE), "all well"),
        (1, REPORT + FAILED.format(1),
         Result(1, "refuted", "", PAGE), "a claim"),
        (1, REGRESSED + "regressed  boundary\n" + FAILED.format(1),
         Result(1, "regressed", "regressed agent-memory:small 2.00 GB -> 2.40 GB, +20 %"),
         "the first of them"),
        (1, "✗ regressed  base-memory\n             60 MB -> 90 MB, for\n             sure\n"
         "✓ unchanged  boundary:medium\n             12 agents\n" + FAILED.format(1),
         Result(1, "regressed", "regressed base-memory 60 MB -> 90 MB, for sure"), "as a table"),
        (1, FAILED.format(3), Result(3, "inconclusive"), "nox ends with 1 whatever it was"),
        (1, "error: no such plan\n" + FAILED.format(2), Result(2, "cannot run: no such plan"), "2"),
        (1, "nox > Session loadtest failed: no Docker engine: see above\n",
         Result(2, "cannot run: failed: no Docker engine: see above"), "it was never started"),
        (1, FAILED.format(-9), Result(2, "cannot run: ended with -9"), "killed"),
        (130, "interrupted\n", Result(130, "interrupted"), "Ctrl-C"),
        (1, "\x1b[31mnox > \x1b[0m" + FAILED.format(3), Result(3, "inconclusive"), "in colour"),
        (2, "", Result(2, "cannot run"), "nox itself"),
        (-9, "", Result(2, "cannot run"), "nox killed"),
    ],
)  # fmt: skip
def test_the_end_is_read_from_status_and_log(
    status: int, log: str, result: Result, why: str
) -> None:
    assert read_result(status, log) == result, why


def test_both_streams_go_to_the_log_and_the_status_is_returned(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    script = "import os, sys; print(os.getcwd(), flush=True); sys.exit('to the other stream')"
    assert run_logged([sys.executable, "-c", script], log, tmp_path) == 1
    assert log.read_text(encoding="utf-8").splitlines() == [str(tmp_path), "to the other stream"]


def test_a_command_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="No such file") as caught:
        run_logged([str(tmp_path / "nox")], tmp_path / "a.log", tmp_path)
    assert (caught.value.exit_code, caught.value.__notes__) == (2, ["./bootstrap"])


def begun(log: Path, *, quiet: bool = False) -> subprocess.Popen[str]:
    """Our process with one that it runs, once that has begun."""
    argv = [sys.executable, "-c", OURS, KIND, str(log)]
    # As in the background of a shell, where Ctrl-C is ignored.
    ignoring = (lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if quiet else None
    process = subprocess.Popen(
        argv,
        cwd=TOP,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=ignoring,  # noqa: PLW1509 - nothing here has threads
    )
    wait_for(log, "began")
    return process


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while not log.exists() or text not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, f"no {text!r} in time"
        time.sleep(0.02)


def test_an_interrupt_of_ours_lets_it_clean_up(tmp_path: Path) -> None:
    with begun(tmp_path / "a.log") as process:
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "130\n"
    assert "cleaned up" in (tmp_path / "a.log").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it")
@pytest.mark.parametrize("quiet", [False, True], ids=["as usual", "in the background"])
def test_it_cleans_up_also_when_we_are_killed(tmp_path: Path, quiet: bool) -> None:
    with begun(tmp_path / "a.log", quiet=quiet) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    wait_for(tmp_path / "a.log", "cleaned up")
