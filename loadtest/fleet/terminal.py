"""What a fleet's run says at its end: a row for each host and workload, and the fleet's total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.boundary import Boundary
from loadtest.fleet.summary import FleetSummary, HostResult, Total
from loadtest.report.trial_words import in_words
from loadtest.report.words import EXITS, MARKS, scale_words
from loadtest.summary import VerdictName

_PLAIN_WIDTH = 100
_GONE = {"lost": "host lost", "unusable": "cannot be used"}


def print_fleet(console: Console, summary: FleetSummary, folder: Path) -> None:
    """Print the end of a fleet's run; without colour and 100 columns wide where no terminal is."""
    if not console.is_terminal:
        console = Console(file=console.file, width=_PLAIN_WIDTH, no_color=True)
    for renderable in fleet_lines(summary, folder):
        console.print(renderable, highlight=False)


def fleet_lines(summary: FleetSummary, folder: Path) -> Sequence[RenderableType]:
    """The end of a fleet's run, from the table to the meaning of the exit code."""
    lines: list[RenderableType] = [Text(), _table(summary), Text()]
    lines += [Text(total_words(total), "bold") for total in summary.totals if total.hosts]
    lines += [
        Text(f"{host.name}: {_GONE[host.state]}: {host.reason}", "yellow")
        for host in summary.hosts
        if host.state in _GONE
    ]
    lines.append(
        Text(f"Scale {scale_words(summary.scale)}; the same trials on all hosts at the same time.")
    )
    if summary.left_out:
        lines.append(Text(f"Left out on a fleet: {'; '.join(summary.left_out)}.", "dim"))
    lines += [Text(f"Report {folder}", "dim"), Text()]
    meaning = EXITS.get(summary.exit_code, "not a code of this program")
    return [*lines, Text(f"Exit {summary.exit_code}: {meaning}.", "bold")]


def total_words(total: Total) -> str:
    """What the fleet held of a workload, and who is not counted."""
    of = len(total.hosts) + len(total.missing)
    words = f"{in_words(total.workload, 'GB' if total.reading == 'GB' else 'GiB')}: "
    words += f"the fleet held {total.held} agents at once, on {len(total.hosts)} of {of} hosts"
    return words + (f"; not counted: {', '.join(total.missing)}" if total.missing else "")


def verdict_words(host: HostResult, workload: str) -> str:
    """The verdicts on a workload's gating claims: "2 confirmed", "1 refuted, 1 confirmed"."""
    found = Counter(
        claim.verdict for claim in host.claims if claim.gating and claim.workload == workload
    )
    order: tuple[VerdictName, ...] = ("refuted", "inconclusive", "not-run", "confirmed")
    return ", ".join(f"{found[one]} {one}" for one in order if found[one]) or "no gating claim"


def _table(summary: FleetSummary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("host", "workload"):
        table.add_column(heading, overflow="fold")
    for heading in ("held", "failed"):
        table.add_column(heading, justify="right")
    for heading in ("what failed", "grade", "verdicts"):
        table.add_column(heading)
    for host in summary.hosts:
        mark = MARKS[host.verdict]
        for boundary in _rows(host):
            table.add_row(
                host.name,
                in_words(boundary.workload, boundary.reading) if boundary else "-",
                *(_number(n) for n in _pair(host, boundary)),
                _mode(host, boundary),
                host.grade or "-",
                Text(_verdicts(host, boundary), mark.style),
            )
    return table


def _rows(host: HostResult) -> Iterator[Boundary | None]:
    if host.boundaries:
        yield from host.boundaries
    else:
        yield None


def _pair(host: HostResult, boundary: Boundary | None) -> tuple[int | None, int | None]:
    # What a lost host had shown by then stands in its own report; here it would look like a result.
    if boundary is None or host.state != "measured":
        return None, None
    return boundary.holds, boundary.fails_at


def _mode(host: HostResult, boundary: Boundary | None) -> str:
    counts = boundary is not None and host.state == "measured"
    return (boundary.failure_mode if boundary and counts else None) or "-"


def _verdicts(host: HostResult, boundary: Boundary | None) -> str:
    if host.state in _GONE:
        return _GONE[host.state]
    return verdict_words(host, boundary.workload) if boundary else "inconclusive"


def _number(number: int | None) -> str:
    return "-" if number is None else str(number)
