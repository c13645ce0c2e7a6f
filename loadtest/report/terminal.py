"""What a campaign says at its end: verdicts, boundaries, the report's place, the exit's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.report.chances import by_workload, chance_words
from loadtest.report.claim_rows import claim_rows
from loadtest.report.words import (
    EXITS,
    GRADES,
    MARKS,
    counted,
    headline,
    not_asked_for,
    scale_words,
    tally,
    verdict_of,
)
from loadtest.summary import Summary

_PLAIN_WIDTH = 100


def print_summary(console: Console, summary: Summary, report_dir: Path) -> None:
    """Print the end of a campaign; without colour and 100 columns wide where no terminal is."""
    if not console.is_terminal:
        console = Console(file=console.file, width=_PLAIN_WIDTH, no_color=True)
    ascii_only = console.options.ascii_only
    width = console.width
    for renderable in final_lines(summary, report_dir, width, ascii_only=ascii_only):
        console.print(renderable, highlight=False)


def final_lines(
    summary: Summary, report_dir: Path, width: int, *, ascii_only: bool = False
) -> Sequence[RenderableType]:
    """The end of a campaign, from the verdict to the meaning of the exit code."""
    lines: list[RenderableType] = [
        Text(),
        _verdict(summary, ascii_only=ascii_only),
        Text(tally(summary), "dim"),
        *claim_rows(summary, width, ascii_only=ascii_only),
    ]
    if others := not_asked_for(summary):
        lines += [Text(), Text(others, "dim")]
    if summary.boundaries:
        lines += [Text(), Text("Agents at once", "bold"), _boundaries(summary)]
    if summary.chances:
        lines += [Text(), Text("How likely a number of agents fails", "bold"), _chances(summary)]
    lines += [Text(), *_facts(summary, report_dir)]
    meaning = EXITS.get(summary.exit_code, "not a code of this program")
    lines.append(Text(f"Exit {summary.exit_code}: {meaning}.", "bold"))
    return lines


def _verdict(summary: Summary, *, ascii_only: bool) -> Text:
    mark = MARKS[verdict_of(summary)]
    sign = mark.ascii if ascii_only else mark.symbol
    return Text.assemble((f"{sign} {headline(summary)}", f"bold {mark.style}"))


def _boundaries(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("workload", no_wrap=True)
    table.add_column("sizes", no_wrap=True)
    for heading in ("held", "failed", "predicted", "runs"):
        table.add_column(heading, justify="right")
    table.add_column("agree")
    table.add_column("what failed")
    for boundary in summary.boundaries:
        numbers = (boundary.holds, boundary.fails_at, boundary.predicted, boundary.runs)
        table.add_row(
            boundary.workload,
            boundary.reading,
            *("-" if number is None else str(number) for number in numbers),
            "yes" if boundary.agreed else "no",
            boundary.failure_mode or "nothing",
        )
    return table


def _chances(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, chances in by_workload(summary.chances).items():
        table.add_row(Text(name), Text("\n".join(chance_words(one) for one in chances)))
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
