"""A fleet of two engines: the machine's own, and that of a host of its own behind ssh.

The second one's network is another, so that its target is reached through a tunnel only, and its
processes are watched from beside it, as on a machine far away.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import jsonschema
import psutil
import pytest
from rich.console import Console

from loadtest.campaign import Request
from loadtest.fleet.run import run_fleet
from loadtest.fleet.summary import SCHEMA_FILE, FleetSummary
from loadtest.outcome import read
from loadtest.rig.labels import RUN
from loadtest.summary import Summary
from tests.docker import ssh_stand_in
from tests.docker.conftest import SCALE
from tests.docker.own_host import NAMESPACES, OwnHost, missing

HERE, FAR = "unix:///var/run/docker.sock", "ssh://operator@far:2222"


@pytest.fixture(scope="module")
def far(image: str) -> Iterator[OwnHost]:
    """A host whose engine one of the tests ends."""
    if problem := missing():
        pytest.skip(problem)
    with OwnHost.start() as host:
        host.load(image)
        yield host


@pytest.fixture
def ssh_log(far: OwnHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in for ssh comes first in PATH; its calls are in the file returned."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))  # locks of others stay theirs
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return ssh_stand_in.install(tmp_path / "bin", far.socket, NAMESPACES / far.name)


def measure(out: Path, *hosts: str, runs: int = 1) -> tuple[int, FleetSummary, str]:
    """Exit code, summary and what was printed of a ramp of medium agents."""
    file = io.StringIO()
    request = Request(scale=SCALE, workloads=("medium",), runs=runs, out=out)
    code = run_fleet(request, hosts, Console(file=file, width=120))
    [path] = out.glob("*/summary-fleet.json")
    jsonschema.validate(json.loads(path.read_text("utf-8")), json.loads(SCHEMA_FILE.read_text()))
    return code, FleetSummary.read(path), file.getvalue()


def assert_nothing_is_left(summary: FleetSummary, *engines: str) -> None:
    """No container on the engines that answer, no process and no socket here."""
    for engine in engines:
        client = docker.DockerClient(base_url=engine)
        ours = client.containers.list(all=True, filters={"label": f"{RUN}={summary.run_id}"})
        assert ours == []
        client.close()
    names = {"ssh", "docker", "locust"}
    left = [p for p in psutil.Process().children(recursive=True) if names & set(words_of(p))]
    assert left == []
    assert list(Path("/tmp").glob(f"automaker-staging-ssh-{os.getpid()}@*")) == []


def words_of(process: psutil.Process) -> list[str]:
    try:
        return [Path(word).name for word in process.cmdline()]
    except psutil.NoSuchProcess:
        return []


def agents_run_at(host: OwnHost) -> bool:
    """Whether two agents of a target there are at work."""
    ids = host.docker("ps", "--quiet", "--filter", f"label={RUN}").split()
    with contextlib.suppress(subprocess.CalledProcessError):  # one that has just ended
        return any(host.docker("top", one, "-o", "pid,comm").count("agent:") > 1 for one in ids)
    return False


def when(condition: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """Do something as soon as a condition holds."""

    def watch() -> None:
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.2)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_both_hosts_find_the_boundary_and_the_fleet_their_sum(
    far: OwnHost, ssh_log: Path, tmp_path: Path
) -> None:
    code, summary, text = measure(tmp_path / "reports", HERE, FAR)
    assert code == 0, text
    found = [
        (h.name, h.state, [(b.holds, b.fails_at) for b in h.boundaries]) for h in summary.hosts
    ]
    assert found == [(HERE, "measured", [(12, 13)]), (FAR, "measured", [(12, 13)])]
    assert [(total.held, total.missing) for total in summary.totals] == [(24, ())]
    assert summary.agents_started == 26, "counted by the master, of both workers"
    for host in summary.hosts:
        folder = tmp_path / "reports" / summary.run_id / host.folder
        own = Summary.read(folder / "summary.json")
        assert own.exit_code == 0
        assert (folder / "report.html").exists()
        [outcome] = read(folder / "trials.jsonl")
        held = [one.private_bytes for one in outcome.agents if one.end == "held"]
        assert all(held), "memory of every agent was seen from outside, there too"
        assert outcome.sampling.hz >= 10
    assert "the fleet held 24 agents at once, on 2 of 2 hosts" in text
    calls = ssh_log.read_text("utf-8")
    assert "-p 2222" in calls
    assert "operator@far docker system dial-stdio" in calls
    assert calls.count("-L ") == 1, "one tunnel a target"
    assert_nothing_is_left(summary, HERE, far.socket)


def test_a_host_that_is_never_reached_does_not_stop_the_other(
    ssh_log: Path, tmp_path: Path
) -> None:
    nowhere = f"unix://{tmp_path}/nothing.sock"
    code, summary, text = measure(tmp_path / "reports", nowhere, HERE)
    assert code == 3, text
    assert [host.state for host in summary.hosts] == ["unusable", "measured"]
    assert [total.held for total in summary.totals] == [12]
    assert not ssh_log.exists()


def test_a_host_that_is_lost_amid_the_ramp_is_inconclusive_and_the_other_goes_on(
    far: OwnHost, ssh_log: Path, tmp_path: Path
) -> None:
    loss = when(lambda: agents_run_at(far), far.kill_engine)
    try:
        code, summary, text = measure(tmp_path / "reports", HERE, FAR, runs=2)
    finally:
        loss.join()
    assert code == 3, text
    here, there = summary.hosts
    assert (here.state, here.exit_code, here.trials) == ("measured", 0, 2)
    assert [(b.holds, b.fails_at, b.runs) for b in here.boundaries] == [(12, 13, 2)]
    assert (there.state, there.exit_code) == ("lost", 3)
    gating = [claim for claim in there.claims if claim.gating]
    assert {claim.verdict for claim in gating} == {"inconclusive"}
    assert all(claim.reason.startswith("host lost: ") for claim in gating)
    [outcome] = read(tmp_path / "reports" / summary.run_id / there.folder / "trials.jsonl")
    assert not outcome.valid
    assert outcome.reason.startswith("host lost: ")
    assert outcome.failed_at is None
    [total] = summary.totals
    assert (total.held, total.hosts, total.missing) == (12, (HERE,), (FAR,))
    assert f"not counted: {FAR}" in text
    assert_nothing_is_left(summary, HERE)
