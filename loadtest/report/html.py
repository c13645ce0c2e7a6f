"""The report as one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.outcome import Outcome
from loadtest.report import chances, words
from loadtest.report.charts import NARROW, WIDE, boundary_chart, lanes_chart, memory_chart
from loadtest.report.guide import said_by_workload
from loadtest.report.samples import Samples
from loadtest.report.trial_words import trial_name, trial_result
from loadtest.summary import VERDICT_OF_SEEN, Summary
from settings.sizes import in_gb, in_gib, in_mb

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _TrialView:
    """One trial as the template shows it; each chart for a desk and for a phone."""

    outcome: Outcome
    name: str
    result: str
    memory: tuple[Markup, Markup]
    lanes: tuple[Markup, Markup]
    swapped: bool
    """Whether any of its memory was in swap."""
    charted: bool
    """Whether there is anything to draw: a situation may need neither agents nor samples."""


def render(
    summary: Summary, outcomes: Sequence[Outcome], samples_of: Callable[[Outcome], Samples]
) -> str:
    """The whole page. `samples_of` gives the samples of a trial, empty where there are none."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        gb=in_gb, gib=in_gib, mb=in_mb, fact_words=words.fact, duration=duration, moment=moment,
        runs_words=chances.runs_words, meaning=chances.meaning,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        _context(summary, outcomes, samples_of)
    )


def _context(
    summary: Summary, outcomes: Sequence[Outcome], samples_of: Callable[[Outcome], Samples]
) -> dict[str, Any]:
    said = said_by_workload(summary)
    return {
        "summary": summary,
        "headline": words.headline(summary),
        "tally": words.tally(summary),
        "counted": words.counted(summary),
        "verdict": words.verdict_of(summary),
        "marks": words.MARKS,
        "bases": words.BASES,
        "sections": words.by_section(summary.claims),
        "legend": list(words.bases_of(summary)),
        "seen": VERDICT_OF_SEEN,
        "grade_words": words.GRADES[summary.grade],
        "scale_words": words.scale_words(summary.scale),
        "exit_words": words.EXITS.get(summary.exit_code, "not a code of this program"),
        "both_readings": len({boundary.reading for boundary in summary.boundaries}) > 1,
        "chances": chances.by_workload(summary.chances),
        "boundary": _both(
            lambda width: boundary_chart(summary.boundaries, said, summary.chances, width)
        ),
        "trials": list(_trials(outcomes, samples_of)),
    }


def _trials(
    outcomes: Sequence[Outcome], samples_of: Callable[[Outcome], Samples]
) -> Iterator[_TrialView]:
    for outcome in outcomes:
        yield _view(outcome, samples_of(outcome))


def _view(outcome: Outcome, samples: Samples) -> _TrialView:
    return _TrialView(
        outcome=outcome,
        name=trial_name(outcome.trial),
        result=trial_result(outcome),
        memory=_both(lambda width: memory_chart(samples, outcome, width)),
        lanes=_both(lambda width: lanes_chart(outcome, width)),
        swapped=any(samples.swap),
        charted=bool(outcome.trial.kind != "scenario" or outcome.agents or len(samples)),
    )


def _both(chart: Callable[[float], Markup]) -> tuple[Markup, Markup]:
    return chart(WIDE), chart(NARROW)


def duration(seconds: float) -> str:
    """Seconds as people say them: "48 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        said = f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    elif whole < 3600:
        said = f"{whole // 60} min {whole % 60} s"
    else:
        said = f"{whole // 3600} h {whole % 3600 // 60} min"
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def moment(written: str) -> str:
    """An ISO time to the second; a text that is none stays as it is."""
    try:
        return datetime.fromisoformat(written).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return written
