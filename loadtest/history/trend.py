"""One metric over all runs of a kind, as a chart. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadtest.history.change_points import ChangePoint
from loadtest.history.metrics import in_words, is_counted
from loadtest.history.runs import Run
from loadtest.report.charts.svg import Axis, drawing, element, line, path, text

_LEFT, _RIGHT, _BOTTOM, _ROW = 74, 14, 26, 16
_LETTER = 6.6  # pixels that a letter of a label takes, at the most
_HEIGHT = 150


@dataclass(frozen=True)
class Trend:
    """What a chart shows: runs that have the metric, oldest first; values in its unit."""

    metric: str
    runs: Sequence[Run]
    changes: Sequence[ChangePoint]
    """Their indices count these runs."""
    baseline: float | None = None
    tolerance: float | None = None

    @property
    def label(self) -> str:
        """What it shows, for those who cannot see it."""
        medians = [run.median(self.metric) or 0.0 for run in self.runs]
        count = len(self.changes)
        return (
            f"{self.metric} over {len(self.runs)} runs: from {in_words(self.metric, min(medians))} "
            f"to {in_words(self.metric, max(medians))}, last {in_words(self.metric, medians[-1])}; "
            f"{count or 'no'} lasting change{'' if count == 1 else 's'}"
        )


@dataclass(frozen=True)
class _Frame:
    x: Axis
    y: Axis
    least: float
    labels: Sequence[tuple[ChangePoint, str, float, int]]
    """Change, words, where they start and in which row above the chart."""

    def up(self, value: float) -> float:
        return self.y.at(value - self.least)


def trend_chart(trend: Trend, width: float = 860) -> Markup:
    """Medians as points on a line, ranges as bars, the baseline's tolerance as a band."""
    x = Axis(max(1, len(trend.runs) - 1), _LEFT + 10, width - _RIGHT - 10)
    labels = list(_labels(trend, x))
    top = 10 + _ROW * (1 + max((row for *_, row in labels), default=-1))
    height = top + _HEIGHT + _BOTTOM
    least, most = _range(trend)
    frame = _Frame(x, Axis(most - least, height - _BOTTOM, top), least, labels)
    parts = [*_band(trend, frame), *_grid(trend, frame, most), *_changes(frame)]
    return drawing(width, height, trend.label, [*parts, *_points(trend, frame)])


def _range(trend: Trend) -> tuple[float, float]:
    values = [value for run in trend.runs for value in run.samples[trend.metric]]
    if trend.baseline is not None and trend.tolerance is not None:
        values += [trend.baseline - trend.tolerance, trend.baseline + trend.tolerance]
    least, most = min(values), max(values)
    room = (most - least) * 0.08 or abs(most) * 0.05 or 1.0
    if is_counted(trend.metric):
        room = max(room, 1.2 - (most - least) / 2)  # two neighbours of a number, at least
    return least - room, most + room


def _grid(trend: Trend, frame: _Frame, most: float) -> Iterator[Markup]:
    start, end = _LEFT, frame.x.end + 10
    counted = is_counted(trend.metric)
    for value in round_values(frame.least, most, 4):
        if counted and value % 1:
            continue
        height = frame.up(value)
        said = f"{value:g}" if counted else in_words(trend.metric, value)
        yield line((start, height), (end, height), class_="grid")
        yield text(start - 6, height + 4, said, text_anchor="end")
    yield line((start, frame.y.start), (end, frame.y.start), class_="axis")
    first, last = trend.runs[0].header.started_at[:10], trend.runs[-1].header.started_at[:10]
    yield text(start, frame.y.start + 18, first)
    if len(trend.runs) > 1:
        yield text(end, frame.y.start + 18, last, text_anchor="end")


def _band(trend: Trend, frame: _Frame) -> Iterator[Markup]:
    if trend.baseline is None:
        return
    start, end = _LEFT, frame.x.end + 10
    if trend.tolerance is not None:
        top, bottom = (frame.up(trend.baseline + side * trend.tolerance) for side in (1, -1))
        said = f"tolerance: {in_words(trend.metric, trend.tolerance)} either way"
        yield element(
            "rect",
            element("title", said),
            x=start, y=top, width=end - start, height=bottom - top, class_="band",
        )  # fmt: skip
    height = frame.up(trend.baseline)
    yield line((start, height), (end, height), class_="level")


def _labels(trend: Trend, x: Axis) -> Iterator[tuple[ChangePoint, str, float, int]]:
    """The words of each change, each in the lowest row where it runs into no other."""
    taken: list[float] = []
    for change in trend.changes:
        run = trend.runs[change.index]
        words = " ".join(filter(None, (run.header.started_at[:10], run.commit)))
        half = len(words) * _LETTER / 2
        middle = min(max(x.at(change.index - 0.5), half), x.end + _RIGHT + 10 - half)
        row = next((n for n, end in enumerate(taken) if end < middle - half), len(taken))
        taken[row : row + 1] = [middle + half + 8]
        yield change, words, middle, row


def _changes(frame: _Frame) -> Iterator[Markup]:
    for change, words, middle, row in frame.labels:
        place, top = frame.x.at(change.index - 0.5), frame.y.end - 6 - row * _ROW
        yield line((place, top + 3), (place, frame.y.start), class_="change")
        hint = element("title", f"lasting change, p = {change.p_value:.3f}")
        yield element("text", hint, words, x=middle, y=top, text_anchor="middle", class_="strong")


def _points(trend: Trend, frame: _Frame) -> Iterator[Markup]:
    places: list[tuple[float, float]] = []
    radius = max(1.2, min(3.5, 0.45 * (frame.x.at(1) - frame.x.at(0))))
    for number, run in enumerate(trend.runs):
        x, values = frame.x.at(number), run.samples[trend.metric]
        places.append((x, frame.up(run.median(trend.metric) or 0.0)))
        yield line((x, frame.up(max(values))), (x, frame.up(min(values))), class_="reach")
    yield path(places, class_="usage")
    for run, (x, y) in zip(trend.runs, places, strict=True):
        said = in_words(trend.metric, run.median(trend.metric) or 0.0)
        about = " ".join(filter(None, (run.run_id, run.commit)))
        hint = element("title", f"{about}: {said}, {len(run.samples[trend.metric])} samples")
        shape = "run" if run.good else "run open"
        yield element("circle", hint, cx=x, cy=y, r=radius, class_=shape)


def round_values(least: float, most: float, wanted: int) -> list[float]:
    """About `wanted` round values between two; steps are 1, 2 or 5 times 10^n."""
    rough = (most - least) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.99)
    return [n * step for n in range(math.ceil(least / step), math.floor(most / step) + 1)]
