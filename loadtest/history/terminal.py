"""A comparison in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadtest.history.verdicts import Comparison, Finding
from loadtest.history.words import MARKS, first_shown, headline

_PLAIN_WIDTH = 100
_VERDICT_WIDTH = 11  # "x regressed"


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print a comparison; without colour and 100 columns wide where no terminal is."""
    if not console.is_terminal:
        console = Console(file=console.file, width=_PLAIN_WIDTH, no_color=True)
    style = "bold red" if comparison.regressed else "bold"
    console.print()
    console.print(Text("Compared with earlier runs", "bold"), highlight=False)
    console.print(Text(headline(comparison), style), highlight=False)
    console.print(Text(f"run {comparison.run_id}: {comparison.kind}", "dim"), highlight=False)
    ascii_only = console.options.ascii_only
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_VERDICT_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    for finding in comparison.findings:
        mark = MARKS[finding.verdict]
        sign = mark.ascii if ascii_only else mark.symbol
        table.add_row(Text(f"{sign} {finding.verdict}", mark.style), _finding(finding))
    console.print(table, highlight=False)


def _finding(finding: Finding) -> Text:
    text = Text.assemble(finding.metric, "\n", (finding.words, "dim"))
    if said := first_shown(finding):
        text.append(f"\n{said}", MARKS[finding.verdict].style)
    return text
