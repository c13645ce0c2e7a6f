"""The words that every report uses: verdicts, grades, bases, exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadtest import summary as codes
from loadtest.outcome import Outcome, Trial
from loadtest.summary import ClaimResult, Summary, VerdictName
from settings.sizes import in_gib


@dataclass(frozen=True)
class Mark:
    """A verdict's sign; the verdict's word always stands beside it."""

    symbol: str
    ascii: str
    style: str
    """How a terminal colours it."""


MARKS: dict[VerdictName, Mark] = {
    "confirmed": Mark("✓", "+", "green"),
    "refuted": Mark("✗", "x", "red"),
    "inconclusive": Mark("?", "?", "yellow"),
    "not-run": Mark("–", "-", "dim"),  # noqa: RUF001 - a dash on purpose
}

BASES = {
    "rig": (
        "Self-check",
        "The agents were told to use this much, so this checks the rig, not the guide.",
    ),
    "assumed": (
        "Assumed sizes",
        "How the kernel and the server behave, given the guide's sizes of agents.",
    ),
    "measured": ("Measured", "Real agents, measured."),
    "observed": ("Observed", "Seen in production."),
}
"""Basis -> title and explanation, in the order of reports."""

GRADES = {
    "target-host": "on a host of the guide's size: 48 GiB or more, 8 cores or more",
    "full-size": "at true size on a smaller host, memory backed by swap",
    "scaled": "every size divided alike, on a host too small for the true ones",
}

EXITS = {
    codes.CONFIRMED: "every gating claim was confirmed",
    codes.REFUTED: "at least one gating claim was refuted",
    codes.UNUSABLE: "the settings or this host cannot be used",
    codes.INVALID: "at least one gating claim could not be decided, none was refuted",
    codes.INTERRUPTED: "the campaign was interrupted",
}


def by_basis(summary: Summary) -> Iterator[tuple[str, list[ClaimResult]]]:
    """Each basis that has claims, with them."""
    for basis in BASES:
        claims = [claim for claim in summary.claims if claim.basis == basis]
        if claims:
            yield basis, claims


def headline(summary: Summary) -> str:
    """The verdict of the campaign in one sentence."""
    gating = [claim for claim in summary.claims if claim.gating and claim.selected]
    count = {name: sum(claim.verdict == name for claim in gating) for name in MARKS}
    open_ones = count["inconclusive"] + count["not-run"]
    if summary.exit_code == codes.INTERRUPTED:
        return (
            f"The campaign was interrupted: {len(gating) - open_ones} of {_claims(len(gating))} "
            "decided."
        )
    if summary.exit_code == codes.REFUTED:
        rest = f"; {open_ones} could not be decided" if open_ones else ""
        return f"The guide does not hold here: {count['refuted']} of {_claims(len(gating))} " + (
            f"refuted{rest}."
        )
    if summary.exit_code == codes.CONFIRMED:
        return f"The guide holds here: all of its {_claims(len(gating))} confirmed."
    return f"No verdict: {open_ones} of {_claims(len(gating))} could not be decided."


def verdict_of(summary: Summary) -> VerdictName:
    """The campaign's own verdict, for its badge."""
    verdicts: dict[int, VerdictName] = {codes.CONFIRMED: "confirmed", codes.REFUTED: "refuted"}
    return verdicts.get(summary.exit_code, "inconclusive")


def _claims(number: int) -> str:
    return f"{number} gating claim{'' if number == 1 else 's'}"


def scale_words(scale: float) -> str:
    """The scale as people say it: "true size", "1/16 of true size"."""
    if scale == 1:
        return "true size"
    part = round(1 / scale)
    return f"1/{part} of true size" if abs(1 / scale - part) < 1e-6 else f"{scale:g} of true size"


def fact(name: str, value: str | float) -> tuple[str, str]:
    """A fact of the host or a limit in words: `("memory_bytes", 2**30)` is memory, 1.00 GiB."""
    if isinstance(value, str):
        return name.replace("_", " "), value
    if name.endswith("_bytes"):
        return name.removesuffix("_bytes").replace("_", " "), in_gib(value)
    return name.replace("_", " "), f"{value:g}"


def trial_name(trial: Trial) -> str:
    """A trial in a few words."""
    if trial.kind == "ramp":
        return f"Ramp, {trial.workload}, run {trial.run}"
    if trial.kind == "stable":
        return f"Stability, {trial.concurrent} agents at once, {trial.workload}"
    return f"maxConcurrency {trial.concurrent}, {trial.workload}"


def trial_result(outcome: Outcome) -> str:
    """What a trial found, in a few words."""
    if not outcome.valid:
        return f"does not count: {outcome.reason}"
    if outcome.trial.kind == "ramp":
        if outcome.failed_at is None:
            return f"{outcome.held} held, nothing failed"
        return f"{outcome.held} held, {outcome.failed_at} failed ({outcome.failure_mode})"
    lost = f", {outcome.failure_mode}" if outcome.failure_mode else ""
    return f"at most {outcome.max_running} at once, {outcome.finished} finished{lost}"
