"""The probe: processes read right, samples dense, failures noticed."""

from __future__ import annotations

import contextlib
import csv
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.outcome import SeenAgent
from loadtest.rig.cgroup import Reading
from loadtest.rig.kernel import HeldAt, Look, Process
from loadtest.rig.probe import COLUMNS, Probe, check_health
from loadtest.rig.smaps import Held

NOWHERE = ("127.0.0.1", 1)


class FakeKernel:
    """A kernel that says what the test tells it to."""

    def __init__(self, *readings: Reading) -> None:
        self.readings = list(readings) or [reading()]
        self.processes: dict[int, Process] = {}
        self.memory: dict[int, HeldAt] = {}
        self.gone = False
        self.pause_s = 0.0

    def look(self) -> Look:
        time.sleep(self.pause_s)
        if self.gone:
            raise FileNotFoundError
        now = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        return Look(time.time(), now, 0, dict(self.processes))

    def held(self, pid: int) -> HeldAt:
        if pid not in self.memory:
            raise FileNotFoundError
        return self.memory[pid]

    def host_oom_kills(self) -> int:
        return 0

    def close(self) -> None:
        pass


def reading(usage: int = 1000, file: int = 100, oom_kills: int = 0) -> Reading:
    return Reading(usage=usage, anon=usage - file, file=file, swap=0, oom_kills=oom_kills)


def a_probe(kernel: FakeKernel, samples: Path, **changes: Any) -> Probe:
    values: dict[str, Any] = {"began": time.time(), "hz": 20.0, "health_timeout_s": 0.5}
    address = changes.pop("address", NOWHERE)
    return Probe(kernel, samples, address, **(values | changes))


@contextlib.contextmanager
def running(probe: Probe) -> Iterator[Probe]:
    probe.start()
    try:
        yield probe
    finally:
        probe.stop()


@contextlib.contextmanager
def server(status: int = 200, pause_s: float = 0.0) -> Iterator[tuple[str, int]]:
    """A server whose every answer has this status; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(pause_s)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield "127.0.0.1", httpd.server_address[1]
        finally:
            httpd.shutdown()
            thread.join()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


# --- counting agents


@pytest.fixture
def processes() -> dict[int, Process]:
    """What the kernel lists, as far as the probe can see."""
    return {}


def count(probe: Probe, processes: dict[int, Process], now: float = 1.0) -> int:
    return probe._note_agents(processes, now)


def test_agents_are_counted_and_remembered(processes: dict[int, Process], tmp_path: Path) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    processes[1] = Process("node", "S", 0)
    processes[10] = Process("agent:small", "S", 1)
    processes[11] = Process("agent:architect", "R", 1)
    assert count(probe, processes) == 2
    del processes[10]
    assert count(probe, processes) == 1
    assert [(one.pid, one.agent_class) for one in probe.agents] == [
        (10, "small"),
        (11, "architect"),
    ]


def test_a_child_of_an_agent_is_no_agent(processes: dict[int, Process], tmp_path: Path) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    processes[10] = Process("agent:small", "S", 1)
    processes[20] = Process("agent:small", "R", 10)  # forked, its own name not yet set
    assert count(probe, processes) == 1
    assert [one.pid for one in probe.agents] == [10]


def test_a_zombie_neither_counts_nor_lives_on(
    processes: dict[int, Process], tmp_path: Path
) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    processes[10] = Process("agent:small", "S", 1)
    assert count(probe, processes) == 1
    last = probe.agents[0].last_s
    processes[10] = Process("agent:small", "Z", 1)
    assert count(probe, processes) == 0
    assert probe.agents[0].last_s == last


# --- figures


@pytest.mark.parametrize(
    ("times", "samples", "hz", "gap", "why"),
    [
        ([], 0, 0.0, 0.0, "nothing was sampled"),
        ([5.0], 1, 0.0, 0.0, "one sample has no rate"),
        ([0.0, 0.5, 1.0], 3, 2.0, 0.5, "even"),
        ([0.0, 0.1, 1.9, 2.0], 4, 1.5, 1.8, "the hole counts, however good the average"),
    ],
)
def test_sampling_says_how_dense_and_how_holey(
    tmp_path: Path, times: list[float], samples: int, hz: float, gap: float, why: str
) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    probe._times = times
    found = probe.sampling()
    assert found.samples == samples
    assert found.hz == pytest.approx(hz), why
    assert found.longest_gap_s == pytest.approx(gap), why


@pytest.mark.parametrize(
    ("latencies", "failed", "p50", "p99", "most", "why"),
    [
        ([], 0, None, None, None, "no check"),
        ([], 3, None, None, None, "no answer"),
        ([7.0], 0, 7.0, 7.0, 7.0, "one answer"),
        ([3.0, 1.0, 2.0], 1, 2.0, 3.0, 3.0, "in any order"),
        ([float(n) for n in range(1, 201)], 0, 100.5, 199.0, 200.0, "two hundred"),
    ],
)
def test_health_is_told_in_percentiles(
    tmp_path: Path,
    latencies: list[float],
    failed: int,
    p50: float | None,
    p99: float | None,
    most: float | None,
    why: str,
) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    probe._latencies, probe.failed_checks = latencies, failed
    health = probe.health()
    assert (health.checks, health.failures) == (len(latencies) + failed, failed), why
    assert (health.p50_ms, health.p99_ms, health.max_ms) == (p50, p99, most), why


def test_the_base_is_the_least_that_was_committed_before_the_first_agent(tmp_path: Path) -> None:
    kernel = FakeKernel(reading(900), reading(700), reading(800), reading(300), reading(2000))
    probe = a_probe(kernel, tmp_path / "s.csv")
    with (tmp_path / "s.csv").open("w", encoding="ascii") as file:
        for _ in range(3):
            probe._sample(file)
        kernel.processes[10] = Process("agent:small", "S", 1)
        for _ in range(2):
            probe._sample(file)
    assert (probe.base, probe.peak, probe.max_running) == (600, 2000, 1)


# --- a probe that runs


def test_a_running_probe_samples_ten_times_a_second_and_more(tmp_path: Path) -> None:
    seen: list[tuple[Reading, int]] = []
    samples = tmp_path / "s.csv"
    with server() as address:
        probe = a_probe(
            FakeKernel(),
            samples,
            address=address,
            on_sample=lambda *sample: seen.append(sample),
        )
        with running(probe):
            time.sleep(1.3)
    sampling, health = probe.sampling(), probe.health()
    assert sampling.hz >= 10
    assert sampling.longest_gap_s < 1
    assert probe.problem is None
    assert health.checks >= 2
    assert health.failures == 0
    with samples.open(encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS.split(",")
    assert len(rows) == sampling.samples == len(seen)
    times = [float(row["t_s"]) for row in rows]
    assert times == sorted(times)
    assert sum(bool(row["health_ms"]) for row in rows) >= 2
    assert {row["usage"] for row in rows} == {"1000"}


def test_after_a_stall_samples_do_not_come_in_a_burst(tmp_path: Path) -> None:
    kernel = FakeKernel()
    probe = a_probe(kernel, tmp_path / "s.csv")
    with running(probe):
        time.sleep(0.2)
        kernel.pause_s = 0.4
        time.sleep(0.3)
        kernel.pause_s = 0.0
        time.sleep(0.5)
    gaps = [after - before for before, after in zip(probe._times, probe._times[1:], strict=False)]
    assert max(gaps) > 0.3
    assert sum(gap < 0.01 for gap in gaps) <= 2, "eight were missed and are not made up for"


def test_a_container_that_ends_ends_the_samples_and_is_no_problem(tmp_path: Path) -> None:
    kernel = FakeKernel(reading(oom_kills=0), reading(oom_kills=1))
    probe = a_probe(kernel, tmp_path / "s.csv")
    with running(probe):
        wait_until(lambda: probe.sampling().samples > 2, "samples")
        kernel.gone = True
        probe._threads[0].join(timeout=5)
        assert not probe._threads[0].is_alive()
    assert probe.problem is None
    assert probe.last
    assert probe.last.oom_kills == 1


def test_a_full_disk_is_a_problem_that_names_the_file() -> None:
    with running(a_probe(FakeKernel(), Path("/dev/full"))) as probe:
        wait_until(lambda: probe.problem is not None, "the disk to be full")
    assert probe.problem == "samples cannot be written: No space left on device: /dev/full"


def test_a_missing_folder_is_a_problem_too(tmp_path: Path) -> None:
    with running(a_probe(FakeKernel(), tmp_path / "absent" / "s.csv")) as probe:
        wait_until(lambda: probe.problem is not None, "the folder to be missed")
    assert probe.problem
    assert "No such file or directory" in probe.problem


def test_a_server_that_is_not_there_fails_its_checks(tmp_path: Path) -> None:
    with running(a_probe(FakeKernel(), tmp_path / "s.csv")) as probe:
        wait_until(lambda: probe.failed_checks >= 2, "two failed checks")
    assert probe.health().failures == probe.health().checks >= 2


def test_a_silent_server_does_not_slow_the_samples(tmp_path: Path) -> None:
    with server(pause_s=1.0) as address:
        probe = a_probe(FakeKernel(), tmp_path / "s.csv", address=address, health_timeout_s=0.3)
        with running(probe):
            time.sleep(1.2)
    assert probe.failed_checks >= 1
    assert probe.sampling().hz >= 10


def test_stopping_twice_does_nothing_more(tmp_path: Path) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    probe.start()
    probe.stop()
    samples = probe.sampling().samples
    probe.stop()
    assert probe.sampling().samples == samples


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_health_check_returns_the_status(status: int) -> None:
    with server(status) as address:
        assert check_health(address, 2) == status


def test_private_memory_of_an_agent_is_noted_with_the_moment_it_was_read(tmp_path: Path) -> None:
    kernel = FakeKernel()
    probe = a_probe(kernel, tmp_path / "s.csv", began=1000.0)
    agents = {pid: Process("agent:small", "S", 1) for pid in (7, 8)}
    probe._note_agents(agents, probe._now())
    kernel.memory[7] = HeldAt(1002.5, Held(private=5_000_000, pss=6_000_000))
    probe.look_at_agents()
    known, unknown = probe.agents
    assert (known.private_bytes, known.pss_bytes, known.private_s) == (5_000_000, 6_000_000, 2.5)
    assert (unknown.private_bytes, unknown.private_s) == (0, -1.0), "it may not be read"


def test_agents_that_are_gone_are_not_looked_at(tmp_path: Path) -> None:
    probe = a_probe(FakeKernel(), tmp_path / "s.csv")
    probe._agents[1] = SeenAgent(1, "small", 0.0, -5.0)
    probe.look_at_agents()
    assert probe.agents[0].private_s == -1.0
