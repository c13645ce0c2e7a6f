"""Which runs a run can be compared with, as `invoke baseline` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.history.errors import HistoryError
from loadtest.history.references import mark_run
from loadtest.history.regression import rewrite_page
from loadtest.history.store import FILE, Store, opened
from settings.models import Tolerance


@dataclass(frozen=True)
class Candidate:
    """A run that is a baseline or can be made one."""

    run_id: str
    started_at: str
    commit: str
    kind: str
    names: tuple[str, ...]
    """Baselines that it is; none for a mere candidate."""


def candidates(out_dir: Path) -> list[Candidate]:
    """All good runs in the history of a folder, newest first. Raises HistoryError."""
    with opened(out_dir / FILE) as store:
        return _listed(store)


def set_baseline(
    out_dir: Path, name: str, reference: str, tolerances: dict[str, Tolerance]
) -> Candidate:
    """Name a run (an id, a commit, another baseline or `last`). Raises HistoryError, OSError."""
    with opened(out_dir / FILE) as store:
        run = mark_run(store, name, reference)
        marked = next(one for one in _listed(store) if one.run_id == run.run_id)
    rewrite_page(out_dir, tolerances)
    return marked


def remove_baseline(out_dir: Path, name: str, tolerances: dict[str, Tolerance]) -> None:
    """Forget a name; its run stays. Raises HistoryError where there is none, and OSError."""
    with opened(out_dir / FILE) as store:
        if not store.unmark(name):
            raise HistoryError(
                f"no baseline is named {name!r}", next_step="invoke baseline lists them"
            )
    rewrite_page(out_dir, tolerances)


def show_candidates(rows: Sequence[Candidate]) -> str:
    """The list for a person, a line a run, the kinds apart."""
    if not rows:
        return "no run was measured whole yet"
    lines: list[str] = []
    for kind in dict.fromkeys(row.kind for row in rows):
        alike = [row for row in rows if row.kind == kind]
        names = [", ".join(row.names) or "-" for row in alike]
        width = max(map(len, names))
        wide = max(len(row.run_id) for row in alike)
        lines += [] if not lines else [""]
        lines.append(kind)
        lines += [
            f"  {name:<{width}}  {row.run_id:<{wide}}  {row.started_at[:19]}  {row.commit or '-'}"
            for name, row in zip(names, alike, strict=True)
        ]
    return "\n".join(lines)


def _listed(store: Store) -> list[Candidate]:
    names: dict[str, list[str]] = {}
    for mark in store.marks():
        names.setdefault(mark.run_id, []).append(mark.name)
    return [
        Candidate(
            run_id=run.run_id,
            started_at=run.header.started_at,
            commit=run.commit,
            kind=str(run.kind),
            names=tuple(sorted(names.get(run.run_id, []))),
        )
        for run in reversed(store.runs())
        if run.good
    ]
