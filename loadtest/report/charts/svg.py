"""Inline SVG as escaped text, and the scales that charts share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

Point = tuple[float, float]


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element. Texts are escaped unless they are Markup; `stroke_width` is `stroke-width`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


def drawing(width: float, height: float, label: str, children: Iterable[str]) -> Markup:
    """A whole chart; `label` says in words what it shows to those who cannot see it."""
    return element(
        "svg",
        element("title", label),
        *children,
        viewBox=f"0 0 {_plain(width)} {_plain(height)}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def text(x: float, y: float, words: str, **attributes: str | float) -> Markup:
    """Words at a point; `text_anchor` moves them to its left or centres them."""
    return element("text", words, x=x, y=y, **attributes)


def line(start: Point, end: Point, **attributes: str | float) -> Markup:
    """A straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def path(points: Iterable[Point], *, closed: bool = False, **attributes: str | float) -> Markup:
    """A line through points, closed to an area if asked."""
    steps = "L".join(f"{_plain(x)} {_plain(y)}" for x, y in points)
    return element("path", d=f"M{steps}{'Z' if closed else ''}" if steps else "", **attributes)


def cross(x: float, y: float, size: float, hint: str, class_: str) -> Markup:
    """The mark of an end: two strokes, with a hint that shows under the pointer."""
    strokes = f"M{x - size:.1f} {y - size:.1f}l{2 * size:.1f} {2 * size:.1f}"
    strokes += f"M{x - size:.1f} {y + size:.1f}l{2 * size:.1f} {-2 * size:.1f}"
    return element("path", element("title", hint), d=strokes, class_=class_)


def triangle(x: float, y: float, size: float, hint: str, class_: str) -> Markup:
    """The mark of a peak, standing on the point."""
    shape = f"M{x:.1f} {y:.1f}l{-size:.1f} {-1.6 * size:.1f}h{2 * size:.1f}Z"
    return element("path", element("title", hint), d=shape, class_=class_)


@dataclass(frozen=True)
class Axis:
    """Values from 0 to `high`, drawn from `start` to `end` (pixels; either may be larger)."""

    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is drawn."""
        return self.start + (self.end - self.start) * value / self.high

    def ticks(self, wanted: int, unit: float = 1.0) -> Iterator[float]:
        """About `wanted` round values in `unit`, from 0 on; steps are 1, 2 or 5 times 10^n."""
        rough = self.high / unit / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.99)
        for number in range(int(self.high / unit / step + 1e-9) + 1):
            yield number * step * unit


def _plain(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.1f}".removesuffix(".0")
