"""Tables as plain text: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> str:
    """Return rows of cells as lines of aligned columns, two spaces apart, headings first."""
    lines = [list(headings), *map(list, rows)] if headings else [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
