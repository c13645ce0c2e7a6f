"""How likely each number of agents fails: a dot with its interval, above the number itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from loadtest.report.chances import chance_words
from loadtest.report.charts.svg import Axis, element, line, text
from loadtest.summary import Chance

STRIP = 112
"""Height of a strip in pixels, with the room between it and what stands above."""
_SCALE, _ABOVE = 60, 28
_APART, _CAP = 3.0, 3.0
_NUMBER_ROOM = 15  # pixels that a number below the strip needs


def strip(x: Axis, top: float, chances: Sequence[Chance]) -> Iterator[Markup]:
    """P(failure) of one workload over agents at once, with the 95 % intervals.

    Discs stand for the guide's sizes read as GB, diamonds for GiB, a little apart from each other.
    """
    y = Axis(1.0, top + _ABOVE + _SCALE, top + _ABOVE)
    yield text(4, y.end - 12, "P(failure), 95 % interval", class_="small")
    for share in (0.0, 0.5, 1.0):
        yield line((x.start, y.at(share)), (x.end, y.at(share)), class_="grid")
        yield text(x.start - 10, y.at(share) + 4, f"{100 * share:.0f} %", text_anchor="end")
    both = len({chance.reading for chance in chances}) > 1
    for chance in chances:
        aside = (-_APART if chance.reading == "GB" else _APART) if both else 0.0
        yield _mark(x.at(chance.agents) + aside, y, chance)
    written = -_NUMBER_ROOM * 1.0
    for number in sorted({chance.agents for chance in chances}):
        if x.at(number) - written >= _NUMBER_ROOM:
            written = x.at(number)
            yield text(written, y.start + 16, str(number), text_anchor="middle", class_="small")


def _mark(x: float, y: Axis, chance: Chance) -> Markup:
    low, high = y.at(chance.low), y.at(chance.high)
    middle = y.at(chance.failures / chance.runs if chance.runs else 0.5)
    whisker = f"M{x:.1f} {low:.1f}V{high:.1f}"
    for end in (low, high):
        whisker += f"M{x - _CAP:.1f} {end:.1f}h{2 * _CAP:.0f}"
    parts = [
        element("title", f"in {chance.reading}: {chance_words(chance)}"),
        element("path", d=whisker, class_="interval"),
    ]
    if chance.reading == "GB":
        parts.append(element("circle", cx=x, cy=middle, r=3.5, class_="chance"))
    else:
        shape = f"M{x:.1f} {middle - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5Z"
        parts.append(element("path", d=shape, class_="chance other-reading"))
    return element("g", *parts)
