"""The doors of the history, from a report to a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.history.errors import HistoryError
from loadtest.history.page import PAGE
from loadtest.history.regression import compare_runs, compare_with, record_run
from loadtest.history.store import FILE, opened
from settings.load import load_settings
from tests.loadtest.history.builders import Worse, campaign, report

SETTINGS = load_settings()


def record(reports: Path, number: int, worse: Worse | None = None, **changes: Any) -> None:
    folder, summary, outcomes = report(reports, number, worse, **changes)
    record_run(reports, folder, summary, outcomes, SETTINGS.loadtest.tolerances)


def test_a_run_is_compared_before_and_after_it_is_recorded(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        record(tmp_path, number)
    summary, outcomes = campaign(4, Worse(memory=1.05))
    before = compare_with(tmp_path, "history", summary, outcomes, SETTINGS)
    record(tmp_path, 4, Worse(memory=1.05))
    after = compare_with(tmp_path, "history", summary, outcomes, SETTINGS)
    assert before == after
    assert before.regressed
    assert before.baseline_runs == ("run-001", "run-002", "run-003")


def test_two_recorded_runs_are_compared(tmp_path: Path) -> None:
    record(tmp_path, 1)
    record(tmp_path, 2, Worse(slots=9))
    assert compare_runs(tmp_path, "run-001", "run-002", SETTINGS).regressed
    assert compare_runs(tmp_path, "run-001", "last", SETTINGS).regressed
    assert not compare_runs(tmp_path, "run-002", "run-001", SETTINGS).regressed


def test_two_reports_are_compared_without_a_history(tmp_path: Path) -> None:
    old, _, _ = report(tmp_path, 1)
    new, _, _ = report(tmp_path, 2, Worse(base=230e6))
    comparison = compare_runs(tmp_path, str(old), str(new / "summary.json"), SETTINGS)
    assert comparison.regressed
    assert not (tmp_path / FILE).exists()


def test_a_run_nobody_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="run 'run-001': nothing was recorded yet"):
        compare_runs(tmp_path, "run-001", "run-001", SETTINGS)
    record(tmp_path, 1)
    with pytest.raises(HistoryError, match="no baseline, run or commit 'run-009'"):
        compare_runs(tmp_path, "run-001", "run-009", SETTINGS)


def test_runs_that_were_cut_short_are_recorded_and_never_a_baseline(tmp_path: Path) -> None:
    record(tmp_path, 1)
    record(tmp_path, 2, exit_code=130)
    record(tmp_path, 3, exit_code=3)
    with opened(tmp_path / FILE) as store:
        assert len(store.runs()) == 3
    summary, outcomes = campaign(4)
    comparison = compare_with(tmp_path, "last", summary, outcomes, SETTINGS)
    assert comparison.baseline_runs == ("run-001",)


def test_every_record_writes_the_page_anew(tmp_path: Path) -> None:
    record(tmp_path, 1)
    assert "no good run of this kind before it" in (tmp_path / PAGE).read_text(encoding="utf-8")
    record(tmp_path, 2, Worse(slots=9))
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "1 of 8 metrics regressed" in page
    assert list(tmp_path.glob(".*")) == []


def test_the_page_links_to_the_reports_that_are_still_there(tmp_path: Path) -> None:
    (tmp_path / "run-001").mkdir()
    (tmp_path / "run-001" / "report.html").touch()
    for number in (1, 2):
        summary, outcomes = campaign(number)
        folder = tmp_path / summary.run_id
        record_run(tmp_path, folder, summary, outcomes, SETTINGS.loadtest.tolerances)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert 'href="run-001/report.html"' in page
    assert 'href="run-002' not in page
