"""The words and signs of a comparison, for the terminal and the page."""

from __future__ import annotations

from loadtest.history.verdicts import Comparison, Finding, Verdict
from loadtest.report.words import Mark

MARKS: dict[Verdict, Mark] = {
    "regressed": Mark("✗", "x", "red"),
    "improved": Mark("✓", "+", "green"),
    "unchanged": Mark("✓", "+", "dim"),
    "unclear": Mark("?", "?", "yellow"),
}


def headline(comparison: Comparison) -> str:
    """How a run compares, in one sentence."""
    count = {one: sum(f.verdict == one for f in comparison.findings) for one in MARKS}
    total = len(comparison.findings)
    if comparison.regressed:
        text = f"{count['regressed']} of {_many(total)} regressed"
    else:
        text = f"No regression in {_many(total)}"
    rest = [f"{count[one]} {one}" for one in ("improved", "unclear") if count[one]]
    return f"{', '.join([text, *rest])}, against {comparison.baseline}."


def first_shown(finding: Finding) -> str:
    """The run that a regression shows in first; empty for what is none."""
    first = finding.first_shown
    if first is None:
        return ""
    commit = f", commit {first.commit}" if first.commit else ""
    return f"since run {first.run_id} of {first.started_at[:10]}{commit}"


def _many(number: int) -> str:
    return f"{number} metric{'' if number == 1 else 's'}"
