"""Sizes: every one says its unit, and GB is not GiB."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from settings.sizes import Size, in_gb, in_gib, in_mb, parse_size

DECIMAL = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
COMPOSE = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LOWER = {unit.lower(): factor for unit, factor in COMPOSE.items()}
UNITS = {"B": 1, **DECIMAL, **BINARY, **COMPOSE, **LOWER}


@pytest.mark.parametrize(
    ("text", "count", "why"),
    [
        ("4 GB", 4_000_000_000, "the guide's agents are decimal"),
        ("48GiB", 51_539_607_552, "container limits are binary"),
        ("48G", 51_539_607_552, "Compose's G is a GiB"),
        ("48g", 51_539_607_552, "and so is its g"),
        ("64M", 67_108_864, "as Docker reads it"),
        ("0 B", 0, "nothing is a size"),
        ("1.5 GB", 1_500_000_000, "parts of a unit are fine"),
        ("0.1 GB", 100_000_000, "rounded to whole bytes, not cut"),
        ("  2 MB\n", 2_000_000, "space around it says nothing"),
        ("0.5 B", 0, "half a byte is rounded to even"),
    ],
)
def test_a_size_is_read_in_its_own_unit(text: str, count: int, why: str) -> None:
    assert parse_size(text) == count, why


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " ", "  "]))
def test_every_whole_number_of_every_unit_is_exact(number: int, unit: str, space: str) -> None:
    assert parse_size(f"{number}{space}{unit}") == number * UNITS[unit]


@given(st.integers(0, 10**15))
def test_bytes_survive_a_round_trip(count: int) -> None:
    assert parse_size(f"{count} B") == count


@given(st.integers(0, 10**14))
def test_what_is_printed_reads_back_within_its_last_digit(count: int) -> None:
    assert abs(parse_size(in_gb(count)) - count) <= 0.005e9 + 1
    assert abs(parse_size(in_gib(count)) - count) <= 0.005 * 2**30 + 1
    assert abs(parse_size(in_mb(count)) - count) <= 0.05e6 + 1


@given(st.integers(1, 10**6), st.sampled_from(["K", "M", "G", "T"]))
def test_a_binary_unit_is_always_the_larger_one(number: int, letter: str) -> None:
    decimal, binary = parse_size(f"{number} {letter}B"), parse_size(f"{number} {letter}iB")
    assert decimal < binary == parse_size(f"{number}{letter}")


def test_the_same_bytes_are_more_gb_than_gib() -> None:
    assert (in_gb(48 * 2**30), in_gib(48 * 2**30)) == ("51.54 GB", "48.00 GiB")
    assert in_mb(1_250_000) == "1.2 MB"
    assert in_gb(2e9, 0) == "2 GB"


@pytest.mark.parametrize(
    ("bad", "says", "why"),
    [
        ("4", "needs a unit, such as '4 GB' or '4 GiB'", "GB or GiB is the reader's guess"),
        (4, "needs a unit", "a bare number too"),
        (4.0, "needs a unit", "and a fraction"),
        (True, "needs a unit", "a truth value is no 1"),
        (False, "needs a unit", "nor is it a 0"),
        (0.0, "needs a unit", "only a whole 0 needs no unit"),
        (None, "needs a unit", "nothing at all"),
        (["4 GB"], "needs a unit", "a list of one"),
        ("", "is not a size", "empty"),
        ("GB", "is not a size", "no figure"),
        ("-4 GB", "is not a size", "below nothing"),
        ("4,5 GB", "is not a size", "a comma for a point"),
        ("1e9 B", "is not a size", "an exponent"),
        ("4 GB of it", "is not a size", "words after it"),
        ("inf GB", "is not a size", "no end of it"),
        ("4 gb", "unknown unit 'gb'", "neither decimal nor binary for sure"),
        ("4 Gb", "unknown unit 'Gb'", "bits"),
        ("4 GIB", "unknown unit 'GIB'", "capitals are part of the unit"),
        ("4 PB", "unknown unit 'PB'", "no such host"),
    ],
)
def test_what_is_no_size_is_refused(bad: object, says: str, why: str) -> None:
    with pytest.raises(ValueError, match="^.*" + says.replace("(", r"\(")) as refused:
        parse_size(bad)
    assert repr(bad) in str(refused.value), why


@given(st.integers(1) | st.floats() | st.booleans())
def test_no_number_but_zero_goes_without_a_unit(number: float) -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        parse_size(number)


@given(st.text())
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        count = parse_size(text)
    except ValueError:
        return
    assert count >= 0


def test_zero_needs_no_unit() -> None:
    assert parse_size(0) == 0


def test_a_model_takes_sizes_as_text_and_refuses_bare_numbers() -> None:
    class Box(BaseModel):
        room: Size = 0

    assert Box.model_validate({"room": "4 GB"}).room == 4_000_000_000
    with pytest.raises(ValidationError, match="needs a unit"):
        Box.model_validate({"room": 4_000_000_000})
