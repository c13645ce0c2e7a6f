"""A sampler's lines: looks in, the same looks out, by the clock of this machine."""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.rig import remote_kernel as module
from loadtest.rig.cgroup import Reading
from loadtest.rig.errors import RigError
from loadtest.rig.kernel import HeldAt, Look, Process
from loadtest.rig.remote_kernel import PACKAGE, RemoteKernel
from loadtest.rig.sampler import (
    SENT,
    Sampler,
    held_line,
    look_line,
    read_held,
    read_look,
)
from loadtest.rig.smaps import Held

READING = Reading(usage=10, anon=8, file=2, swap=1, oom_kills=3)
HOUR = 3600.0


def a_look(at_s: float = 5.0, usage: int = 10) -> Look:
    reading = Reading(usage=usage, anon=8, file=2, swap=1, oom_kills=3)
    return Look(at_s, reading, 12, {7: Process("agent:small", "S", 1), 8: Process("a (b", "R", 7)})


class Wire:
    """Lines that come when the test says so."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def send(self, line: str) -> None:
        self._lines.put(line.encode() + b"\n")

    def end(self) -> None:
        self._lines.put(None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines.get, None)


def test_a_look_survives_its_line_and_is_moved_by_the_clocks_difference() -> None:
    look = a_look(at_s=5.0)
    assert read_look(json.loads(look_line(look, 4)), 0.0) == look
    assert read_look(json.loads(look_line(look, 4)), HOUR).at_s == HOUR + 5.0


def test_memory_of_processes_survives_its_line() -> None:
    held = {7: HeldAt(5.0, Held(private=100, pss=120))}
    assert read_held(json.loads(held_line(held)), 0.0) == held
    assert read_held(json.loads(held_line(held)), HOUR)[7].at_s == HOUR + 5.0


def test_every_look_is_returned_once_the_newest_first() -> None:
    wire = Wire()
    kernel = RemoteKernel(wire)
    now = time.time()
    wire.send(look_line(a_look(now, usage=1), 0))
    kernel.wait_ready(5)
    assert kernel.look().reading.usage == 1
    wire.send(look_line(a_look(now + 0.1, usage=2), 9))
    assert kernel.look().reading.usage == 2, "it waits for news"
    assert kernel.host_oom_kills() == 9
    wire.end()
    with pytest.raises(OSError, match="have ended"):
        kernel.look()
    kernel.close()


def test_a_clock_an_hour_behind_does_not_matter() -> None:
    wire = Wire()
    kernel = RemoteKernel(wire)
    there = time.time() - HOUR
    wire.send(look_line(a_look(there), 0))
    kernel.wait_ready(5)
    assert abs(kernel.look().at_s - time.time()) < 1
    # A line that was late on its way is dated by those that were not.
    time.sleep(0.3)
    wire.send(look_line(a_look(there + 0.05), 0))
    late = kernel.look().at_s
    assert 0.15 < time.time() - late < 1
    wire.end()


def test_a_sampler_that_falls_silent_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SILENT_S", 0.1)
    wire = Wire()
    with pytest.raises(OSError, match="have ended"):
        RemoteKernel(wire).look()
    wire.end()


def test_memory_of_a_process_is_that_of_now_and_one_line_serves_all() -> None:
    wire = Wire()
    kernel = RemoteKernel(wire)
    wire.send(look_line(a_look(time.time()), 0))
    wire.send(held_line({7: HeldAt(1.0, Held(1, 1)), 8: HeldAt(1.0, Held(1, 1))}))
    assert kernel.held(7).held == kernel.held(8).held == Held(1, 1)
    time.sleep(0.2)  # what was read is old by now
    later = threading.Timer(0.1, wire.send, [held_line({7: HeldAt(2.0, Held(2, 2))})])
    later.start()
    assert kernel.held(7).held == Held(2, 2), "it waits for the next line"
    later.join()
    wire.end()


def test_memory_that_was_never_read_is_not_known() -> None:
    wire = Wire()
    kernel = RemoteKernel(wire)
    wire.send(look_line(a_look(time.time()), 0))
    wire.send(held_line({7: HeldAt(time.time(), Held(100, 120))}))
    wire.end()
    kernel.close()
    assert kernel.held(7).held == Held(100, 120)
    with pytest.raises(OSError, match="process 8"):
        kernel.held(8)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([json.dumps({"error": "no such cgroup"})], "no such cgroup"),
        (["docker: permission denied"], "docker: permission denied"),
        (["[1, 2]"], "1, 2"),
        (['{"at": 1}'], "it ended"),
        ([], "it ended"),
    ],
)
def test_a_sampler_that_cannot_be_used_says_why(lines: list[str], says: str) -> None:
    wire = Wire()
    for line in lines:
        wire.send(line)
    wire.end()
    with pytest.raises(RigError, match=says):
        RemoteKernel(wire).wait_ready(5)


# --- the other end


class Dying:
    """A kernel whose container goes after a few looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def look(self) -> Look:
        self.looks -= 1
        if self.looks < 0:
            raise FileNotFoundError
        return a_look()

    def held(self, pid: int) -> HeldAt:
        return HeldAt(1.0, Held(pid, pid))

    def host_oom_kills(self) -> int:
        return 5 if self.looks >= 0 else 6

    def close(self) -> None:
        pass


def test_a_sampler_ends_with_its_container_and_the_kills_of_the_end() -> None:
    out = io.StringIO()
    Sampler(Dying(looks=3), out).run(hz=50)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    looks = [line for line in lines if "at" in line]
    assert [line["host_oom_kills"] for line in looks] == [5, 5, 5]
    assert lines[-1] == {"gone": True, "host_oom_kills": 6}


def test_all_that_is_sent_runs_by_itself_with_the_standard_library_alone(tmp_path: Path) -> None:
    for name in SENT:
        path = tmp_path / "loadtest" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((PACKAGE / name).read_bytes())
    done = subprocess.run(
        # -I: nothing of this checkout or of its libraries; process 0 is none.
        [sys.executable, "-I", "-S", "-c",
         f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
         "from loadtest.rig.sampler import main; sys.exit(main(['0', '20']))"],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert "ModuleNotFoundError" not in done.stderr


def test_a_sampler_ends_when_whoever_started_it_is_gone() -> None:
    code = "import threading, time; from loadtest.rig.sampler import _end_with_reader\n"
    code += "threading.Thread(target=_end_with_reader, daemon=True).start(); time.sleep(60)"
    root = PACKAGE.parent
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdin=subprocess.PIPE, env={**os.environ}
    ) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0
