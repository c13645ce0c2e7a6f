"""Where the figures of an advice come from: the options, a report, the settings, the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from loadtest import campaign
from loadtest import outcome as record
from loadtest.advise.options import Request
from loadtest.memory_model import ClassMemory, Fitted, MemoryModel, fit
from loadtest.summary import Summary
from settings.errors import SettingsError
from settings.models import Settings
from settings.recommend import parse_mix
from settings.sizes import in_mb, parse_size

DEFAULT_BASE = parse_size("500 MB")
"""A Node server's own memory. Nobody has measured automaker's; a stand-in needs far less."""
_PLAN = "release"


@dataclass(frozen=True)
class Figures:
    """What an advice is worked out from, and in words where each of it comes from."""

    model: MemoryModel
    origin: Mapping[str, str]


@dataclass(frozen=True)
class _Report:
    summary: Summary
    fitted: Fitted


def gather(request: Request, settings: Settings) -> Figures:
    """The model of memory that a request asks about.

    Raises SettingsError for a mix or a report that cannot be used, and ComposeError where the
    staging model is asked for and cannot be read.
    """
    weights = parse_mix(request.mix, settings.agents)
    report = _read(request.folder) if request.folder else None
    classes, agents_from = _agents(weights, settings, report)
    spread = settings.loadtest.plans[_PLAN].spread
    if request.spread is not None:
        classes = {name: ClassMemory(one.mean, request.spread) for name, one in classes.items()}
    # What runs away in a report is part of the variation that was measured.
    share, factor = request.runaways or (
        (0.0, spread.runaway_factor) if report else (spread.runaway_share, spread.runaway_factor)
    )
    limit, limit_from = _limit(request, report)
    base, base_from = _base(request, report)
    return Figures(
        MemoryModel(
            limit=limit,
            base=base,
            classes=classes,
            weights=weights,
            runaway_share=share,
            runaway_factor=factor,
            burst=spread.burst,
            drawn=True,
        ),
        {
            "memory": limit_from,
            "base": base_from,
            "agents": agents_from,
            "spread": _spread_from(request, report),
            "runaways": _runaways_from(request, report),
        },
    )


def _read(folder: Path) -> _Report:
    """What a load test left behind. Raises SettingsError that names the file."""
    for name in ("summary.json", "trials.jsonl"):
        try:
            if name == "summary.json":
                summary = Summary.read(folder / name)
            else:
                outcomes = list(record.read(folder / name))
        except OSError as error:
            where, why = folder / name, error.strerror or error
            raise SettingsError(
                [f"--from {folder}: {where}: {why}; name a report's folder"]
            ) from None
        except (ValidationError, UnicodeDecodeError):
            where = folder / name
            raise SettingsError(
                [f"--from {folder}: {where}: not written by this version; run the load test again"]
            ) from None
    return _Report(summary, fit(outcomes, summary.scale))


def _agents(
    weights: Mapping[str, int], settings: Settings, report: _Report | None
) -> tuple[dict[str, ClassMemory], str]:
    """Memory of every class there is a figure for; those of the mix are among them."""
    if report is None:
        variation = settings.loadtest.plans[_PLAN].spread.variation
        known = {n: ClassMemory(c.memory, variation) for n, c in settings.agents.classes.items()}
        return known, "settings/agents.toml: the guide's estimates"
    fitted, run = report.fitted, report.summary.run_id
    measured = dict(fitted.classes)
    missing = [name for name, weight in weights.items() if weight and name not in measured]
    if missing:
        known_names = ", ".join(measured) or "none"
        raise SettingsError(
            [f"--from: no agent {missing[0]!r} was measured in {run}; measured: {known_names}"]
        )
    counts = ", ".join(f"{fitted.agents[name]} {name}" for name, w in weights.items() if w)
    words = "" if report.summary.scale == 1 else f" at scale {report.summary.scale:g}"
    return measured, f"{run}: {report.summary.engine} agents measured{words}: {counts}"


def _limit(request: Request, report: _Report | None) -> tuple[float, str]:
    if request.memory:
        return request.memory, "--memory"
    if report and (limit := report.summary.limits.get("true_memory_bytes")):
        return limit.value, f"{report.summary.run_id}: the limit it tested"
    try:
        return (
            campaign.staging_limits().memory_bytes,
            "the staging model: services.server.mem_limit",
        )
    except Exception as error:
        error.add_note("or give the server's memory limit: --memory 48GiB needs no Docker at all")
        raise


def _base(request: Request, report: _Report | None) -> tuple[float, str]:
    if request.base:
        return request.base, "--base"
    assumed = "assumed: what a Node server needs for itself"
    if report is None or report.fitted.base is None:
        return DEFAULT_BASE, assumed
    measured = f"{report.summary.run_id}: {in_mb(report.fitted.base)} measured"
    if report.summary.target == "standin" and report.fitted.base < DEFAULT_BASE:
        # The stand-in is no Node server: its own memory would make the advice too bold.
        return DEFAULT_BASE, f"{assumed}; the stand-in's {in_mb(report.fitted.base)} says nothing"
    return report.fitted.base, measured


def _spread_from(request: Request, report: _Report | None) -> str:
    if request.spread is not None:
        return "--spread"
    if report:
        told = ", as the plan told them to" if report.summary.engine == "synthetic" else ""
        return f"{report.summary.run_id}: measured{told}"
    return f"settings/loadtest.toml: plans.{_PLAN}.spread"


def _runaways_from(request: Request, report: _Report | None) -> str:
    if request.runaways:
        return "--runaways"
    return (
        "within the measured spread" if report else f"settings/loadtest.toml: plans.{_PLAN}.spread"
    )
