"""The end of a campaign as Markdown, for the page of a CI job.

    python -m loadtest.report.markdown reports/latest/summary.json

Exit codes: 0 printed, 2 there is no summary to print.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

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
)
from loadtest.summary import UNUSABLE, Summary


def main(argv: Sequence[str]) -> int:
    """Print the summary in a file; returns the exit code."""
    if len(argv) != 1:
        print("usage: python -m loadtest.report.markdown SUMMARY.json", file=sys.stderr)
        return UNUSABLE
    try:
        print(markdown(Summary.read(Path(argv[0]))))
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    except ValidationError as error:
        what = error.errors(include_url=False, include_input=False)[0]["msg"]
        print(f"{argv[0]}: not a summary of this version: {what}", file=sys.stderr)
        return UNUSABLE
    return 0


def markdown(summary: Summary) -> str:
    """The verdicts and boundaries as tables, with the scale they hold for. Pure."""
    lines = [
        f"## {_cell(headline(summary))}",
        "",
        _cell(tally(summary)),
        "",
        *_claims(summary),
        "",
        *_boundaries(summary),
        f"- grade: {summary.grade}, {GRADES[summary.grade]}; {scale_words(summary.scale)}",
        f"- not real: {_cell('; '.join(summary.mocked) or 'nothing was mocked')}",
        f"- trials: {summary.trials}, {counted(summary)}; {summary.duration_s:.0f} s",
    ]
    if others := not_asked_for(summary):
        lines.append(f"- {others[0].lower()}{others[1:]}")
    meaning = EXITS.get(summary.exit_code, "not a code of this program")
    return "\n".join([*lines, f"- exit {summary.exit_code}: {meaning}", ""])


def _claims(summary: Summary) -> list[str]:
    rows = []
    for basis, claims in by_basis(summary):
        for claim in claims:
            if not claim.selected:
                continue
            mark = f"{MARKS[claim.verdict].symbol} {claim.verdict}"
            gating = "" if claim.gating else " (not gating)"
            sentence = f"{claim.statement}{gating}"
            rows.append((mark, sentence, claim.expected, claim.measured, BASES[basis][0]))
    return _table(("verdict", "claim", "expected", "measured", "basis"), rows)


def _boundaries(summary: Summary) -> list[str]:
    if not summary.boundaries:
        return []
    rows = [
        (
            f"{one.workload} ({one.reading})",
            *("-" if n is None else str(n) for n in (one.holds, one.fails_at, one.predicted)),
            str(one.runs),
            one.failure_mode or "nothing",
        )
        for one in summary.boundaries
    ]
    headings = ("agents at once", "held", "failed", "predicted", "runs", "what failed")
    return [*_table(headings, rows), ""]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]


def _cell(text: str) -> str:
    """`text` as it stands: on one line, no cell's end, no tag."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
