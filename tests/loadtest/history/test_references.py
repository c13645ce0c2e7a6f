"""What a person means by a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.history.errors import HistoryError
from loadtest.history.references import baseline_for, find_run, mark_run
from loadtest.history.runs import run_of
from loadtest.history.store import FILE, Store, opened
from tests.loadtest.history.builders import campaign, report, run

NEW = run(40)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Good runs 1, 2, 3 and 5, an interrupted 4, a 6 of another plan."""
    changes: dict[int, dict[str, Any]] = {4: {"exit_code": 130}, 6: {"plan": "quick"}}
    with opened(tmp_path / FILE, create=True) as store:
        for number in range(1, 7):
            summary, outcomes = campaign(number, **changes.get(number, {}))
            store.record(run_of(summary, outcomes), summary)
        yield store


def ids(reference: str, store: Store) -> list[str]:
    baseline = baseline_for(reference, NEW, store)
    assert all(one.samples for one in baseline.runs)
    return [one.run_id for one in baseline.runs]


def test_last_is_the_newest_good_run_of_the_same_kind_before(store: Store) -> None:
    assert ids("last", store) == ["run-005"]
    assert baseline_for("last", run(3), store).runs[0].run_id == "run-002"


def test_history_is_every_good_run_of_the_same_kind_before(store: Store) -> None:
    baseline = baseline_for("history", NEW, store)
    assert [one.run_id for one in baseline.runs] == ["run-001", "run-002", "run-003", "run-005"]
    assert baseline.name == "4 good runs"
    assert baseline.pooled


def test_history_begins_at_the_baseline_marked_last(store: Store) -> None:
    mark_run(store, "old", "run-001")
    mark_run(store, "v2", "run-003")
    mark_run(store, "another-kind", "run-006")
    assert ids("history", store) == ["run-003", "run-005"]
    assert baseline_for("history", NEW, store).name == "2 good runs since v2"


def test_a_run_is_named_by_its_id_or_its_baseline_or_its_commit(store: Store) -> None:
    mark_run(store, "v1.0", "run-002")
    assert ids("run-001", store) == ["run-001"]
    assert ids("v1.0", store) == ["run-002"]
    assert ids("00000003" * 5, store) == ["run-003"]
    assert ids("00000003", store) == ["run-003"]


def test_of_a_commits_runs_the_newest_good_one_of_the_kind_counts(store: Store) -> None:
    for number, plan in ((7, "regression"), (8, "regression"), (9, "quick")):
        summary, outcomes = campaign(
            number, plan=plan, origin={"commit": "abcdef12", "engine": "27.3.1"},
            exit_code=3 if number == 8 else 0,
        )  # fmt: skip
        store.record(run_of(summary, outcomes), summary)
    assert ids("abcd", store) == ["run-007"]
    assert find_run("abcd", store.runs(), []).run_id == "run-009"


def test_the_start_of_several_commits_is_refused(store: Store) -> None:
    with pytest.raises(HistoryError, match="'0000' is the start of 6 commits"):
        baseline_for("0000", NEW, store)


def test_what_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(HistoryError, match="no baseline, run or commit 'v9' in the history"):
        baseline_for("v9", NEW, store)


def test_an_interrupted_run_is_no_baseline(store: Store) -> None:
    with pytest.raises(HistoryError, match="run run-004 ended with exit code 130: it was inter"):
        baseline_for("run-004", NEW, store)
    with pytest.raises(HistoryError, match="is no baseline"):
        mark_run(store, "v1", "run-004")


def test_a_run_of_another_kind_is_refused(store: Store) -> None:
    with pytest.raises(HistoryError, match="not alike: plan: regression here, quick there"):
        baseline_for("run-006", NEW, store)


def test_without_a_run_alike_it_says_what_differs(store: Store) -> None:
    strange = run(40, scale=0.5)
    for reference in ("last", "history"):
        with pytest.raises(HistoryError, match=r"run-006, differs: plan: .*; scale: 0.5 here"):
            baseline_for(reference, strange, store)


def test_a_report_on_disk_can_be_named_without_a_history(tmp_path: Path) -> None:
    folder, _, _ = report(tmp_path, 1)
    for reference in (folder, folder / "summary.json"):
        baseline = baseline_for(str(reference), NEW, None)
        assert baseline.runs[0].samples == run(1).samples


def test_without_a_history_a_name_is_refused() -> None:
    with pytest.raises(HistoryError, match="nothing was recorded yet"):
        baseline_for("last", NEW, None)


def test_an_interrupted_report_is_no_baseline_either(tmp_path: Path) -> None:
    folder, _, _ = report(tmp_path, 1, exit_code=130)
    with pytest.raises(HistoryError, match="exit code 130"):
        baseline_for(str(folder), NEW, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("{}", "not a report of this version"), ("\x00", "not a report of")],
)
def test_a_file_that_is_no_report_is_one_clear_line(
    tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "summary.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(HistoryError, match=said) as caught:
        baseline_for(str(path), NEW, None)
    assert "\n" not in str(caught.value)


def test_a_summary_without_its_trials_is_refused(tmp_path: Path) -> None:
    folder, _, _ = report(tmp_path, 1)
    (folder / "trials.jsonl").unlink()
    with pytest.raises(HistoryError, match=r"trials\.jsonl: No such file"):
        baseline_for(str(folder), NEW, None)


@pytest.mark.parametrize("name", ["last", "history", "", "a b", "a/b", "x.json", "-v", "run-001"])
def test_a_name_that_means_something_else_is_refused(store: Store, name: str) -> None:
    with pytest.raises(HistoryError):
        mark_run(store, name, "run-002")
    assert store.marks() == []


def test_the_newest_good_run_can_be_marked_as_last(store: Store) -> None:
    assert mark_run(store, "v1", "last").run_id == "run-006"
