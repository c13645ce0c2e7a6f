"""The kernel's account of a container: processes read right, and told from those of others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from loadtest.rig.cgroup import Reading
from loadtest.rig.kernel import LocalKernel, Process, host_oom_kills, is_here, read_process


class FakeCgroup:
    """A cgroup with two processes, of which one has just gone."""

    path = Path("/nowhere")

    def read(self) -> Reading:
        return Reading(usage=10, anon=8, file=2, swap=0, oom_kills=0)

    def pids(self) -> list[int]:
        return [7, 8]

    def peak(self) -> int:
        return 11

    def close(self) -> None:
        self.path = Path("/closed")


# --- /proc/<pid>/stat


@pytest.mark.parametrize(
    ("line", "expected", "why"),
    [
        (b"7 (agent:small) S 3 7 7 0", Process("agent:small", "S", 3), "an ordinary line"),
        (b"7 (a (b) c) R 3 7", Process("a (b) c", "R", 3), "brackets and spaces in the name"),
        (b"7 (x) S 1) S 3 7", Process("x) S 1", "S", 3), "a name that looks like the rest"),
        (b"7 () S 3 7", Process("", "S", 3), "no name at all"),
        (b"7 (a\nb) S 3 7", Process("a\nb", "S", 3), "a line end in the name"),
        (b"7 (\xff\xfe) S 3 7", Process("\N{REPLACEMENT CHARACTER}" * 2, "S", 3), "not text"),
    ],
)
def test_a_process_is_read_whatever_its_name(
    tmp_path: Path, line: bytes, expected: Process, why: str
) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_bytes(line)
    assert read_process(7, tmp_path) == expected, why


def test_a_process_that_is_gone_is_none(tmp_path: Path) -> None:
    assert read_process(7, tmp_path) is None


@pytest.mark.parametrize(
    ("name", "state", "is_agent", "why"),
    [
        ("agent:small", "R", True, "it runs"),
        ("agent:small", "S", True, "it waits"),
        ("agent:small", "D", True, "it waits for a disk"),
        ("agent:small", "Z", False, "it was killed and not yet read"),
        ("agent:small", "X", False, "it is gone"),
        ("agent", "R", False, "the name alone"),
        ("dd", "R", False, "a tool"),
        ("my agent:small", "R", False, "somebody else's"),
    ],
)
def test_an_agent_bears_its_prefix_and_is_alive(
    name: str, state: str, is_agent: bool, why: str
) -> None:
    assert Process(name, state, 1).is_agent is is_agent, why


# --- a look


def test_a_look_has_memory_and_the_processes_that_are_still_there(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_bytes(b"7 (node) S 1 7")
    look = LocalKernel(FakeCgroup(), tmp_path).look()
    assert (look.reading.usage, look.peak) == (10, 11)
    assert look.processes == {7: Process("node", "S", 1)}
    assert abs(look.at_s - time.time()) < 5


def test_memory_of_a_process_comes_with_the_moment_it_was_read() -> None:
    at_s, held = LocalKernel(FakeCgroup()).held(os.getpid())
    assert held.private > 1_000_000
    assert abs(at_s - time.time()) < 5


def test_a_closed_kernel_gives_its_files_back() -> None:
    cgroup = FakeCgroup()
    LocalKernel(cgroup).close()
    assert cgroup.path == Path("/closed")


@pytest.mark.parametrize(
    ("text", "kills"), [("oom_kill 7\nother 1\n", 7), ("oom_kill_x 7\n", 0), ("", 0)]
)
def test_the_kernels_kills_are_counted_since_boot(tmp_path: Path, text: str, kills: int) -> None:
    (tmp_path / "vmstat").write_text(text, encoding="ascii")
    assert host_oom_kills(tmp_path / "vmstat") == kills


# --- here or elsewhere

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "container", "here", "why"),
    [
        (f"5:memory:/docker/{ID}\n", ID, True, "cgroup v1"),
        (f"0::/system.slice/docker-{ID}.scope\n", ID, True, "cgroup v2 under systemd"),
        (f"0::/../{ID}\n", ID, True, "seen from inside another container"),
        ("0::/user.slice\n", ID, False, "a process of that number, but another one"),
        (f"0::/docker/{ID}\n", "", False, "a container that has no id yet"),
    ],
)
def test_a_container_is_here_when_its_process_bears_its_id(
    tmp_path: Path, text: str, container: str, here: bool, why: str
) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text(text, encoding="utf-8")
    assert is_here(7, container, tmp_path) is here, why


def test_a_container_without_a_process_here_is_elsewhere(tmp_path: Path) -> None:
    assert not is_here(7, ID, tmp_path)
