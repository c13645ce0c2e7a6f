"""Locust's master and workers against real stand-in servers: each worker follows its own trial."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from loadtest.fleet.swarm import FleetSwarm, FleetWorker
from loadtest.outcome import Trial
from loadtest.swarm.result import SwarmResult
from settings.environment import swarm_environment
from tests.loadtest.examples import trial
from tests.loadtest.rig.test_swarm_process import server, task
from tests.loadtest.standin.fakes import wait_until

FEW = trial(agents=("small",) * 3, workload="small")
MANY = trial(agents=("small",) * 6, workload="small")
Said = tuple[int, SwarmResult | None]


@contextlib.contextmanager
def fleet(root: Path, told: Trial, *hosts: str) -> Iterator[FleetSwarm]:
    (root / "logs").mkdir(exist_ok=True)
    with FleetSwarm(told, {"small": "haiku"}, hosts, root, swarm_environment()) as swarm:
        yield swarm
    assert not [p for p in psutil.Process().children(recursive=True) if "locust" in p.cmdline()]
    assert list(root.glob("**/swarm-task.json")) == [], "it holds a key"


def begin(swarm: FleetSwarm, root: Path, host: str, url: str, told: Trial) -> FleetWorker:
    folder = root / host
    folder.mkdir(exist_ok=True)
    return swarm.worker(host, task(folder, url, trial=told), folder, folder / "swarm.log")


def go_all(*workers: FleetWorker) -> None:
    threads = [threading.Thread(target=worker.go) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def outputs(folder: Path) -> int:
    return len(list(folder.glob("load-*/**/agent-output.md")))


def test_every_worker_runs_all_agents_of_its_trial_on_its_own_host(tmp_path: Path) -> None:
    for host in ("a", "b"):
        (tmp_path / host).mkdir()
    with (
        server(tmp_path / "a", hold_s=600) as (_, url_a),
        server(tmp_path / "b", hold_s=600) as (_, url_b),
        fleet(tmp_path, FEW, "a", "b") as swarm,
    ):
        a = begin(swarm, tmp_path, "a", url_a, FEW)
        b = begin(swarm, tmp_path, "b", url_b, FEW)
        go_all(a, b)
        found = {name: worker.wait(60) for name, worker in (("a", a), ("b", b))}
        assert a._process.poll() is None, "a worker stays until the trial of all is over"
    for name, (code, result) in found.items():
        assert code == 0, (tmp_path / name / "swarm.log").read_text(encoding="utf-8")
        assert result
        assert (result.held, result.failed_at, result.classes) == (3, None, {"HaikuAgent": 3})
        assert outputs(tmp_path / name) == 3
    assert swarm.statistics.agents_started == 6
    assert swarm.statistics.requests > 12


def test_a_host_that_is_dropped_amid_the_ramp_does_not_stop_the_others(tmp_path: Path) -> None:
    for host in ("a", "b"):
        (tmp_path / host).mkdir()
    with (
        server(tmp_path / "a", hold_s=600) as (_, url_a),
        server(tmp_path / "b", hold_s=600) as (_, url_b),
        fleet(tmp_path, MANY, "a", "b") as swarm,
    ):
        a = begin(swarm, tmp_path, "a", url_a, MANY)
        b = begin(swarm, tmp_path, "b", url_b, MANY)
        go_all(a, b)
        wait_until(lambda: outputs(tmp_path / "b") > 0, "an agent on b", 30)
        swarm.drop("b")
        code, result = b.wait(30)
        assert (code == 0, result) == (False, None) or (result and not result.completed)
        code, result = a.wait(60)
    assert code == 0, (tmp_path / "a" / "swarm.log").read_text(encoding="utf-8")
    assert result
    assert (result.held, result.classes) == (6, {"HaikuAgent": 6}), "and none of b's agents"


def test_nobody_waits_for_a_host_that_never_comes_to_the_start(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (
        server(tmp_path / "a", hold_s=600) as (_, url),
        fleet(tmp_path, FEW, "a", "b") as swarm,
    ):
        a = begin(swarm, tmp_path, "a", url, FEW)
        going = threading.Thread(target=a.go)
        going.start()
        going.join(0.3)
        assert going.is_alive(), "b may still come"
        swarm.leave("b")
        going.join(10)
        assert not going.is_alive()
        code, result = a.wait(60)
    assert code == 0
    assert result
    assert result.held == 3


def test_a_master_that_crashes_before_the_start_is_no_endless_wait(tmp_path: Path) -> None:
    with fleet(tmp_path, FEW, "a") as swarm:
        a = begin(swarm, tmp_path, "a", "http://127.0.0.1:1", FEW)
        swarm._master.stop()
        a.go()
        code, result = a.wait(60)
    assert code != 0
    assert result is None


def test_closing_frees_whoever_waits_for_the_start(tmp_path: Path) -> None:
    with fleet(tmp_path, FEW, "a", "b") as swarm:
        a = begin(swarm, tmp_path, "a", "http://127.0.0.1:1", FEW)
        said: list[Said] = []

        def follow() -> None:
            a.go()
            said.append(a.wait(60))

        thread = threading.Thread(target=follow)
        thread.start()
        swarm.close()
        thread.join(30)
    assert not thread.is_alive()
    assert said[0][1] is None
