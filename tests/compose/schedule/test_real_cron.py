"""A real cron calls a real checkout: in a mount namespace, where this machine's own cron is not.

There /etc/cron.d, the crontabs and /run are empty ones of the test. Cron comes from this machine,
or out of Debian's package, which is unpacked and not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compose.schedule.job import host_zone
from tests.compose.schedule.examples import TOP, copy_of_project

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STACK = "cron-test"
FILE = Path(f"/etc/cron.d/{STACK}-staging-capacity")
FOREIGN = "MAILTO=ada\n5 4 * * * true 100\\%\n"
# What the test hides; then a shell in the new namespace becomes cron.
HIDE = """
set -e
mount -t tmpfs tmpfs /etc/cron.d
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/spool
mkdir -p /var/spool/cron/crontabs
# Where load tests of this machine have their lock.
mkdir -p -m 777 /tmp/automaker-staging
mount -t tmpfs tmpfs /tmp/automaker-staging
if [ -e /etc/crontab ]; then mount --bind /dev/null /etc/crontab; fi
exec cron -f
"""
NOX = """#!/bin/sh
echo "arguments: $*"
echo "folder: $(pwd)"
echo "path: $PATH"
echo "Report    reports/x/report.html"
"""
TAB = """
import sys
from compose.deploy.host import Host, Progress
from compose.run import run
from compose.schedule.job import Job
from compose.schedule.cron import Crontab
tab = Crontab(Host(run, Progress(sys.stderr.write)), "a-capacity", "root")
job = Job("a-capacity", "/srv/100%", "03:30", "regression")
getattr(tab, sys.argv[1])(*([job] if sys.argv[1] == "put" else []))
print(tab.there() == (tab.wanted(job) if sys.argv[1] == "put" else {}))
"""


def give_up(problem: str) -> None:
    """End the test: CI must run it, others need not."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must run this test, but {problem}")
    pytest.skip(problem)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with cron and crontab in it."""
    if os.geteuid() != 0:
        give_up("a mount namespace takes root")
    if not Path("/etc/cron.d").is_dir() or not shutil.which("unshare"):
        give_up("there is no /etc/cron.d, or no unshare")
    if shutil.which("cron", path=SYSTEM):
        return SYSTEM
    folder = tmp_path_factory.mktemp("cron")
    done = subprocess.run(
        ["apt-get", "download", "cron"], cwd=folder, capture_output=True, text=True, check=False
    )
    packages = list(folder.glob("cron_*.deb"))
    if not packages:
        give_up(f"there is no cron, and it cannot be fetched: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(folder)], check=True)
    return f"{folder}/usr/sbin:{folder}/usr/bin:{SYSTEM}"


class Place:
    """The namespace with its cron."""

    def __init__(self, pid: int, path: str) -> None:
        self.pid, self.path = pid, path

    def run(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command beside this cron."""
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--mount", f"--wd={TOP}", "--", *argv],
            env={"PATH": self.path, "HOME": "/root"},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def sees(self, path: Path) -> bool:
        """Whether a file is there, in the namespace."""
        return self.run("test", "-e", str(path)).returncode == 0


@pytest.fixture
def place(programs: str) -> Iterator[Place]:
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", HIDE]
    with subprocess.Popen(argv, env={"PATH": programs}, stderr=subprocess.PIPE, text=True) as cron:
        try:
            deadline = time.monotonic() + 10
            while Path(f"/proc/{cron.pid}/comm").read_text(encoding="utf-8").strip() != "cron":
                problem = cron.stderr.read() if cron.poll() is not None and cron.stderr else ""
                assert time.monotonic() < deadline, problem
                time.sleep(0.05)
            # Cron sees a change by the second of a folder's date, and these folders are new.
            time.sleep(1.1)
            yield Place(cron.pid, programs)
        finally:
            cron.terminate()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this project whose nox is quick, under a name that has to be quoted."""
    return copy_of_project(tmp_path / "it's 100% odd", NOX, STACK)


def test_cron_runs_what_was_installed_and_the_run_is_noted(place: Place, checkout: Path) -> None:
    def invoke(*words: str) -> subprocess.CompletedProcess[str]:
        return place.run(f"{checkout}/.venv/bin/invoke", "-r", str(checkout), *words)

    def status() -> dict[str, Any]:
        return dict(json.loads(invoke("schedule.status", "--json").stdout))

    at = datetime.now(host_zone()) + timedelta(seconds=70)  # a minute at least, or the next one
    dry = invoke("schedule.install", "--daily", f"{at:%H:%M}", "--dry-run")
    assert (dry.returncode, place.sees(FILE)) == (0, False), dry.stderr
    done = invoke("schedule.install", "--daily", f"{at:%H:%M}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.sees(FILE)
    assert not FILE.exists(), "this machine's own cron has nothing of it"
    again = invoke("schedule.install", "--daily", f"{at:%H:%M}")
    assert "nothing to change" in again.stdout
    before = status()
    assert (before["kind"], before["problems"], before["last"]) == ("cron job of root", [], None)

    state = checkout / "reports" / "schedule" / "state.json"
    deadline = time.monotonic() + 100
    while not (last := json.loads(state.read_text(encoding="utf-8"))["last"]) or not last["ended"]:
        assert time.monotonic() < deadline, f"cron has not run it: {last}"
        time.sleep(0.2)

    assert (last["code"], last["words"], last["postponed"]) == (0, "confirmed", [])
    assert last["begun"].startswith(f"{at:%Y-%m-%dT%H:%M}:")
    log = Path(last["log"]).read_text(encoding="utf-8").splitlines()
    assert log[0].startswith(
        "arguments: -s loadtest -- --plan regression --baseline history --prom"
    )
    assert log[1] == f"folder: {checkout}"
    assert log[2].startswith(f"path: {SYSTEM}")
    after = status()
    assert (after["problems"], after["missed"], after["running"]) == ([], False, 0)
    assert after["last"]["report"] == "reports/x/report.html"

    gone = invoke("schedule.remove")
    assert gone.stdout.endswith(f"removed {FILE}\n"), gone.stderr
    assert not place.sees(FILE)
    assert invoke("schedule.remove").stdout == "nothing to remove: no run is scheduled\n"


def test_a_real_crontab_takes_our_lines_and_keeps_those_of_others(place: Place) -> None:
    assert place.run("crontab", "-", stdin=FOREIGN).returncode == 0
    put = place.run(sys.executable, "-c", TAB, "put")
    assert put.stdout == "True\n", put.stderr
    assert place.run("crontab", "-l").stdout.startswith(FOREIGN + "# BEGIN a-capacity\n")
    take = place.run(sys.executable, "-c", TAB, "take")
    assert take.stdout == "True\n", take.stderr
    assert place.run("crontab", "-l").stdout == FOREIGN
