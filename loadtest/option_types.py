"""What the options of the load test's commands are made of."""

from __future__ import annotations

import argparse
from fractions import Fraction

from settings.sizes import parse_size


def scale(text: str) -> float | None:
    """A scale such as 1/16; None for auto. Raises ArgumentTypeError."""
    if text == "auto":
        return None
    try:
        found = float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not auto, 1 or a fraction") from None
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most 1, such as 1/16")
    return found


def size(text: str) -> int:
    """Bytes of an option such as 48G or 64GiB. Raises ArgumentTypeError."""
    try:
        found = parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found <= 0:
        raise argparse.ArgumentTypeError(f"{text} is no memory at all")
    return found


def names(text: str) -> tuple[str, ...]:
    """Names set apart by commas, each once. Raises ArgumentTypeError."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name")
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{text!r} names one host twice")
    return tuple(found)
