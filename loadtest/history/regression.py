"""The doors of the history: record a run, compare a run with its baseline."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loadtest.history.compare import compare
from loadtest.history.errors import HistoryError
from loadtest.history.page import PAGE, render
from loadtest.history.references import (
    HISTORY,
    LAST,
    baseline_for,
    find_run,
    is_file,
    latest_mark,
    pool,
    read_run,
)
from loadtest.history.runs import Run, run_of
from loadtest.history.store import FILE, Store, opened
from loadtest.history.verdicts import Baseline, Comparison
from loadtest.outcome import Outcome
from loadtest.report.write import replace_file
from loadtest.summary import Summary
from settings.models import Settings, Tolerance

_SHOWN = 200


def record_run(
    out_dir: Path,
    folder: Path,
    summary: Summary,
    outcomes: Sequence[Outcome],
    tolerances: Mapping[str, Tolerance],
) -> None:
    """Add a campaign to the history in `out_dir` and write history.html anew.

    `folder` is where its report is. Recording a run again changes nothing. Raises HistoryError,
    and OSError where the page cannot be written.
    """
    run = run_of(summary, outcomes, os.path.relpath(folder, out_dir))
    with opened(out_dir / FILE, create=True) as store:
        store.record(run, summary)
        _write_page(out_dir, store, tolerances)


def rewrite_page(out_dir: Path, tolerances: Mapping[str, Tolerance]) -> None:
    """Write history.html anew from what is recorded. Raises HistoryError and OSError."""
    with opened(out_dir / FILE) as store:
        _write_page(out_dir, store, tolerances)


def check_reference(out_dir: Path, reference: str) -> None:
    """See that a baseline can be had before anything is measured for it. Raises HistoryError.

    `last` and `history` may have nothing yet: the first run of a kind begins its history.
    """
    if is_file(reference):
        read_run(Path(reference))
    elif reference not in (LAST, HISTORY):
        with _store(out_dir) as store:
            _run(reference, store)


def compare_with(
    out_dir: Path,
    reference: str,
    summary: Summary,
    outcomes: Sequence[Outcome],
    settings: Settings,
) -> Comparison:
    """Compare a campaign, recorded or not, with the baseline that `reference` names.

    A reference is `last`, `history`, a baseline's name, a run id, the start of a commit, or a
    summary.json or its folder. Raises HistoryError, also where the two are not of one kind.
    """
    with _store(out_dir) as store:
        return _compare(run_of(summary, outcomes), reference, store, settings.loadtest.tolerances)


def compare_runs(out_dir: Path, a: str, b: str, settings: Settings) -> Comparison:
    """Compare run `b` with run `a`, each named as in `compare_with`. Raises HistoryError.

    For `b`, `last` is the newest good run of all.
    """
    with _store(out_dir) as store:
        return _compare(_run(b, store), a, store, settings.loadtest.tolerances)


def _run(reference: str, store: Store | None) -> Run:
    if is_file(reference):
        return read_run(Path(reference))
    if store is None:
        raise HistoryError(
            f"run {reference!r}: nothing was recorded yet",
            next_step="run the load test once, or name the summary.json of a run",
        )
    runs = store.runs()
    good = [run for run in runs if run.good]
    chosen = good[-1] if reference == "last" and good else find_run(reference, runs, store.marks())
    return store.with_samples([chosen])[0]


def _compare(
    new: Run, reference: str, store: Store | None, tolerances: Mapping[str, Tolerance]
) -> Comparison:
    baseline = baseline_for(reference, new, store)
    history: list[Run] = []
    if store:
        alike = [run for run in store.runs() if run.kind == new.kind and run.when < new.when]
        history = store.with_samples(alike[-_SHOWN:])
    return compare(new, baseline, tolerances, history)


@contextlib.contextmanager
def _store(out_dir: Path) -> Iterator[Store | None]:
    if not (out_dir / FILE).exists():
        yield None
        return
    with opened(out_dir / FILE) as store:
        yield store


def _write_page(out_dir: Path, store: Store, tolerances: Mapping[str, Tolerance]) -> None:
    runs, marks = store.runs(), store.marks()
    by_kind: dict[str, list[Run]] = {}
    for run in reversed(runs):  # the kind that was measured last comes first
        by_kind.setdefault(str(run.kind), []).append(run)
    stories = []
    for alike in by_kind.values():
        shown = store.with_samples(alike[:_SHOWN][::-1])
        stories.append((shown, _latest(shown, store, tolerances)))
    reports = {run.run_id for run in runs if (out_dir / run.header.folder / "report.html").exists()}
    replace_file(out_dir / PAGE, render(stories, marks, tolerances, reports))


def _latest(
    shown: Sequence[Run], store: Store, tolerances: Mapping[str, Tolerance]
) -> Comparison | None:
    """The newest run beside the baseline marked last, or beside all good runs before it."""
    new, runs, marks = shown[-1], store.runs(), store.marks()
    mark = latest_mark(new, runs, marks)
    try:
        if mark:
            baseline = baseline_for(mark.name, new, store)
        else:
            chosen, name = pool(new, runs, marks)
            baseline = Baseline(name, tuple(store.with_samples(chosen)))
    except HistoryError:
        return None  # the first good run of its kind
    return compare(new, baseline, tolerances, shown)
