"""history.html: every kind of run with its trends, as one file without network and script."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.history import metrics
from loadtest.history.change_points import ChangePoint, change_points
from loadtest.history.runs import Run
from loadtest.history.store import Mark
from loadtest.history.trend import Trend, trend_chart
from loadtest.history.verdicts import Comparison
from loadtest.history.words import MARKS, headline
from loadtest.report.charts import NARROW, WIDE
from loadtest.report.html import moment
from loadtest.report.words import EXITS, scale_words
from settings.models import Tolerance
from settings.sizes import in_gib

PAGE = "history.html"
_FOLDERS = (
    Path(__file__).parent / "templates",
    Path(__file__).parents[1] / "report" / "templates",
)
_FEWEST = 2  # runs that make a trend

Story = tuple[Sequence[Run], Comparison | None]
"""The runs of one kind with their samples, oldest first, and how the newest compares."""


@dataclass(frozen=True)
class _TrendView:
    """One metric as the template shows it."""

    metric: str
    chart: tuple[Markup, Markup]
    """For a desk and for a phone."""
    changes: list[str]


@dataclass(frozen=True)
class _KindView:
    """One kind of run as the template shows it."""

    title: str
    details: str
    runs: list[Run]
    """Newest first."""
    comparison: Comparison | None
    headline: str
    trends: list[_TrendView]


def render(
    stories: Sequence[Story],
    marks: Sequence[Mark],
    tolerances: Mapping[str, Tolerance],
    reports: Collection[str] = (),
) -> str:
    """The whole page. `reports` are the ids of runs whose report can still be linked to."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=moment)
    names: dict[str, list[str]] = {}
    for mark in marks:
        names.setdefault(mark.run_id, []).append(mark.name)
    context: dict[str, Any] = {
        "kinds": [_view(runs, comparison, tolerances) for runs, comparison in stories if runs],
        "names": names,
        "reports": reports,
        "marks": MARKS,
        "exits": EXITS,
    }
    return environment.get_template("history.html.j2").render(context)


def _view(
    runs: Sequence[Run], comparison: Comparison | None, tolerances: Mapping[str, Tolerance]
) -> _KindView:
    kind = runs[-1].kind
    return _KindView(
        title=f"Plan {kind.plan} at {scale_words(kind.scale)}, limit {in_gib(kind.limit, 0)}",
        details=(
            f"{kind.cpus} processors, {kind.memory_gib} GiB, cgroup v{kind.cgroup_version}, "
            f"Docker {kind.engine}; {kind.target}; agents {kind.spread}."
        ),
        runs=list(reversed(runs)),
        comparison=comparison,
        headline=headline(comparison) if comparison else "",
        trends=list(_trends(runs, comparison, tolerances)),
    )


def _trends(
    runs: Sequence[Run], comparison: Comparison | None, tolerances: Mapping[str, Tolerance]
) -> Iterator[_TrendView]:
    findings = {one.metric: one for one in comparison.findings} if comparison else {}
    for metric in sorted({name for run in runs for name in run.samples}, key=metrics.order):
        measured = [run for run in runs if run.samples.get(metric)]
        if len(measured) < _FEWEST:
            continue
        finding = findings.get(metric)
        trend = Trend(
            metric=metric,
            runs=measured,
            changes=changes_of(metric, measured, tolerances),
            baseline=finding.baseline if finding else None,
            tolerance=finding.tolerance if finding else None,
        )
        said = [_said(trend, change) for change in trend.changes]
        yield _TrendView(metric, (trend_chart(trend, WIDE), trend_chart(trend, NARROW)), said)


def changes_of(
    metric: str, runs: Sequence[Run], tolerances: Mapping[str, Tolerance]
) -> list[ChangePoint]:
    """The lasting changes in runs that all have the metric; none where it has no tolerance."""
    values = [median for run in runs if (median := run.median(metric)) is not None]
    middle = sorted(values)[len(values) // 2]
    least = metrics.tolerance_of(metric, tolerances, middle)
    return [] if least is None else change_points(values, least)


def _said(trend: Trend, change: ChangePoint) -> str:
    run = trend.runs[change.index]
    before, after = (metrics.in_words(trend.metric, v) for v in (change.before, change.after))
    commit = f", commit {run.commit}" if run.commit else ""
    return f"{run.header.started_at[:10]}{commit}: from {before} to {after} (run {run.run_id})"
