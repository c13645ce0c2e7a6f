"""What an agent's output says of its progress. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Bounded, since an agent may print anything: Python refuses to convert thousands of digits.
_TURN = re.compile(
    r"^turn=(\d{1,18})/\d+ uss=\d+ ms=(\d{1,18}(?:\.\d+)?)$", re.MULTILINE | re.ASCII
)
_PEAK = re.compile(r"^peak uss=(\d{1,18}) target=(\d{1,18})$", re.MULTILINE | re.ASCII)


@dataclass(frozen=True)
class Progress:
    """Turns reported with their milliseconds, and the peak once it is reached (bytes)."""

    turns: tuple[tuple[int, float], ...]
    peak: int | None
    target: int | None


def read_progress(output: str) -> Progress:
    """Progress from the text of agent-output; lines of other agents' makers are passed over."""
    turns = tuple((int(turn), float(ms)) for turn, ms in _TURN.findall(output))
    peak = _PEAK.search(output)
    if peak is None:
        return Progress(turns, None, None)
    return Progress(turns, int(peak[1]), int(peak[2]))
