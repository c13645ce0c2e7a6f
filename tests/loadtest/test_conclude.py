"""What becomes of a campaign's outcomes: verdicts, reports, the history and the exit code."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest import conclude as under_test
from loadtest.campaign import Request
from loadtest.conclude import conclude, with_regressions
from loadtest.history.errors import HistoryError, NoBaselineError
from loadtest.history.store import FILE
from loadtest.history.verdicts import Comparison, Finding
from loadtest.measure import Job, Measured
from loadtest.outcome import Outcome
from loadtest.plan import Backing, Choice, make_campaign
from loadtest.report.words import headline, verdict_of
from loadtest.rig.errors import RigError
from loadtest.summary import Summary
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import HOST, LIMITS, agent, outcome, trial

SETTINGS = load_settings()
WORSE = Comparison(
    "run-2", "last good run", ("run-1",), "kind",
    (Finding("base-memory", "regressed", "+7 %"), Finding("slots:x", "unchanged", "")),
)  # fmt: skip


def ramps(number: int = 3) -> list[Outcome]:
    agents = tuple(agent(n, private_bytes=250_000_000, target_bytes=250_000_000) for n in range(12))
    return [
        outcome(trial=trial(id=f"ramp-medium-{run}", run=run), agents=agents)
        for run in range(1, number + 1)
    ]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    campaign = make_campaign(
        SETTINGS, plan_name="quick", true_limit=48 * GIB, scale=1 / 16, grade="scaled",
        choice=Choice(["medium"]),
    )  # fmt: skip
    folder = tmp_path / "reports" / "run-2"
    (folder / "samples").mkdir(parents=True)
    return Job(SETTINGS, campaign, LIMITS, HOST, Backing(campaign.limit), folder)


def finish(job: Job, **facts: Any) -> tuple[int, str]:
    """The exit code and what was printed."""
    text = io.StringIO()
    request = facts.pop("request", Request(out=job.folder.parent))
    measured = Measured(**({"outcomes": ramps(), "origin": {"image": "i"}} | facts))
    return conclude(request, job, measured, Console(file=text, width=100)), text.getvalue()


def summary_of(job: Job) -> Summary:
    return Summary.read(job.folder / "summary.json")


def test_a_campaign_that_confirms_all_is_reported_recorded_and_ends_with_0(job: Job) -> None:
    code, text = finish(job)
    assert code == 0, text
    assert (job.folder / "report.html").exists()
    assert (job.folder.parent / FILE).exists()
    assert summary_of(job).regressed == ()


def against(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    def compare_with(*_: object) -> object:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(under_test, "compare_with", compare_with)


def test_a_regression_ends_it_with_1_and_is_not_called_a_refuted_claim(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    against(monkeypatch, WORSE)
    code, text = finish(job, request=Request(out=job.folder.parent, baseline="last"))
    assert code == 1
    shown = summary_of(job)
    assert (shown.exit_code, shown.regressed) == (1, ("base-memory",))
    assert "1 metric regressed; no claim refuted" in headline(shown)
    assert verdict_of(shown) == "refuted"
    assert "self-check fails" not in text
    assert json.loads((job.folder / "comparison.json").read_text())


def test_without_anything_to_compare_with_it_goes_on_and_says_so(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    against(monkeypatch, NoBaselineError("nothing alike"))
    code, text = finish(job, request=Request(out=job.folder.parent, baseline="last"))
    assert code == 0
    assert "no baseline yet: nothing alike" in text


def test_a_baseline_that_does_not_fit_costs_no_report(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    against(monkeypatch, HistoryError("another kind"))
    with pytest.raises(HistoryError, match="another kind"):
        finish(job, request=Request(out=job.folder.parent, baseline="1.3"))
    assert (job.folder / "report.html").exists()
    assert (job.folder.parent / FILE).exists()


def test_what_stopped_it_is_raised_after_the_report(job: Job) -> None:
    with pytest.raises(RigError, match="engine lost"):
        finish(job, outcomes=ramps(1), stopped=RigError("engine lost"))
    assert summary_of(job).exit_code == 2
    assert (job.folder / "report.html").exists()


def test_an_interrupted_campaign_ends_with_130_even_where_it_cannot_be_recorded(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise HistoryError("database is full")

    monkeypatch.setattr(under_test, "record_run", full)
    code, text = finish(job, outcomes=ramps(1), stopped=KeyboardInterrupt())
    assert code == 130
    assert "not recorded: database is full" in text


def test_nothing_measured_is_no_report(job: Job) -> None:
    with pytest.raises(RigError):
        finish(job, outcomes=[], stopped=RigError("no engine"))
    assert not (job.folder / "summary.json").exists()


@pytest.mark.parametrize(("code", "shown"), [(0, 1), (3, 1), (1, 1), (2, 2), (130, 130)])
def test_being_worse_ends_only_a_run_that_was_measured_whole_with_1(
    job: Job, code: int, shown: int
) -> None:
    finish(job)
    summary = summary_of(job).model_copy(update={"exit_code": code})
    assert with_regressions(summary, WORSE).exit_code == shown
    unchanged = replace(WORSE, findings=WORSE.findings[1:])
    assert with_regressions(summary, unchanged) == with_regressions(summary, None) == summary
