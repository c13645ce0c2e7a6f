"""Which feature an agent process works on is read from what it has open."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.rig.agent_processes import agents_among, owner_of, pid_inside

OUTPUT = "/projects/one/.automaker/features/{}/agent-output.md"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    return tmp_path


def process(
    proc: Path,
    pid: int,
    name: str,
    *,
    parent: int = 1,
    state: str = "S",
    feature: str | None = None,
) -> None:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} ({name}) {state} {parent} 0 0\n")
    (folder / "status").write_text(f"Name:\t{name}\nNSpid:\t{pid}\t{pid % 100}\n")
    (folder / "fd" / "0").symlink_to("/dev/null")
    if feature:
        (folder / "fd" / "3").symlink_to(OUTPUT.format(feature))


def test_agents_are_listed_with_their_features(proc: Path) -> None:
    process(proc, 201, "agent:small", feature="feature-1")
    process(proc, 202, "agent:large", feature="feature-2")
    process(proc, 203, "python3", feature="feature-3")
    assert agents_among([201, 202, 203, 999], proc) == {201: "feature-1", 202: "feature-2"}


def test_an_agent_whose_files_cannot_be_seen_still_counts(proc: Path) -> None:
    process(proc, 201, "agent:small")
    (proc / "201" / "fd" / "0").unlink()
    (proc / "201" / "fd").rmdir()
    assert agents_among([201], proc) == {201: ""}


def test_the_dead_and_the_children_of_agents_do_not_count(proc: Path) -> None:
    process(proc, 201, "agent:small", feature="feature-1")
    process(proc, 202, "agent:small", parent=201, feature="feature-1")
    process(proc, 203, "agent:small", state="Z")
    assert agents_among([201, 202, 203], proc) == {201: "feature-1"}


def test_a_process_has_another_number_inside_its_container(proc: Path) -> None:
    process(proc, 207, "python3")
    assert pid_inside(207, proc) == 7
    assert pid_inside(999, proc) is None


def test_a_process_that_is_gone_belongs_to_root(proc: Path) -> None:
    process(proc, 207, "python3")
    found = (proc / "207").stat()
    assert owner_of(207, proc) == f"{found.st_uid}:{found.st_gid}"
    assert owner_of(999, proc) == "0:0"
