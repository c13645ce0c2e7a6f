"""What this host is, and whether it is the one the guide speaks of."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import host as module
from settings.host import GIB, HostFacts, host_facts, network_mbps

HOST = HostFacts(
    memory=48 * GIB,
    memory_available=40 * GIB,
    swap=0,
    cpus=8,
    disk_free=100 * GIB,
    kernel="6.1.0",
    system="Linux",
    cgroup_version=2,
)


@pytest.mark.parametrize(
    ("memory", "cpus", "is_target", "why"),
    [
        (48 * GIB, 8, True, "exactly what the guide asks for"),
        (64 * GIB, 16, True, "more of both"),
        (round(46.9 * GIB), 8, True, "a 48 GiB host shows a little less than it has"),
        (round(48 * GIB * 0.96) + 1, 8, True, "just enough"),
        (round(48 * GIB * 0.96) - 1, 8, False, "just not enough"),
        (45 * GIB, 8, False, "too little to be a 48 GiB host"),
        (round(48e9), 8, False, "48 GB are not 48 GiB"),
        (48 * GIB, 7, False, "one core short"),
        (24 * GIB, 2, False, "a laptop"),
    ],
)
def test_the_target_host_has_48_gib_and_8_cores(
    memory: int, cpus: int, is_target: bool, why: str
) -> None:
    assert replace(HOST, memory=memory, cpus=cpus).is_target is is_target, why


@pytest.mark.parametrize(
    ("folders", "files", "version", "why"),
    [
        ((), ("cgroup.controllers",), 2, "the unified tree"),
        (("memory", "cpu"), (), 1, "a folder a controller"),
        (("memory",), ("cgroup.controllers",), 2, "the unified tree decides"),
        (("unified",), (), 0, "no memory controller"),
        ((), (), 0, "an empty folder"),
        ((), ("memory",), 0, "a file is no controller"),
    ],
)
def test_the_cgroup_version_shows_in_the_tree(
    tmp_path: Path, folders: tuple[str, ...], files: tuple[str, ...], version: int, why: str
) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    for name in files:
        (tmp_path / name).touch()
    assert module._cgroup_version(tmp_path) == version, why


def test_no_tree_at_all_is_no_cgroup(tmp_path: Path) -> None:
    assert module._cgroup_version(tmp_path / "absent") == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"memory": 64 * GIB}, "more memory"),
        ({"cpus": 4}, "fewer cores"),
        ({"kernel": "6.2.0"}, "another kernel"),
        ({"system": "Darwin"}, "another system"),
        ({"cgroup_version": 1}, "another way of counting"),
    ],
)
def test_another_class_of_host_has_another_fingerprint(change: dict[str, object], why: str) -> None:
    assert replace(HOST, **change).fingerprint != HOST.fingerprint, why  # type: ignore[arg-type]


@given(st.integers(0), st.integers(0), st.integers(0), st.integers(0, GIB - 1))
def test_what_comes_and_goes_leaves_the_fingerprint_alone(
    free: int, swap: int, disk: int, rest: int
) -> None:
    now = replace(HOST, memory=HOST.memory + rest, memory_available=free, swap=swap, disk_free=disk)
    assert now.fingerprint == HOST.fingerprint
    assert len(now.fingerprint) == 12


def test_this_host_has_facts(tmp_path: Path) -> None:
    facts = host_facts(tmp_path)
    assert facts.memory == psutil.virtual_memory().total
    assert 0 < facts.memory_available <= facts.memory
    assert facts.cpus >= 1
    assert facts.disk_free > 0
    assert facts.kernel
    assert facts.fingerprint == host_facts(tmp_path).fingerprint


def test_only_processors_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 3})
    assert host_facts().cpus == 2


def test_a_system_without_affinity_counts_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(psutil, "cpu_count", lambda: None)
    assert host_facts().cpus == 1


@pytest.mark.parametrize(
    ("route", "speed", "mbps", "why"),
    [
        ("eth0 00000000 0101", "1000\n", 1000, "the device of the default route"),
        ("eth0 00000000 0101", "-1\n", None, "a virtual device has no speed"),
        ("eth0 00000000 0101", None, None, "nor any file"),
        ("eth0 000011AC 0101", "1000\n", None, "no way out"),
        ("", "1000\n", None, "an empty line"),
    ],
)
def test_the_network_is_as_fast_as_the_kernel_says(
    tmp_path: Path, route: str, speed: str | None, mbps: int | None, why: str
) -> None:
    (tmp_path / "eth0").mkdir()
    (tmp_path / "route").write_text(f"Iface Destination Gateway\n{route}\n", encoding="ascii")
    if speed is not None:
        (tmp_path / "eth0" / "speed").write_text(speed, encoding="ascii")
    assert network_mbps(tmp_path / "route", tmp_path) == mbps, why


def test_without_a_table_of_routes_the_speed_is_not_known(tmp_path: Path) -> None:
    assert network_mbps(tmp_path / "absent", tmp_path) is None
