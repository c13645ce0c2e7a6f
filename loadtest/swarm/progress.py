"""What an agent's output says of its progress. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TURN = re.compile(r"^turn=(\d+)/\d+ uss=\d+ ms=([\d.]+)$", re.MULTILINE)
_PEAK = re.compile(r"^peak uss=(\d+) target=(\d+)$", re.MULTILINE)


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
