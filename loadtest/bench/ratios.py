"""The benchmarks, one function each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from compose.run import run
from loadtest.bench.downtime import downtime
from loadtest.bench.full_size import full_size_ramp
from loadtest.bench.measure import NotMeasuredError, Ratio, seconds, side_by_side
from loadtest.bench.regressions import regressions
from loadtest.bench.stage import PROJECT, bare_target, make_rig, post
from loadtest.boundary import predict
from loadtest.outcome import Outcome
from loadtest.rig.engine import connect
from loadtest.rig.kernel import read_process
from loadtest.rig.target import Target
from loadtest.rig.trial import Rig

ROOT = Path(__file__).parent.parent.parent
_AGENTS = 20
_CONTAINERS = 4
_SAMPLES = 2000
_FILL_BYTES = 10**9
_ONE_TASK = "from invoke import task\n\n\n@task\ndef only(c):\n    pass\n"


def agent_starts() -> Ratio:
    """Agents a second in one server, against a container for each agent."""
    profile = {"turns": 1, "peak_bytes": 4 * 2**20, "hold_s": 300}
    with connect() as client, bare_target(client, profile) as target:
        ids = [_create(target, number) for number in range(_AGENTS)]
        ours = seconds(lambda: _run_all(target, ids)) / _AGENTS

        def one_each() -> None:
            for _ in range(_CONTAINERS):
                with Target(target.spec, client):
                    pass

        theirs = seconds(one_each) / _CONTAINERS
    return Ratio(
        "agent start rate",
        theirs / ours,
        20,
        "higher",
        f"{1 / ours:.0f} agents/s in one server",
        f"{1 / theirs:.1f} containers/s",
    )


def _create(target: Target, number: int) -> str:
    feature = {"title": f"{number} bench", "description": "x", "complexity": "small"}
    body = {"projectPath": PROJECT, "feature": feature}
    return str(post(target, "/api/features/create", body)["feature"]["id"])


def _run_all(target: Target, ids: list[str]) -> None:
    for feature_id in ids:
        body = {"projectPath": PROJECT, "featureId": feature_id}
        post(target, "/api/auto-mode/run-feature", body)
    cgroup = target.cgroup()
    try:
        while sum(bool((p := read_process(pid)) and p.is_agent) for pid in cgroup.pids()) < len(
            ids
        ):
            time.sleep(0.001)
    finally:
        cgroup.close()


def sample_cost() -> Ratio:
    """One memory sample of the probe, against one of `docker stats --no-stream`."""
    with connect() as client, bare_target(client, {}) as target:
        cgroup = target.cgroup()

        def read_all() -> None:
            for _ in range(_SAMPLES):
                cgroup.read()

        argv = ["docker", "stats", "--no-stream", target.id]
        ours, theirs = side_by_side(read_all, lambda: run(argv), 3)
        cgroup.close()
    ours /= _SAMPLES
    return Ratio(
        "sample cost",
        ours / theirs,
        1 / 1000,
        "lower",
        f"{ours * 1e6:.0f} us a cgroup read",
        f"{theirs:.2f} s a docker stats",
    )


def fill_rate() -> Ratio:
    """Memory filled by an agent, against stress-ng on the same bytes."""
    if not shutil.which("stress-ng"):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise NotMeasuredError("stress-ng is missing: sudo apt-get install stress-ng")
        run(["apt-get", "install", "--yes", "--no-install-recommends", "stress-ng"])
    fill = (
        "from loadtest.standin.memory import Ballast, huge_pages_pay\n"
        f"Ballast({_FILL_BYTES}, huge_pages=huge_pages_pay()).grow_to({_FILL_BYTES})"
    )
    agent = [sys.executable, "-S", "-c", fill]
    # One operation of write64 fills a mebibyte: as many as the bytes need, not one more.
    stress = ["stress-ng", "--quiet", "--vm", "1", "--vm-bytes", str(_FILL_BYTES),
              "--vm-method", "write64", "--vm-ops", str(_FILL_BYTES // 2**20 + 1),
              "--vm-keep"]  # fmt: skip
    ours, theirs = side_by_side(lambda: _fill(agent), lambda: _fill(stress), 7)
    return Ratio(
        "memory fill rate",
        theirs / ours,
        0.9,
        "higher",
        f"{_FILL_BYTES / ours / 1e9:.2f} GB/s by an agent's process",
        f"{_FILL_BYTES / theirs / 1e9:.2f} GB/s by stress-ng --vm",
    )


def _fill(argv: list[str]) -> None:
    """Run a command to its end, and see that it really held the bytes."""
    process = subprocess.Popen(argv, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    held = usage.ru_maxrss * 1024
    if process.returncode != 0 or held < 0.95 * _FILL_BYTES:
        raise NotMeasuredError(f"{argv[0]} ended with {process.returncode} and held {held} bytes")


def boundary_search() -> Ratio:
    """The boundary of the medium class from one ramp, against a fresh container per N."""
    with make_rig("medium") as rig:
        [ramp] = [trial for trial in rig.campaign.trials if trial.kind == "ramp"]
        found: list[Outcome] = []
        ours = seconds(lambda: found.append(rig.measure(ramp)))
        failed_at = found[0].failed_at or 0

        def one_by_one() -> None:
            for number in range(1, failed_at + 1):
                agents = ramp.agents[:number]
                update = {"id": f"fixed-{number}", "kind": "stable", "agents": agents,
                          "concurrent": number, "predicted": None}  # fmt: skip
                found.append(rig.measure(ramp.model_copy(update=update)))

        theirs = seconds(one_by_one)
    return Ratio(
        "boundary search",
        theirs / ours,
        4,
        "higher",
        f"{ours:.0f} s for one ramp ({found[0].held} hold, {failed_at} fail)",
        f"{theirs:.0f} s for {failed_at} fresh containers",
    )


def task_listing() -> Ratio:
    """`invoke --list` here, against Invoke with a file of one task."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tasks.py").write_text(_ONE_TASK, encoding="utf-8")
        argv = [sys.executable, "-m", "invoke", "--list"]
        ours, theirs = side_by_side(
            lambda: subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL),
            lambda: subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL),
            9,
        )
    return Ratio(
        "invoke --list",
        ours / theirs,
        1.5,
        "lower",
        f"{ours * 1000:.0f} ms",
        f"{theirs * 1000:.0f} ms with one task",
    )


def predicted_boundaries() -> Ratio:
    """Ramps whose boundary is the predicted one, of 20 in a row over all workloads."""
    with make_rig(None, runs=4) as rig:
        ramps = [trial for trial in rig.campaign.trials if trial.kind == "ramp"]
        outcomes = [rig.measure(ramp) for ramp in ramps]
        wrong = [outcome for outcome in outcomes if not _as_predicted(rig, outcome)]
    for outcome in wrong:
        print(f"{outcome.trial.id}: {outcome.held}/{outcome.failed_at}: {outcome.reason}")
    good = len(outcomes) - len(wrong)
    return Ratio(
        "boundaries as predicted",
        good / len(outcomes),
        1.0,
        "higher",
        f"{good} ramps at scale 1/16",
        f"{len(outcomes)} in a row",
    )


def _as_predicted(rig: Rig, outcome: Outcome) -> bool:
    weights = rig.settings.agents.weights(outcome.trial.workload)
    expected = predict(outcome.limit_bytes, outcome.base_bytes, rig.campaign.sizes, weights)
    return outcome.valid and (outcome.held, outcome.failed_at) == (expected, expected + 1)


ALL: dict[str, Callable[[], Ratio | list[Ratio]]] = {
    "starts": agent_starts,
    "samples": sample_cost,
    "fill": fill_rate,
    "search": boundary_search,
    "list": task_listing,
    "ramps": predicted_boundaries,
    "downtime": downtime,
    "full": full_size_ramp,
    "regressions": regressions,
}
