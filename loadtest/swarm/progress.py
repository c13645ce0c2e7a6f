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


def read_progress(output: str, peaks_before: int = 0) -> Progress:
    """Progress from the text of agent-output; lines of other agents' makers are passed over.

    A feature that is run again goes on in the same file: `peaks_before` of its earlier runs are
    passed over too.
    """
    peaks = list(_PEAK.finditer(output))
    begins = peaks[peaks_before - 1].end() if 0 < peaks_before <= len(peaks) else 0
    turns = tuple((int(turn), float(ms)) for turn, ms in _TURN.findall(output[begins:]))
    if len(peaks) <= peaks_before:
        return Progress(turns, None, None)
    peak = peaks[peaks_before]
    return Progress(turns, int(peak[1]), int(peak[2]))
