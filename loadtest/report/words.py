"""The words that every report uses: verdicts, grades, bases, exit codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loadtest import summary as codes
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
    "assumed": (
        "Assumed sizes",
        "How the kernel and the server behave, given the guide's sizes of agents.",
    ),
    "measured": ("Measured", "Real agents, measured."),
    "observed": ("Observed", "Seen in production."),
    "rig": (
        "Self-check",
        "The agents were told to use this much, so this checks the rig, not the guide.",
    ),
}
"""Basis -> title and explanation, in the order of reports."""

"""What a scenario saw -> the verdict whose mark stands for it."""

OTHER = "Other"
"""Over claims that stand under no heading of the guide."""

GRADES = {
    "target-host": "on a host of the guide's size: 48 GiB or more, 8 cores or more",
    "full-size": "at true size on a smaller host, memory backed by swap",
    "scaled": "every size divided alike, on a host too small for the true ones",
}

EXITS = {
    codes.CONFIRMED: "every gating claim was confirmed",
    codes.REFUTED: "a gating claim was refuted, or a metric is worse than its baseline",
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


def bases_of(summary: Summary) -> Iterator[tuple[str, str]]:
    """Each basis that a claim has, with its title and explanation in one: a legend."""
    for basis, _ in by_basis(summary):
        title, explanation = BASES[basis]
        yield basis, f"{title}. {explanation}" if title.lower() != basis else explanation


def by_section(claims: Iterable[ClaimResult]) -> dict[str, list[ClaimResult]]:
    """Claims under the guide's headings, both in the order in which they first appear."""
    sections: dict[str, list[ClaimResult]] = {}
    for claim in claims:
        sections.setdefault(claim.section or OTHER, []).append(claim)
    return sections


def not_asked_for(summary: Summary) -> str:
    """How many claims this campaign was not asked about; empty where it was asked about all."""
    count = sum(not claim.selected for claim in summary.claims)
    return f"Not asked for in this campaign: {count} of the guide's other claims" if count else ""


def headline(summary: Summary) -> str:
    """The verdict of the campaign in one sentence, with the scale it holds for."""
    gating = [claim for claim in summary.claims if claim.gating and claim.selected]
    refuted = [claim for claim in gating if claim.verdict == "refuted"]
    undecided = sum(claim.verdict in ("inconclusive", "not-run") for claim in gating)
    total, scale = _claims(len(gating)), scale_words(summary.scale)
    match summary.exit_code:
        case codes.CONFIRMED:
            return f"The guide's limits hold at {scale}: {total} confirmed."
        case codes.REFUTED if not refuted:
            rest = f", {undecided} undecided" if undecided else ""
            worse = len(summary.regressed)
            metrics = f"{worse} metric{'' if worse == 1 else 's'}"
            return f"Worse than before at {scale}: {metrics} regressed; no claim refuted{rest}."
        case codes.REFUTED:
            only_rig = all(claim.basis == "rig" for claim in refuted)
            what = "The rig fails its self-check" if only_rig else "The guide does not hold"
            rest = f", {undecided} undecided" if undecided else ""
            return f"{what} at {scale}: {len(refuted)} of {total} refuted{rest}."
        case codes.INTERRUPTED:
            return f"Interrupted: {len(gating) - undecided} of {total} decided, at {scale}."
        case _:
            return f"No verdict at {scale}: {undecided} of {total} undecided."


def tally(summary: Summary) -> str:
    """How many gating claims were confirmed, basis by basis: only together they say much."""
    parts = []
    for basis, claims in by_basis(summary):
        gating = [claim for claim in claims if claim.gating and claim.selected]
        confirmed = sum(claim.verdict == "confirmed" for claim in gating)
        parts.append(f"{BASES[basis][0].lower()}: {confirmed} of {len(gating)} confirmed")
    return "; ".join(parts)


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


def counted(summary: Summary) -> str:
    """How many trials may move a verdict."""
    if not summary.invalid_trials:
        return "all of them count"
    return f"{summary.invalid_trials} {'does' if summary.invalid_trials == 1 else 'do'} not count"


def fact(name: str, value: str | float) -> tuple[str, str]:
    """A fact of the host or a limit in words: `("memory_bytes", 2**30)` is memory, 1.00 GiB."""
    if isinstance(value, str):
        return name.replace("_", " "), value
    if name.endswith("_bytes"):
        return name.removesuffix("_bytes").replace("_", " "), in_gib(value)
    return name.replace("_", " "), f"{value:g}"
