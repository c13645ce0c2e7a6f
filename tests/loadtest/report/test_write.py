import errno
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loadtest.outcome import Outcome
from loadtest.report.write import point_latest, replace_file, write_reports
from loadtest.summary import Summary

NAMES = {"summary.json", "junit.xml", "report.html"}


def test_all_three_reports_are_written_and_nothing_else(
    tmp_path: Path, summary: Summary, outcomes: tuple[Outcome, ...]
) -> None:
    write_reports(tmp_path, summary, outcomes)
    assert {path.name for path in tmp_path.iterdir()} == NAMES
    assert Summary.read(tmp_path / "summary.json") == summary
    assert ET.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_samples_beside_the_outcomes_are_drawn(
    tmp_path: Path, summary: Summary, outcome: Outcome
) -> None:
    file = tmp_path / outcome.samples_file
    file.parent.mkdir()
    file.write_text(
        "t_s,usage,anon,file,swap,agents,oom_kills,health_ms\n0.1,9,9,0,0,1,0,\n0.2,9,9,0,0,1,0,\n"
    )
    write_reports(tmp_path, summary, [outcome])
    assert "no samples" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_full_disk_leaves_the_old_reports_untouched(
    tmp_path: Path,
    summary: Summary,
    outcomes: tuple[Outcome, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_reports(tmp_path, summary, outcomes)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        NAMES, "old"
    )


def test_others_may_read_a_report(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        replace_file(tmp_path / "report.html", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o644


def test_a_text_that_utf8_cannot_carry_does_not_cost_the_report(tmp_path: Path) -> None:
    replace_file(tmp_path / "report.html", "name \ud800")
    assert (tmp_path / "report.html").read_text() == "name \\ud800"


def test_latest_points_to_the_newest_run_by_a_relative_link(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        point_latest(tmp_path, tmp_path / name)
    assert (tmp_path / "latest").readlink() == Path("second")
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "latest"}


def test_latest_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    point_latest(tmp_path, tmp_path / "first")
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        assert target.readlink() == Path("first"), "the old link is there until the new one is"
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    point_latest(tmp_path, tmp_path / "second")
    assert (tmp_path / "latest").readlink() == Path("second")


def test_a_folder_called_latest_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "run").mkdir()
    with pytest.raises(OSError, match="latest"):
        point_latest(tmp_path, tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == {"latest", "run"}
