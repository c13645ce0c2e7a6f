"""The claims on a terminal: one table in the guide's order, under the guide's headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.report.words import MARKS, bases_of, by_section
from loadtest.summary import ClaimResult, Summary

_VERDICT_WIDTH = 14  # "? inconclusive"
_BASIS_WIDTH = 8
_COLUMNS_FROM = 90
_WIDEST = 130


def claim_rows(summary: Summary, width: int, *, ascii_only: bool) -> Iterator[RenderableType]:
    """Sections with their claims, and what their bases mean; those not asked for are left out.

    On a narrow terminal what was expected and measured stands under the statement.
    """
    asked = [claim for claim in summary.claims if claim.selected]
    if not asked:
        return
    columns = width >= _COLUMNS_FROM
    yield Text()
    yield _table([], width, heads=True)
    for section, claims in by_section(asked).items():
        yield Text(f"\n{section}", "bold")
        yield _table([_row(claim, columns, ascii_only) for claim in claims], width)
    yield Text()
    for basis, meaning in bases_of(summary):
        yield Text.assemble((f"{basis:<{_BASIS_WIDTH}}", "cyan"), "  ", (meaning, "dim"))
    if not all(claim.gating for claim in asked):
        yield Text("*         not gating: does not move the exit code", "dim")


def _table(rows: Sequence[tuple[Text, ...]], width: int, *, heads: bool = False) -> Table:
    """A part of the table; parts have the same columns, since headings need the whole width."""
    columns = width >= _COLUMNS_FROM
    table = Table(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True, width=min(width, _WIDEST),
        show_header=heads, header_style="dim",
    )  # fmt: skip
    table.add_column("verdict", width=_VERDICT_WIDTH, no_wrap=True)
    table.add_column("basis", width=_BASIS_WIDTH, no_wrap=True)
    table.add_column("the guide says", ratio=5, overflow="fold")
    if columns:
        table.add_column("expected", ratio=3, overflow="fold")
        table.add_column("measured", ratio=3, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _row(claim: ClaimResult, columns: bool, ascii_only: bool) -> tuple[Text, ...]:
    mark = MARKS[claim.verdict]
    sign = mark.ascii if ascii_only else mark.symbol
    verdict = Text(f"{sign} {claim.verdict}", mark.style)
    basis = Text(claim.basis, "cyan")
    facts = (claim.expected, claim.measured)
    if columns:
        return verdict, basis, _says(claim), *(Text(fact) for fact in facts)
    return verdict, basis, _says(claim, "expected {}; measured {}".format(*facts))


def _says(claim: ClaimResult, facts: str = "") -> Text:
    text = Text.assemble(claim.statement, "" if claim.gating else " *")
    if facts:
        text.append(f"\n{facts}", "dim")
    if claim.verdict != "confirmed":  # where something is to be done, its name helps to find it
        text.append(f"\n{claim.reason}", MARKS[claim.verdict].style)
        text.append(f"\n{claim.id}", "dim")
    return text
