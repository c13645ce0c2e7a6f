"""What each workload held and where it failed, against the guide and the prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from loadtest.boundary import Boundary
from loadtest.report.charts.svg import Axis, cross, drawing, element, line, text
from loadtest.report.guide import Pair

_LEFT, _RIGHT, _TOP, _ROW = 76, 28, 8, 104


def boundary_chart(
    boundaries: Sequence[Boundary], claims: Mapping[str, Sequence[Pair]], width: float = 860
) -> Markup:
    """Two tracks a workload: what the guide claims, what was measured; a tick for the prediction.

    A ring is the number that holds, a cross the number that fails, both in agents at once.
    `claims` are the guide's pairs by workload.
    """
    numbers = [n for b in boundaries for n in (b.holds, b.fails_at, b.predicted)]
    numbers += [n for pairs in claims.values() for pair in pairs for n in pair]
    most = max((number for number in numbers if number is not None), default=10)
    x = Axis(most + 1, _LEFT, width - _RIGHT)
    height = _TOP + _ROW * max(1, len(boundaries)) + 28
    parts = list(_scale(x, height, 10 if width > 500 else 5))
    for row, boundary in enumerate(boundaries):
        top = _TOP + _ROW * row
        parts += _row(x, top, boundary, claims.get(boundary.workload, ()))
    label = "Agents at once: " + "; ".join(_words(boundary) for boundary in boundaries)
    return drawing(width, height, label, parts)


def _words(boundary: Boundary) -> str:
    holds = "nothing measured" if boundary.holds is None else f"{boundary.holds} held"
    fails = "no failure seen" if boundary.fails_at is None else f"{boundary.fails_at} failed"
    return f"{boundary.workload}: {holds}, {fails}"


def _scale(x: Axis, height: float, wanted: int) -> Iterator[Markup]:
    for number in x.ticks(wanted):
        if number == int(number):
            yield line((x.at(number), _TOP), (x.at(number), height - 24), class_="grid")
            yield text(x.at(number), height - 8, f"{number:g}", text_anchor="middle")
    yield text(x.start - 10, height - 8, "agents", text_anchor="end")


def _row(x: Axis, top: float, boundary: Boundary, pairs: Sequence[Pair]) -> Iterator[Markup]:
    guide, measured = top + 42, top + 74
    yield text(4, top + 16, boundary.workload, class_="strong")
    yield text(x.start - 10, guide + 4, "guide", text_anchor="end")
    yield text(x.start - 10, measured + 4, "measured", text_anchor="end")
    # The longest first, so that its line does not run through the ring of a shorter one.
    for holds, fails_at in sorted(pairs, key=lambda pair: -pair[0]):
        yield from _pair(x, guide, holds, fails_at, "claimed")
    if not pairs:
        yield text(x.start + 4, guide + 4, "no claim", class_="small")
    if boundary.predicted is not None:
        yield from _prediction(x, measured, boundary.predicted)
    if boundary.holds is None:
        yield text(x.start + 4, measured + 4, "not measured", class_="small")
    else:
        yield from _pair(x, measured, boundary.holds, boundary.fails_at, "measured")


def _pair(x: Axis, y: float, holds: int, fails_at: int | None, kind: str) -> Iterator[Markup]:
    at = x.at(holds)
    yield line((x.start, y), (at, y), class_=f"track {kind}")
    yield element(
        "circle", element("title", f"{kind}: {holds} hold"), cx=at, cy=y, r=5, class_=kind
    )
    yield text(at, y - 9, str(holds), text_anchor="middle", class_="strong")
    if fails_at is not None:
        # Drawn a little apart where the next number would touch the ring.
        end = max(x.at(fails_at), at + 14)
        yield cross(end, y, 4.5, f"{kind}: {fails_at} fail", f"fail {kind}")
        yield text(end + 8, y + 4, str(fails_at), class_="bad" if kind == "measured" else "")


def _prediction(x: Axis, y: float, predicted: int) -> Iterator[Markup]:
    hint = element("title", f"predicted: {predicted}")
    shape = f"M{x.at(predicted):.1f} {y + 8:.1f}l-5 8h10Z"
    yield element("path", hint, d=shape, class_="predicted")
