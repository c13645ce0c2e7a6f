"""An advice as text for people and as data for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.advise.advice import Advice, Point
from loadtest.advise.figures import Figures
from loadtest.memory_model import MemoryModel
from settings.sizes import in_binary, in_gb, in_mb

_BAR = 40


def as_data(advice: Advice, figures: Figures, guide: int | None) -> dict[str, Any]:
    """The advice for programs; sizes in bytes, shares of 1."""
    model = figures.model
    return {
        "schema": 1,
        "max_concurrency": advice.max_concurrency,
        "by_memory": advice.by_memory,
        "cap": advice.cap,
        "guide": guide,
        "risk": advice.risk,
        "memory_bytes": model.limit,
        "base_bytes": model.base,
        "mix": {name: weight for name, weight in model.weights.items() if weight},
        "agents": {
            name: asdict(model.classes[name]) for name, weight in model.weights.items() if weight
        },
        "runaways": {"share": model.runaway_share, "factor": model.runaway_factor},
        "curve": [asdict(point) for point in advice.curve],
        "effects": [asdict(effect) for effect in advice.effects],
        "origin": dict(figures.origin),
    }


def print_advice(console: Console, advice: Advice, figures: Figures, guide: int | None) -> None:
    """Print the advice; bars of `#` where the terminal has no blocks."""
    ascii_only = console.options.ascii_only
    for part in _parts(advice, figures, guide, ascii_only=ascii_only):
        console.print(part, highlight=False)


def _parts(
    advice: Advice, figures: Figures, guide: int | None, *, ascii_only: bool
) -> Iterator[RenderableType]:
    yield Text(headline(advice), "bold")
    yield Text(_reason(advice))
    yield Text("Memory alone decides here: processors and the model's rate limits are not counted.")
    if guide is not None:
        yield Text(f"The guide's rule of thumb for this mix: {guide} (invoke config --recommend).")
    if advice.max_concurrency:
        yield Text(
            f"The server runs no more than AUTOMAKER_MAX_CONCURRENCY: set that to "
            f"{advice.max_concurrency} too."
        )
    yield Text()
    yield _curve(advice, ascii_only=ascii_only)
    yield Text()
    yield _effects(advice)
    yield Text()
    yield _origin(figures)


def headline(advice: Advice) -> str:
    """What to set."""
    if not advice.max_concurrency:
        return f"maxConcurrency: none; not even one agent stays within a risk of {_risk(advice)}"
    if advice.by_memory > advice.cap:
        return (
            f"maxConcurrency: {advice.cap}, the server's own cap; {advice.by_memory} by memory, "
            f"at a risk of {_risk(advice)}"
        )
    return f"maxConcurrency: {advice.max_concurrency}, at a risk of {_risk(advice)}"


def _risk(advice: Advice) -> str:
    return f"{100 * advice.risk:g} %"


def _reason(advice: Advice) -> str:
    if not advice.by_memory:
        return "Give the server more memory, or this mix smaller agents."
    chances = {point.agents: percent(point.p_failure) for point in advice.curve}
    number = advice.by_memory
    beyond = f"; {number + 1}: {chances[number + 1]}" if number + 1 in chances else ""
    return f"P(failure) of {number} agents, all at their peaks at once: {chances[number]}{beyond}."


def _curve(advice: Advice, *, ascii_only: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("agents", justify="right")
    table.add_column("P(failure)", justify="right")
    table.add_column("", width=_BAR, no_wrap=True)
    table.add_column("")
    for point in advice.curve:
        style = "green" if point.agents <= advice.by_memory else "red"
        bar = Text(_bar(point.p_failure, ascii_only=ascii_only), style)
        table.add_row(str(point.agents), percent(point.p_failure), bar, _remark(point, advice))
    return table


def _remark(point: Point, advice: Advice) -> str:
    if point.agents == advice.max_concurrency:
        return "<- maxConcurrency"
    return "<- the most by memory" if point.agents == advice.by_memory else ""


def _bar(share: float, *, ascii_only: bool) -> str:
    return ("#" if ascii_only else "█") * round(share * _BAR)


def _effects(advice: Advice) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("what changes it most")
    table.add_column("by memory", justify="right")
    table.add_column("", justify="right")
    table.add_column(f"P(failure) of {max(1, advice.by_memory)}", justify="right")
    for effect in advice.effects:
        difference = f"{effect.difference:+d}" if effect.difference else "same"
        table.add_row(effect.change, str(effect.agents), difference, percent(effect.p_failure))
    return table


def _origin(figures: Figures) -> Table:
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    table.add_column("figure")
    table.add_column("value")
    table.add_column("from")
    model = figures.model
    values = {
        "memory": in_binary(model.limit),
        "base": in_mb(model.base, 0),
        "agents": _agents(model),
        "spread": _spread(model),
        "runaways": f"{percent(model.runaway_share)} x {model.runaway_factor:g}"
        if model.runaway_share
        else "none",
    }
    for name, origin in figures.origin.items():
        table.add_row(name, values[name], origin)
    return table


def _agents(model: MemoryModel) -> str:
    """The mix with the memory of each class."""
    return "\n".join(
        f"{weight} % {name}, {in_gb(model.classes[name].mean)}"
        for name, weight in model.weights.items()
        if weight
    )


def _spread(model: MemoryModel) -> str:
    found = sorted({percent(model.classes[n].variation) for n, w in model.weights.items() if w})
    return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"


def percent(share: float) -> str:
    """A chance as people write it, no more exact than the model is: never 0 or 100 %."""
    if share < 0.0005:
        return "< 0.1 %"
    if share >= 0.9995:
        return "> 99.9 %"
    digits = 1 if share < 0.1 or share > 0.99 else 0
    return f"{100 * share:.{digits}f} %"
