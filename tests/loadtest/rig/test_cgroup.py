"""Both layouts of the kernel's account of memory, behind one reader."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loadtest.rig.cgroup import CgroupV1, CgroupV2, Reading, open_cgroup
from loadtest.rig.errors import RigError

V1 = {
    "memory.usage_in_bytes": "5000\n",
    "memory.stat": "cache 1\nrss 2\ntotal_cache 700\ntotal_rss 4000\ntotal_swap 30\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "cgroup.procs": "11\n12\n",
}
V2 = {
    "memory.current": "5000\n",
    "memory.stat": "anon 4000\nfile 700\nkernel_stack 16\n",
    "memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n",
    "memory.swap.current": "30\n",
    "cgroup.procs": "11\n12\n",
}
READING = Reading(usage=5000, anon=4000, file=700, swap=30, oom_kills=2)


def fill(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="ascii")
    return folder


def fake_process(proc: Path, lines: str, pid: int = 42) -> Path:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cgroup").write_text(lines, encoding="ascii")
    return proc


@pytest.fixture(params=["v1", "v2"])
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CgroupV1 | CgroupV2]:
    """An open cgroup of either version, in a tree of files."""
    root = tmp_path / "sys"
    if request.param == "v1":
        fill(root / "memory" / "docker" / "abc", V1)
        lines = "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"
    else:
        fill(root / "docker" / "abc", V2)
        lines = "0::/docker/abc\n"
    found = open_cgroup(42, root, fake_process(tmp_path / "proc", lines))
    assert isinstance(found, CgroupV1 if request.param == "v1" else CgroupV2)
    with closing(found):
        yield found


def test_memory_is_read_from_either_version(opened: CgroupV1 | CgroupV2) -> None:
    assert opened.read() == READING
    assert opened.pids() == [11, 12]


def test_every_reading_is_a_fresh_one(opened: CgroupV1 | CgroupV2) -> None:
    opened.read()
    current = "memory.usage_in_bytes" if isinstance(opened, CgroupV1) else "memory.current"
    (opened.path / current).write_text("7000\n", encoding="ascii")
    (opened.path / "cgroup.procs").write_text("12\n", encoding="ascii")
    assert opened.read().usage == 7000
    assert opened.pids() == [12]


def test_a_cgroup_that_is_gone_has_no_processes(opened: CgroupV1 | CgroupV2) -> None:
    shutil.rmtree(opened.path)
    with pytest.raises(OSError, match="No such file"):
        opened.pids()


def test_a_closed_cgroup_cannot_be_read_and_gives_its_files_back(
    opened: CgroupV1 | CgroupV2,
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    opened.close()
    assert len(os.listdir("/proc/self/fd")) == before - 3
    with pytest.raises((KeyError, OSError)):
        opened.read()
    opened.close()


def test_a_kernel_that_does_not_count_swap_has_none(tmp_path: Path) -> None:
    v2 = {name: text for name, text in V2.items() if name != "memory.swap.current"}
    with closing(CgroupV2(fill(tmp_path / "v2", v2))) as found:
        assert found.read().swap == 0
    v1 = V1 | {"memory.stat": "total_cache 700\ntotal_rss 4000\n"}
    with closing(CgroupV1(fill(tmp_path / "v1", v1))) as found:
        assert found.read().swap == 0


def test_an_old_kernel_that_counts_no_kills_has_none(tmp_path: Path) -> None:
    v1 = V1 | {"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}
    with closing(CgroupV1(fill(tmp_path, v1))) as found:
        assert found.read().oom_kills == 0


def test_swap_is_looked_up_anew_where_it_vanished(tmp_path: Path) -> None:
    with closing(CgroupV2(fill(tmp_path, V2))) as found:
        (tmp_path / "memory.swap.current").unlink()
        assert found.read().swap == 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("4:memory:/docker/gone\n", "v1: no such folder"),
        ("0::/docker/gone\n", "v2: no such folder"),
        ("3:cpu:/docker/abc\n", "no memory controller at all"),
    ],
)
def test_a_cgroup_that_cannot_be_found_says_what_to_do(
    tmp_path: Path, lines: str, why: str
) -> None:
    proc = fake_process(tmp_path / "proc", lines)
    with pytest.raises(RigError, match="cannot be read") as refused:
        open_cgroup(42, tmp_path / "sys", proc)
    assert "on the machine whose Docker engine" in refused.value.__notes__[0], why


def test_a_process_of_another_machine_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="process 42 of the container is not on this machine"):
        open_cgroup(42, tmp_path, tmp_path)


def test_files_that_were_opened_before_one_was_missing_are_given_back(tmp_path: Path) -> None:
    fill(tmp_path, {"memory.current": "1\n"})
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        CgroupV2(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("usage", "file", "committed", "why"),
    [
        (5000, 700, 4300, "usage less page cache"),
        (700, 700, 0, "nothing but cache"),
        (600, 700, 0, "counters are read one after the other and may cross"),
    ],
)
def test_committed_memory_is_what_reclaim_cannot_give_back(
    usage: int, file: int, committed: int, why: str
) -> None:
    assert Reading(usage=usage, anon=0, file=file, swap=0, oom_kills=0).committed == committed, why


def test_a_table_that_is_cut_off_is_an_error_and_no_figure(tmp_path: Path) -> None:
    found = CgroupV2(fill(tmp_path, V2 | {"memory.stat": "anon 4000\nfile"}))
    with closing(found), pytest.raises(ValueError, match="shorter"):
        found.read()
