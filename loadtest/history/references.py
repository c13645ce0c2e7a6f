"""What a person means by a baseline: a name, a run, a commit, `last`, `history` or a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from loadtest import outcome as record
from loadtest.history.compare import require_same_kind
from loadtest.history.errors import HistoryError, NoBaselineError
from loadtest.history.runs import Run, run_of
from loadtest.history.store import Mark, Store
from loadtest.history.verdicts import Baseline
from loadtest.summary import Summary

LAST, HISTORY = "last", "history"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_POOL = 50


def baseline_for(reference: str, new: Run, store: Store | None) -> Baseline:
    """The baseline of a run that a reference names. Raises HistoryError.

    Without a store, which means that nothing was recorded yet, only files can be named.
    """
    if is_file(reference):
        run = read_run(Path(reference))
        _require_good(run, reference)
        return Baseline(reference, (run,))
    if store is None:
        raise NoBaselineError(
            f"baseline {reference!r}: nothing was recorded yet",
            next_step="run the load test once, or name the summary.json of a run",
        )
    runs, marks = store.runs(), store.marks()
    if reference == LAST:
        chosen, name = [_last(new, runs)], "last good run"
    elif reference == HISTORY:
        chosen, name = pool(new, runs, marks)
    else:
        run = find_run(reference, runs, marks, like=new)
        _require_good(run, reference)
        require_same_kind(new, run, reference)
        chosen, name = [run], reference
    return Baseline(name, tuple(store.with_samples(chosen)))


def is_file(reference: str) -> bool:
    """Whether a reference names a file or a folder instead of something in the history."""
    return "/" in reference or reference.endswith(".json")


def read_run(path: Path) -> Run:
    """The run in a report's folder, or of a summary.json with trials.jsonl beside it.

    Raises HistoryError for what is missing or cannot be read.
    """
    file = path / "summary.json" if path.is_dir() else path
    trials = file.with_name("trials.jsonl")
    try:
        return run_of(Summary.read(file), list(record.read(trials)), str(file.parent))
    except OSError as error:
        raise HistoryError(
            f"{error.filename or file}: {error.strerror or error}",
            next_step="name a report's folder, or its summary.json with trials.jsonl beside it",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise HistoryError(
            f"{file}: not a report of this version ({first})",
            next_step="a report of another version is read by the checkout that wrote it",
        ) from error


def find_run(
    reference: str, runs: Sequence[Run], marks: Sequence[Mark], like: Run | None = None
) -> Run:
    """The recorded run that a baseline's name, a run id or the start of a commit stands for.

    Of several runs of a commit it is the newest good one, of the kind of `like` where there is
    any such. Raises HistoryError.
    """
    by_id = {run.run_id: run for run in runs}
    marked = {mark.name: mark.run_id for mark in marks}
    if marked.get(reference, reference) in by_id:
        return by_id[marked.get(reference, reference)]
    of_commit = [
        run
        for run in runs
        if _COMMIT.fullmatch(reference)
        and run.header.commit_id.startswith(reference)
        and (like is None or run.run_id != like.run_id)
    ]
    commits = {run.header.commit_id for run in of_commit}
    if len(commits) > 1:
        raise HistoryError(
            f"{reference!r} is the start of {len(commits)} commits in the history",
            next_step="write more of it",
        )
    if not of_commit:
        raise HistoryError(
            f"no baseline, run or commit {reference!r} in the history",
            next_step="invoke baseline lists what there is",
        )
    return max(of_commit, key=lambda run: (run.good, _alike(run, like), run.when))


def pool(new: Run, runs: Sequence[Run], marks: Sequence[Mark]) -> tuple[list[Run], str]:
    """All good runs of a run's kind before it, from the latest mark of that kind on, and a name.

    Raises HistoryError where there is none.
    """
    earlier = _good_before(new, runs)
    mark = latest_mark(new, runs, marks)
    if mark:
        since = next(run.when for run in runs if run.run_id == mark.run_id)
        earlier = [run for run in earlier if run.when >= since]
    if not earlier:
        raise _nothing_alike(new, runs)
    many = f"{len(earlier)} good run" + ("s" if len(earlier) > 1 else "")
    return earlier[-_POOL:], f"{many} since {mark.name}" if mark else many


def latest_mark(new: Run, runs: Sequence[Run], marks: Sequence[Mark]) -> Mark | None:
    """The baseline marked last among the good runs of a run's kind before it."""
    possible = {run.run_id for run in _good_before(new, runs)}
    return next((mark for mark in marks if mark.run_id in possible), None)


def mark_run(store: Store, name: str, reference: str) -> Run:
    """Give a good run a name to be compared with. Raises HistoryError."""
    if not _NAME.fullmatch(name) or name in (LAST, HISTORY) or name.endswith(".json"):
        raise HistoryError(
            f"{name!r} cannot be a baseline's name",
            next_step="take letters, digits, dots and dashes, and not last, history or a file",
        )
    runs = store.runs()
    if name in {run.run_id for run in runs}:
        raise HistoryError(f"{name!r} is the id of a run", next_step="choose another name")
    if reference == LAST:
        good = [run for run in runs if run.good]
        if not good:
            raise HistoryError("no run was measured whole yet", next_step="run the load test")
        run = good[-1]
    else:
        run = find_run(reference, runs, store.marks())
    _require_good(run, reference)
    store.mark(name, run.run_id)
    return run


def _good_before(new: Run, runs: Sequence[Run]) -> list[Run]:
    return [
        run
        for run in runs
        if run.good and run.kind == new.kind and run.when < new.when and run.run_id != new.run_id
    ]


def _last(new: Run, runs: Sequence[Run]) -> Run:
    earlier = _good_before(new, runs)
    if not earlier:
        raise _nothing_alike(new, runs)
    return earlier[-1]


def _alike(run: Run, like: Run | None) -> bool:
    return like is None or run.kind == like.kind


def _nothing_alike(new: Run, runs: Sequence[Run]) -> NoBaselineError:
    text = f"no good run like this one before it ({new.kind})"
    others = [run for run in runs if run.good and run.run_id != new.run_id]
    if others:
        differences = new.kind.differences(others[-1].kind)
        text += f"; the newest good run, {others[-1].run_id}, "
        text += f"differs: {'; '.join(differences)}" if differences else "is not older"
    step = "this run is recorded, and can be the baseline of the next"
    return NoBaselineError(text, next_step=step)


def _require_good(run: Run, reference: str) -> None:
    if not run.good:
        raise HistoryError(
            f"{reference}: run {run.run_id} ended with exit code {run.header.exit_code}: it was "
            "interrupted or did not decide, so it is no baseline",
            next_step="choose a run that ended with 0 or 1: invoke baseline lists them",
        )
