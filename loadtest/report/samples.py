"""The samples of one trial: what the probe wrote twenty times a second, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEADER = "t_s,usage,anon,file,swap,agents,oom_kills,health_ms"


@dataclass(frozen=True)
class Samples:
    """Columns of equal length. Times in seconds since the trial began, sizes in bytes."""

    t_s: tuple[float, ...] = ()
    usage: tuple[int, ...] = ()
    """Everything charged to the container, page cache too; swap is not in it."""
    anon: tuple[int, ...] = ()
    file: tuple[int, ...] = ()
    swap: tuple[int, ...] = ()
    agents: tuple[int, ...] = ()
    """Agent processes alive."""
    oom_kills: tuple[int, ...] = ()
    health_ms: tuple[float | None, ...] = ()
    """None where no health check ended since the sample before."""

    def __len__(self) -> int:
        return len(self.t_s)


def read_samples(path: Path) -> Samples:
    """The samples in a file; none where there is no file, or nothing but its header.

    A last line that was cut short is left out: the probe may end in the middle of it. Raises
    ValueError for another header and for a whole line that is not a sample.
    """
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return Samples()
    header, *lines = text.split("\n")[:-1] or [HEADER]  # a whole line ends in a newline
    if header != HEADER:
        raise ValueError(f"{path}: the header is {header!r}, not {HEADER!r}")
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=2)]
    return Samples(*zip(*rows, strict=True)) if rows else Samples()


_Row = tuple[float, int, int, int, int, int, int, float | None]


def _row(path: Path, number: int, line: str) -> _Row:
    try:
        t_s, usage, anon, file, swap, agents, kills, health = line.split(",")
        return (
            float(t_s), int(usage), int(anon), int(file), int(swap), int(agents), int(kills),
            float(health) if health else None,
        )  # fmt: skip
    except ValueError:
        raise ValueError(f"{path}:{number}: not a sample: {line!r}") from None
