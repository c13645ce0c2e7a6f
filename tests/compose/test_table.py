"""Columns of text."""

from __future__ import annotations

from compose.table import table


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    assert table([("a", "bcd", "e"), ("fgh", "i", "")], ("X", "Y", "Z")) == (
        "X    Y    Z\na    bcd  e\nfgh  i"
    )


def test_no_rows_are_no_text() -> None:
    assert table([]) == ""
