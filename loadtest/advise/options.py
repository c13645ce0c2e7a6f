"""The options of `python -m loadtest.advise`, as values."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from loadtest.option_types import size

_HIGHEST_RISK = 0.5


@dataclass(frozen=True)
class Request:
    """What the command line asks for; None leaves a figure to its default. Sizes in bytes."""

    mix: str = "mixed"
    memory: int | None = None
    risk: float = 0.01
    spread: float | None = None
    """Coefficient of variation."""
    runaways: tuple[float, float] | None = None
    """Share and factor."""
    base: int | None = None
    folder: Path | None = None
    """A report whose measurements take the place of the settings."""
    as_json: bool = False


def parse(argv: list[str]) -> Request:
    """The request that options make. Exits with 2 on options that cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="advise",
        allow_abbrev=False,
        description="Advise maxConcurrency for a server's memory, a mix of agents and a risk.",
        epilog="Nothing is run. Exit codes: 0 advised, 1 not even one agent is within the risk, "
        "2 options or files that cannot be used.",
    )
    add = parser.add_argument
    add(
        "--memory",
        type=size,
        metavar="64GiB",
        help="memory limit of the server; default the staging model's, which takes Docker Compose",
    )
    add(
        "--mix",
        default=Request.mix,
        metavar="small=60,large=40",
        help="percent of each agent class, or a class or mix by its name (default mixed)",
    )
    add(
        "--risk",
        type=_risk,
        default=Request.risk,
        metavar="1%",
        help="highest P(failure) while so many agents are at their peaks (default 1%%)",
    )
    add(
        "--spread",
        type=_spread,
        metavar="20%",
        help="how agents of one class differ: standard deviation over mean of their peaks",
    )
    add(
        "--runaways",
        type=_runaways,
        metavar="2%:3",
        help="share of agents that need so many times what their class does",
    )
    add("--base", type=size, metavar="500MB", help="the server's own memory")
    add(
        "--from",
        dest="folder",
        type=Path,
        metavar="DIR",
        help="use what a load test measured, such as reports/latest, in place of the settings",
    )
    add("--json", dest="as_json", action="store_true", help="print JSON")
    return Request(**vars(parser.parse_args(argv)))


def _share(text: str) -> float:
    """A share of 1, written as 1% or 0.01."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = math.nan
    if not math.isfinite(share):
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write for example 1% or 0.01")
    return share


def _risk(text: str) -> float:
    risk = _share(text)
    if not 0 < risk <= _HIGHEST_RISK:
        hint = f"; did you mean {text}%?" if risk > _HIGHEST_RISK and "%" not in text else ""
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most 50%{hint}")
    return risk


def _spread(text: str) -> float:
    spread = _share(text)
    if not 0 <= spread < 1:
        hint = f"; did you mean {text}%?" if spread >= 1 and "%" not in text else ""
        raise argparse.ArgumentTypeError(f"{text} must be at least 0 and below 100%{hint}")
    return spread


def _runaways(text: str) -> tuple[float, float]:
    share_text, colon, factor_text = text.partition(":")
    share = _share(share_text)
    try:
        factor = float(factor_text)
    except ValueError:
        factor = math.nan
    if not colon or not math.isfinite(factor):
        raise argparse.ArgumentTypeError(f"{text!r} is not SHARE:FACTOR, such as 2%:3")
    if not 0 <= share <= 1 or factor < 1:
        raise argparse.ArgumentTypeError(
            f"{text}: the share is at most 100%, the factor at least 1"
        )
    return share, factor
