"""Sizes in bytes that say their unit: GB is decimal, GiB is binary."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

# Compose and Docker write `48G` and mean GiB; the guide writes `4GB` and means 4e9 bytes.
_UNITS = {
    "B": 1,
    "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40,
    "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse_size(text: object) -> int:
    """Bytes of a size such as `4 GB`, `48GiB` or `48G` (Compose's G is GiB).

    Raises ValueError for anything else; a bare number other than 0 has no unit and is refused.
    """
    if isinstance(text, bool) or not isinstance(text, str):
        if text == 0 and isinstance(text, int) and not isinstance(text, bool):
            return 0
        raise ValueError(f"{text!r} needs a unit, such as '4 GB' (decimal) or '4 GiB' (binary)")
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write for example '4 GB' or '48 GiB'")
    number, unit = match.groups()
    if not unit:
        raise ValueError(f"{text!r} needs a unit, such as '{number} GB' or '{number} GiB'")
    if unit not in _UNITS:
        raise ValueError(f"{text!r}: unknown unit {unit!r}; use GB (decimal) or GiB (binary)")
    return round(float(number) * _UNITS[unit])


def in_gb(count: float, digits: int = 2) -> str:
    """`count` bytes in decimal gigabytes, the unit of the guide's agents."""
    return f"{count / 1e9:.{digits}f} GB"


def in_gib(count: float, digits: int = 2) -> str:
    """`count` bytes in binary gibibytes, the unit of container limits."""
    return f"{count / 2**30:.{digits}f} GiB"


def in_binary(count: float) -> str:
    """`count` bytes in GiB, or in MiB where it is less than one."""
    return in_gib(count) if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def in_mb(count: float, digits: int = 1) -> str:
    """`count` bytes in decimal megabytes."""
    return f"{count / 1e6:.{digits}f} MB"


def _validate(value: Any) -> int:
    return parse_size(value)


Size = Annotated[int, BeforeValidator(_validate)]
