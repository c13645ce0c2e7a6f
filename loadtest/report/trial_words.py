"""Workloads and trials in words: what they are, what they found."""

from __future__ import annotations

from loadtest.outcome import Outcome, Trial
from settings.models import Reading


def in_words(workload: str, reading: Reading) -> str:
    """A workload, and how the guide's sizes are read where that is not the usual way."""
    return workload if reading == "GB" else f"{workload}, sizes in {reading}"


def trial_name(trial: Trial) -> str:
    """A trial in a few words."""
    workload = in_words(trial.workload, trial.reading)
    match trial.kind:
        case "ramp":
            return f"Ramp, {workload}, run {trial.run}"
        case "rounds":
            return f"Rounds of {trial.concurrent} agents at once, {workload}, run {trial.run}"
        case "stable":
            return f"Stability, {trial.concurrent} agents at once, {workload}"
        case "cap":
            return f"maxConcurrency {trial.concurrent}, {workload}"
        case "scenario":
            return f"Situation, {trial.id.replace('-', ' ')}"


def trial_result(outcome: Outcome) -> str:
    """What a trial found, in a few words."""
    if not outcome.valid:
        return f"does not count: {outcome.reason}"
    lost = f", {outcome.failure_mode}" if outcome.failure_mode else ""
    match outcome.trial.kind:
        case "ramp":
            if outcome.failed_at is None:
                return f"{outcome.held} held, nothing failed"
            return f"{outcome.held} held, {outcome.failed_at} failed ({outcome.failure_mode})"
        case "rounds":
            return _rounds(outcome)
        case "scenario":
            return (
                f"{outcome.seen.verdict}: {outcome.seen.measured}" if outcome.seen else "not seen"
            )
        case _:
            return f"at most {outcome.max_running} at once, {outcome.finished} finished{lost}"


def _rounds(outcome: Outcome) -> str:
    held = f"held in {outcome.rounds_held} round{'' if outcome.rounds_held == 1 else 's'}"
    if outcome.failed_at is None and outcome.failure_mode is None:
        return f"{held}, nothing failed"
    return f"{held}, failed in the next ({outcome.failure_mode or 'an agent was lost'})"
