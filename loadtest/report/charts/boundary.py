"""What each workload held and where it failed, against the guide and the prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadtest.boundary import Boundary
from loadtest.report.charts.chances import STRIP, strip
from loadtest.report.charts.svg import Axis, cross, drawing, element, line, text
from loadtest.report.guide import Said
from loadtest.summary import Chance

_LEFT, _RIGHT, _TOP = 76, 28, 8
_NAME, _TRACK, _GAP = 42, 40, 12


@dataclass(frozen=True)
class _Block:
    """All that is shown of one workload."""

    workload: str
    said: Said
    measured: Sequence[Boundary]
    chances: Sequence[Chance]

    @property
    def height(self) -> float:
        tracks = _NAME + _TRACK * (1 + len(self.measured))
        return tracks + (STRIP if self.chances else 0) + _GAP

    @property
    def numbers(self) -> Iterator[int]:
        """Every number of agents that stands somewhere in it."""
        yield from (*self.said.holds, *self.said.fails_at, *(c.agents for c in self.chances))
        for one in self.measured:
            yield from (n for n in (one.holds, one.fails_at, one.predicted) if n is not None)


def boundary_chart(
    boundaries: Sequence[Boundary],
    said: Mapping[str, Said],
    chances: Sequence[Chance] = (),
    width: float = 860,
) -> Markup:
    """A block a workload: what the guide says, what was measured, how likely each number fails.

    A ring is a number that holds, a cross one that fails, both in agents at once; every reading of
    the guide's sizes has a track of its own. `said` are the guide's numbers by workload.
    """
    blocks = [_block(name, boundaries, said, chances) for name in _workloads(boundaries)]
    most = max((number for block in blocks for number in block.numbers), default=10)
    x = Axis(most + 1, _LEFT, width - _RIGHT)
    height = _TOP + max(100, sum(block.height for block in blocks)) + 28
    parts = list(_scale(x, height, 10 if width > 500 else 5))
    top: float = _TOP
    for block in blocks:
        parts += _draw(x, top, block)
        top += block.height
    label = "Agents at once: " + "; ".join(_words(boundary) for boundary in boundaries)
    return drawing(width, height, label, parts)


def _workloads(boundaries: Sequence[Boundary]) -> Sequence[str]:
    return list(dict.fromkeys(boundary.workload for boundary in boundaries))


def _block(
    name: str, boundaries: Sequence[Boundary], said: Mapping[str, Said], chances: Sequence[Chance]
) -> _Block:
    return _Block(
        workload=name,
        said=said.get(name, Said()),
        measured=[boundary for boundary in boundaries if boundary.workload == name],
        chances=[chance for chance in chances if chance.workload == name],
    )


def _words(boundary: Boundary) -> str:
    holds = "nothing measured" if boundary.holds is None else f"{boundary.holds} held"
    fails = "no failure seen" if boundary.fails_at is None else f"{boundary.fails_at} failed"
    return f"{boundary.workload} in {boundary.reading}: {holds}, {fails}"


def _scale(x: Axis, height: float, wanted: int) -> Iterator[Markup]:
    for number in x.ticks(wanted):
        if number == int(number):
            yield line((x.at(number), _TOP), (x.at(number), height - 24), class_="grid")
            yield text(x.at(number), height - 8, f"{number:g}", text_anchor="middle")
    yield text(x.start - 10, height - 8, "agents", text_anchor="end")


def _draw(x: Axis, top: float, block: _Block) -> Iterator[Markup]:
    yield text(4, top + 16, block.workload, class_="strong")
    y = top + _NAME
    yield text(x.start - 10, y + 4, "guide", text_anchor="end")
    yield from _said(x, y, block.said)
    for boundary in block.measured:
        y += _TRACK
        # Where both readings were measured, each track says which it is.
        name = "measured" if len(block.measured) == 1 else f"in {boundary.reading}"
        yield text(x.start - 10, y + 4, name, text_anchor="end")
        yield from _measured(x, y, boundary)
    if block.chances:
        yield from strip(x, y + _TRACK / 2, block.chances)


def _said(x: Axis, y: float, said: Said) -> Iterator[Markup]:
    """Rings have their numbers above, crosses below: they may stand next to each other."""
    if not said.holds and not said.fails_at:
        yield text(x.start + 4, y + 4, "says nothing", class_="small")
    if said.holds:
        yield line((x.start, y), (x.at(said.holds[-1]), y), class_="track claimed")
    for number in said.holds:
        yield from _ring(x, y, number, "claimed")
    for number in said.fails_at:
        yield from _failure(x, y, number, "claimed")


def _measured(x: Axis, y: float, boundary: Boundary) -> Iterator[Markup]:
    if boundary.predicted is not None:
        hint = element("title", f"predicted: {boundary.predicted}")
        shape = f"M{x.at(boundary.predicted):.1f} {y + 8:.1f}l-5 8h10Z"
        yield element("path", hint, d=shape, class_="predicted")
    if boundary.holds is None:
        yield text(x.start + 4, y + 4, "not measured", class_="small")
        return
    yield line((x.start, y), (x.at(boundary.holds), y), class_="track measured")
    yield from _ring(x, y, boundary.holds, "measured")
    if boundary.fails_at is not None:
        yield from _failure(x, y, boundary.fails_at, "measured")


def _size(x: Axis) -> float:
    """Half the width of a mark: neighbours may touch, not cover each other."""
    return min(5.0, 0.45 * (x.at(1) - x.at(0)))


def _ring(x: Axis, y: float, number: int, kind: str) -> Iterator[Markup]:
    hint = element("title", f"{kind}: {number} hold")
    yield element("circle", hint, cx=x.at(number), cy=y, r=_size(x), class_=kind)
    yield text(x.at(number), y - 9, str(number), text_anchor="middle", class_="strong")


def _failure(x: Axis, y: float, number: int, kind: str) -> Iterator[Markup]:
    at, size = x.at(number), _size(x)
    yield cross(at, y, 0.9 * size, f"{kind}: {number} fail", f"fail {kind}")
    if kind == "measured":  # below it stands the prediction
        yield text(at + size + 4, y + 4, str(number), class_="bad")
    else:
        yield text(at, y + 18, str(number), text_anchor="middle")
