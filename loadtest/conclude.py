"""From outcomes to verdicts, reports and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from loadtest.claims import exit_code as exit_code_of
from loadtest.claims import judge
from loadtest.history.errors import HistoryError, NoBaselineError
from loadtest.history.regression import compare_with, record_run
from loadtest.history.terminal import print_comparison
from loadtest.history.verdicts import Comparison
from loadtest.measure import Job, Measured
from loadtest.outcome import Outcome
from loadtest.plan import Campaign
from loadtest.report.prometheus import write_textfile
from loadtest.report.terminal import print_summary
from loadtest.report.write import point_latest, write_reports
from loadtest.summarise import Facts, summarise
from loadtest.summary import (
    CONFIRMED,
    INTERRUPTED,
    INVALID,
    REFUTED,
    UNUSABLE,
    ClaimResult,
    Summary,
)
from settings.models import Settings

if TYPE_CHECKING:
    from loadtest.campaign import Request


def conclude(request: Request, job: Job, measured: Measured, console: Console) -> int:
    """Judge what was measured, report and record it, and return the exit code.

    Raises what stopped the campaign, unless somebody interrupted it; what was measured until
    then is reported first.
    """
    stopped = measured.stopped
    if stopped and measured.nothing:
        raise stopped
    results = judge_all(job.settings, job.campaign, measured.outcomes)
    code = exit_code_of(results) if stopped is None else code_of(stopped)
    facts = Facts(
        run_id=job.folder.name,
        request=request,
        campaign=job.campaign,
        backing=job.backing,
        limits=job.limits,
        host=job.host,
        origin=measured.origin,
        duration_s=measured.took_s,
        exit_code=code,
    )
    summary = summarise(facts, job.settings, results, measured.outcomes)
    problem: Exception | None = None
    comparison = None
    try:
        comparison = compare(request, job, summary, measured.outcomes, console)
    except HistoryError as error:
        problem = error  # hours of measuring are reported first
    shown = with_regressions(summary, comparison)
    print_summary(console, shown, job.folder)
    if comparison:
        print_comparison(console, comparison)
    try:
        keep(request, job, shown, measured.outcomes, comparison)
        record(request, job, summary, measured.outcomes)
    except (HistoryError, OSError) as error:
        problem = error
    if isinstance(stopped, KeyboardInterrupt):
        if problem:
            console.print(f"not recorded: {problem}", markup=False, highlight=False)
        return INTERRUPTED
    if stopped or problem:
        raise stopped or problem  # type: ignore[misc]
    return shown.exit_code


def compare(
    request: Request, job: Job, summary: Summary, outcomes: Sequence[Outcome], console: Console
) -> Comparison | None:
    """The run beside the baseline that was asked for; None without one. Raises HistoryError."""
    if request.baseline is None or not outcomes:
        return None
    try:
        return compare_with(request.out, request.baseline, summary, outcomes, job.settings)
    except NoBaselineError as error:
        console.print(f"no baseline yet: {error}", markup=False, highlight=False, soft_wrap=True)
        return None


def with_regressions(summary: Summary, comparison: Comparison | None) -> Summary:
    """The summary as it is shown: with what is worse than before, which ends a run with 1."""
    if comparison is None or not comparison.regressed:
        return summary
    worse = tuple(one.metric for one in comparison.findings if one.verdict == "regressed")
    code = REFUTED if summary.exit_code in (CONFIRMED, INVALID) else summary.exit_code
    return summary.model_copy(update={"regressed": worse, "exit_code": code})


def keep(
    request: Request,
    job: Job,
    summary: Summary,
    outcomes: Sequence[Outcome],
    comparison: Comparison | None,
) -> None:
    """Write the reports, and what Prometheus reads. Raises OSError."""
    write_reports(job.folder, summary, outcomes)
    if outcomes:
        point_latest(request.out, job.folder)
    if comparison:
        (job.folder / "comparison.json").write_text(comparison.to_json(), encoding="utf-8")
    if request.prometheus:
        write_textfile(request.prometheus, summary, comparison, outcomes)


def record(request: Request, job: Job, summary: Summary, outcomes: Sequence[Outcome]) -> None:
    """Add the run to the history, by what its claims say. Raises HistoryError and OSError."""
    if outcomes:
        record_run(request.out, job.folder, summary, outcomes, job.settings.loadtest.tolerances)


def judge_all(
    settings: Settings, campaign: Campaign, outcomes: Sequence[Outcome]
) -> list[ClaimResult]:
    """A verdict for every claim of the guide, those not asked for included."""
    return [
        judge(
            name,
            claim,
            outcomes,
            scale=campaign.scale,
            selected=name in campaign.claims,
            planned=campaign.trials,
            confidence=settings.loadtest.confidence if campaign.plan.confirm else None,
        )
        for name, claim in settings.claims.items()
    ]


def code_of(stopped: BaseException) -> int:
    """Exit code of a campaign that was cut short."""
    return INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else UNUSABLE
