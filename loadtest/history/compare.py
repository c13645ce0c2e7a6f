"""Whether a run is worse than its baseline, metric by metric. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from loadtest.history import metrics
from loadtest.history.errors import HistoryError
from loadtest.history.runs import Run
from loadtest.history.shift import RunSpread, Shift, run_spread, shift_of
from loadtest.history.verdicts import POOL, Baseline, Comparison, Finding, FirstShown, Verdict
from settings.models import Tolerance

_LATEST = 50


def compare(
    new: Run,
    baseline: Baseline,
    tolerances: Mapping[str, Tolerance],
    history: Sequence[Run] = (),
) -> Comparison:
    """Judge every metric of a run.

    `history` are earlier runs of its kind with their samples, good or not. Raises HistoryError,
    naming what differs, where the baseline is of another kind.
    """
    require_same_kind(new, baseline.runs[0], baseline.name)
    known = {run.run_id: run for run in (*history, *baseline.runs) if run.when < new.when}
    known.pop(new.run_id, None)
    earlier = sorted(known.values(), key=lambda run: run.when)
    named = {metric for run in baseline.runs for metric in run.samples} | set(new.samples)
    return Comparison(
        run_id=new.run_id,
        baseline=baseline.name,
        baseline_runs=tuple(run.run_id for run in baseline.runs),
        kind=str(new.kind),
        findings=tuple(
            _judge(metric, new, baseline, tolerances, earlier)
            for metric in sorted(named, key=metrics.order)
        ),
    )


def require_same_kind(new: Run, old: Run, name: str) -> None:
    """Raise HistoryError, naming every difference, where two runs cannot be compared."""
    differences = new.kind.differences(old.kind)
    if differences:
        raise HistoryError(
            f"run {new.run_id} and baseline {name} ({old.run_id}) are not alike: "
            + "; ".join(differences),
            next_step="compare with a run of the same kind: invoke baseline lists them",
        )


def _judge(
    metric: str,
    new: Run,
    baseline: Baseline,
    tolerances: Mapping[str, Tolerance],
    earlier: Sequence[Run],
) -> Finding:
    old_samples, new_samples = baseline.samples(metric), new.samples.get(metric, ())
    if not new_samples or not old_samples:
        where = "this run" if old_samples else "the baseline"
        return Finding(metric, "unclear", f"{where} has no sample of it")
    old, now = statistics.median(old_samples), statistics.median(new_samples)
    tolerance = metrics.tolerance_of(metric, tolerances, old)
    pooled = baseline.pooled and len(old_samples) >= POOL
    shift = shift_of(
        old_samples,
        [now] if pooled else new_samples,
        counted=metrics.is_counted(metric),
        spread=_spread(metric, old_samples if pooled else None, earlier),
        pooled=pooled,
    )
    if tolerance is None:
        words = f"{_change(metric, old, now)}; settings/loadtest.toml names no tolerance for it"
        return Finding(metric, "unclear", words, old, now, shift)
    verdict = _verdict(metric, shift, tolerance)
    words = f"{_change(metric, old, now)}, {_interval(metric, old, shift)}"
    shown = None
    if verdict == "regressed":
        shown = _first_shown(metric, new, baseline, earlier, old + _signed(metric, tolerance))
    return Finding(metric, verdict, words, old, now, shift, tolerance, shown)


def _spread(metric: str, pool: Sequence[float] | None, earlier: Sequence[Run]) -> RunSpread | None:
    if pool is not None:
        return run_spread(pool)
    medians = [run.median(metric) for run in earlier if run.good]
    return run_spread([one for one in medians if one is not None][-_LATEST:])


def _signed(metric: str, tolerance: float) -> float:
    return metrics.bad_sign(metric) * tolerance


def _verdict(metric: str, shift: Shift, tolerance: float) -> Verdict:
    """By the whole interval: beyond the tolerance on one side, or within it, or neither."""
    sign = metrics.bad_sign(metric)
    best, worst = sorted((sign * shift.low, sign * shift.high))
    if best > tolerance:
        return "regressed"
    if worst < -tolerance:
        return "improved"
    return "unchanged" if -tolerance <= best and worst <= tolerance else "unclear"


def _change(metric: str, old: float, now: float) -> str:
    """Such as `+5.1 % (4.204 GB from 4.000 GB)`."""
    said = f"{metrics.in_words(metric, now)} from {metrics.in_words(metric, old)}"
    if metrics.is_counted(metric) or not old:
        return f"{now - old:+g} ({said})"
    percent = round((now / old - 1) * 100, 1) + 0.0  # never -0.0
    return f"{percent:+.1f} % ({said})"


def _interval(metric: str, old: float, shift: Shift) -> str:
    if not shift.known:
        return "too few samples for an interval"
    low, high = (metrics.in_words(metric, old + end) for end in (shift.low, shift.high))
    number, _, unit = low.partition(" ")
    return f"95 % interval {number} to {high.removesuffix(unit).strip()} {unit}"


def _first_shown(
    metric: str, new: Run, baseline: Baseline, earlier: Sequence[Run], bound: float
) -> FirstShown:
    """Walk back from the new run while every run's median lies beyond the bound."""
    sign = metrics.bad_sign(metric)
    first = new
    for run in reversed(earlier):
        median = run.median(metric)
        if run.when <= baseline.runs[0].when:
            break
        if median is None:
            continue
        if sign * (median - bound) <= 0:
            break
        first = run
    return FirstShown(first.run_id, first.header.started_at, first.commit)
