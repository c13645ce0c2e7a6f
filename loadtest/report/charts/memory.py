"""Memory of the container over time, against its limit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadtest.outcome import Outcome
from loadtest.report.charts.svg import (
    Axis,
    Point,
    cross,
    drawing,
    element,
    line,
    path,
    text,
    triangle,
)
from loadtest.report.charts.thinning import envelope
from loadtest.report.samples import Samples
from settings.sizes import in_gib, in_mb

_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 10, 40, 40
_PIXELS_A_COLUMN = 2
_NUMBER_ROOM = 15  # pixels that the number above a peak needs
_PEAK_ROOM = 4  # pixels between two peaks that can be told apart


@dataclass(frozen=True)
class _Frame:
    x: Axis
    y: Axis
    width: float
    height: float

    @property
    def columns(self) -> int:
        return int((self.x.end - self.x.start) / _PIXELS_A_COLUMN)

    def points(self, times: Sequence[float], values: Sequence[float]) -> list[Point]:
        """A series thinned to what the frame can show."""
        thin = envelope(times, values, self.columns)
        return [(self.x.at(time), self.y.at(value)) for time, value in thin]


def memory_chart(samples: Samples, outcome: Outcome, width: float = 860) -> Markup:
    """Anonymous memory as an area and everything charged as a line, both with swap, over time.

    Marks the limit, the server's own memory, each agent's start and peak, and every kill. Sizes
    are those of the trial; a scaled trial's caption has to say so.
    """
    height = 300 if width > 500 else 260
    charged = [use + swap for use, swap in zip(samples.usage, samples.swap, strict=True)]
    seconds = max(outcome.duration_s, samples.t_s[-1] if len(samples) else 0, 1e-3)
    frame = _Frame(
        x=Axis(seconds, _LEFT, width - _RIGHT),
        y=Axis(max(outcome.limit_bytes, *charged, 1) * 1.04, height - _BOTTOM, _TOP),
        width=width,
        height=height,
    )
    label = (
        f"Memory of {outcome.trial.id}: at most {in_gib(outcome.peak_bytes)} of a limit of "
        f"{in_gib(outcome.limit_bytes)}, killed: {outcome.evidence.oom_kills}"
    )
    parts = [*_grid(frame), *_base(frame, outcome)]
    if len(samples):
        parts += [*_series(frame, samples, charged), *_agents(frame, samples, outcome)]
        parts += [*_limit(frame, outcome), *_kills(frame, samples)]
    else:
        middle = (frame.x.start + frame.x.end) / 2
        parts += _limit(frame, outcome)
        parts.append(text(middle, height / 2, "no samples", text_anchor="middle"))
    return drawing(width, height, label, parts)


def _grid(frame: _Frame) -> Iterator[Markup]:
    x, y = frame.x, frame.y
    sizes = list(y.ticks(4, 2**30))
    digits = 0 if all(size % 2**30 == 0 for size in sizes) else 1 if sizes[1] > 2**26 else 2
    for size in sizes:
        yield line((x.start, y.at(size)), (x.end, y.at(size)), class_="grid")
        yield text(x.start - 6, y.at(size) + 4, in_gib(size, digits), text_anchor="end")
    for time in x.ticks(8 if frame.width > 500 else 4):
        yield line((x.at(time), y.start), (x.at(time), y.start + 4), class_="axis")
        yield text(x.at(time), y.start + 18, f"{time:g}", text_anchor="middle")
    yield line((x.start, y.start), (x.end, y.start), class_="axis")
    yield text(x.end, frame.height - 6, "seconds since the trial began", text_anchor="end")


def _base(frame: _Frame, outcome: Outcome) -> Iterator[Markup]:
    top = min(frame.y.at(outcome.base_bytes), frame.y.start - 1)  # thin, but always to be seen
    yield element(
        "rect",
        element("title", f"the server before the first agent: {in_mb(outcome.base_bytes)}"),
        x=frame.x.start,
        y=top,
        width=frame.x.end - frame.x.start,
        height=frame.y.start - top,
        class_="base",
    )


def _limit(frame: _Frame, outcome: Outcome) -> Iterator[Markup]:
    height = frame.y.at(outcome.limit_bytes)
    yield line((frame.x.start, height), (frame.x.end, height), class_="limit")
    words = f"limit {in_gib(outcome.limit_bytes)}"
    yield text(frame.x.start + 4, height - 6, words, class_="strong")


def _series(frame: _Frame, samples: Samples, charged: Sequence[float]) -> Iterator[Markup]:
    floor = frame.y.start
    anon = frame.points(samples.t_s, samples.anon)
    if any(samples.swap):
        private = [a + s for a, s in zip(samples.anon, samples.swap, strict=True)]
        yield _area(frame.points(samples.t_s, private), floor, "swapped")
    yield _area(anon, floor, "anon")
    yield path(frame.points(samples.t_s, charged), class_="usage")


def _area(points: list[Point], floor: float, class_: str) -> Markup:
    return path(
        [(points[0][0], floor), *points, (points[-1][0], floor)], closed=True, class_=class_
    )


def _agents(frame: _Frame, samples: Samples, outcome: Outcome) -> Iterator[Markup]:
    last_number = last_peak = -_NUMBER_ROOM * 1.0
    for number, agent in enumerate(outcome.agents, start=1):
        who = f"agent {number} ({agent.agent_class})"
        if agent.started_s is not None:
            x = frame.x.at(agent.started_s)
            hint = element("title", f"{who} starts at {agent.started_s:.1f} s")
            tick = f"M{x:.1f} {frame.y.start:.1f}v-7"
            yield element("path", hint, d=tick, class_="start")
        # Hundreds of agents of a long trial come to their peaks at once: one mark stands for them.
        if agent.peak_s is not None and abs(frame.x.at(agent.peak_s) - last_peak) >= _PEAK_ROOM:
            x, y = frame.x.at(agent.peak_s), frame.y.at(_level(samples, agent.peak_s)) - 3
            last_peak = x
            yield triangle(x, y, 4, f"{who} at its peak at {agent.peak_s:.1f} s", "peak")
            # Only a ramp has one peak after the other; elsewhere numbers would run into marks.
            if outcome.trial.kind == "ramp" and x - last_number >= _NUMBER_ROOM:
                yield text(x, y - 9, str(number), text_anchor="middle", class_="small")
                last_number = x


def _level(samples: Samples, time: float) -> int:
    """Everything charged, swap too, at the first sample from `time` on."""
    index = min(bisect_left(samples.t_s, time), len(samples) - 1)
    return samples.usage[index] + samples.swap[index]


def _kills(frame: _Frame, samples: Samples) -> Iterator[Markup]:
    before = 0
    for index, kills in enumerate(samples.oom_kills):
        if kills > before:
            time = samples.t_s[index]
            # The sample of the kill may already lack the memory; the one before shows the height.
            level = _level(samples, samples.t_s[max(0, index - 1)])
            hint = f"killed by the kernel by {time:.1f} s ({kills} so far)"
            x, y = frame.x.at(time), frame.y.at(level)
            yield cross(x, y, 6, hint, "kill")
            if not before:  # the word once, above the numbers of the peaks
                yield text(x + 8, y - 26, "killed", text_anchor="end", class_="bad")
        before = kills
