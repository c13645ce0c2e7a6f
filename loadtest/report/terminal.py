"""What a campaign says at its end: verdicts, boundaries, the report's place, the exit's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.report.words import (
    BASES,
    EXITS,
    GRADES,
    MARKS,
    by_basis,
    counted,
    headline,
    not_asked_for,
    scale_words,
    tally,
    verdict_of,
)
from loadtest.summary import ClaimResult, Summary

_PLAIN_WIDTH = 100
_VERDICT_WIDTH = 14  # "? inconclusive"


def print_summary(console: Console, summary: Summary, report_dir: Path) -> None:
    """Print the end of a campaign; without colour and 100 columns wide where no terminal is."""
    if not console.is_terminal:
        console = Console(file=console.file, width=_PLAIN_WIDTH, no_color=True)
    ascii_only = console.options.ascii_only
    for renderable in final_lines(summary, report_dir, ascii_only=ascii_only):
        console.print(renderable, highlight=False)


def final_lines(
    summary: Summary, report_dir: Path, *, ascii_only: bool = False
) -> Sequence[RenderableType]:
    """The end of a campaign, from the verdict to the meaning of the exit code."""
    lines: list[RenderableType] = [
        Text(),
        _verdict(summary, ascii_only=ascii_only),
        Text(tally(summary), "dim"),
    ]
    for basis, claims in by_basis(summary):
        asked = [claim for claim in claims if claim.selected]
        if not asked:
            continue
        title, explanation = BASES[basis]
        lines.append(Text())
        lines.append(Text.assemble((title, "bold"), "  ", (explanation, "dim")))
        lines.append(_claims(asked, ascii_only=ascii_only))
    if others := not_asked_for(summary):
        lines += [Text(), Text(others, "dim")]
    if summary.boundaries:
        lines += [Text(), Text("Agents at once", "bold"), _boundaries(summary)]
    lines += [Text(), *_facts(summary, report_dir)]
    meaning = EXITS.get(summary.exit_code, "not a code of this program")
    lines.append(Text(f"Exit {summary.exit_code}: {meaning}.", "bold"))
    return lines


def _verdict(summary: Summary, *, ascii_only: bool) -> Text:
    mark = MARKS[verdict_of(summary)]
    sign = mark.ascii if ascii_only else mark.symbol
    return Text.assemble((f"{sign} {headline(summary)}", f"bold {mark.style}"))


def _claims(claims: Sequence[ClaimResult], *, ascii_only: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_VERDICT_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    for claim in claims:
        mark = MARKS[claim.verdict]
        sign = mark.ascii if ascii_only else mark.symbol
        table.add_row(Text(f"{sign} {claim.verdict}", mark.style), _claim(claim))
    return table


def _claim(claim: ClaimResult) -> Text:
    gating = "" if claim.gating else " (not gating)"
    text = Text.assemble(claim.statement, gating, "\n", (claim.id, "dim"))
    if claim.verdict == "not-run":
        text.append(f"  {claim.reason}", "dim")
        return text
    text.append(f"  expected {claim.expected}; measured {claim.measured}", "dim")
    if claim.verdict != "confirmed":
        text.append(f"\n{claim.reason}", MARKS[claim.verdict].style)
    return text


def _boundaries(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("workload", no_wrap=True)
    for heading in ("held", "failed", "predicted", "runs"):
        table.add_column(heading, justify="right")
    table.add_column("runs agree")
    table.add_column("what failed")
    for boundary in summary.boundaries:
        numbers = (boundary.holds, boundary.fails_at, boundary.predicted, boundary.runs)
        table.add_row(
            boundary.workload,
            *("-" if number is None else str(number) for number in numbers),
            "yes" if boundary.agreed else "no",
            boundary.failure_mode or "nothing",
        )
    return table


def _facts(summary: Summary, report_dir: Path) -> list[RenderableType]:
    rows = [
        ("Grade", f"{summary.grade}: {GRADES[summary.grade]}"),
        ("Scale", f"{scale_words(summary.scale)}; GB is 1e9 bytes, GiB is 2^30"),
        ("Not real", "; ".join(summary.mocked) or "nothing was mocked"),
        ("Trials", f"{summary.trials}, {counted(summary)}"),
        ("Report", str(report_dir / "report.html")),
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name, "bold"), Text(value))
    return [table, Text()]
