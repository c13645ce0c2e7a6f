"""From a campaign to its outcomes, on one engine: what was measured is kept, whatever happens."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from compose.model import ServiceLimits
from compose.run import run
from loadtest import outcome as record
from loadtest.confirm import Confirmer
from loadtest.outcome import Outcome, Trial
from loadtest.plan import SWAP, Backing, Campaign, cpu_limit
from loadtest.report.live import Progress
from loadtest.rig.backing import swap_of, sweep_swap
from loadtest.rig.engine import ENGINE_ERRORS, Client, sweep
from loadtest.rig.image import BUILD, ROOT, ensure_image
from loadtest.rig.origin import origin_of
from loadtest.rig.trial import Rig
from settings.environment import swarm_environment
from settings.host import HostFacts
from settings.models import Settings, Spread
from settings.sizes import in_gb, in_gib


@dataclass(frozen=True)
class Job:
    """What is to be measured, and on what."""

    settings: Settings
    campaign: Campaign
    limits: ServiceLimits
    host: HostFacts
    backing: Backing
    folder: Path
    injected: Mapping[str, str] = field(default_factory=dict)
    """Variables of the target that change it on purpose; see `loadtest.bench.regressions`."""


@dataclass
class Measured:
    """What a campaign found until its end, or until it was stopped."""

    outcomes: list[Outcome] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0
    stopped: BaseException | None = None
    """What ended it early."""

    @property
    def nothing(self) -> bool:
        """Whether it failed before anything was measured."""
        early = self.stopped is not None and not isinstance(self.stopped, KeyboardInterrupt)
        return early and not self.outcomes


def measure(job: Job, client: Client, progress: Progress) -> Measured:
    """Run every trial of a campaign; each outcome is on disk before the next trial begins."""
    measured = Measured()
    began = time.monotonic()
    try:
        clear_away(client, progress)
        image = build_image(progress)
        measured.origin = origin_of(run, client, image, ROOT)
        measured.origin["spread"] = spread_words(job.campaign.plan.spread)
        rig = Rig(
            run_id=job.folder.name,
            client=client,
            image=image,
            limits=job.limits,
            cpus=cpu_limit(job.limits.cpus, job.host),
            settings=job.settings,
            campaign=job.campaign,
            backing=job.backing,
            folder=job.folder,
            swarm_environment=swarm_environment(),
            progress=progress,
            injected=job.injected,
        )
        with swap_for(job.backing, progress):
            measure_all(rig, progress, measured.outcomes)
    except (KeyboardInterrupt, Exception) as error:
        measured.stopped = error  # whatever it is: what was measured until then is kept
    finally:
        progress.close()
    measured.took_s = time.monotonic() - began
    if measured.nothing:
        shutil.rmtree(job.folder, ignore_errors=True)
    return measured


def spread_words(spread: Spread) -> str:
    """How agents of one class differ, in words: runs that differ in it cannot be compared."""
    words = []
    if spread.variation:
        words.append(f"differ by {100 * spread.variation:g} %")
    if spread.runaway_share:
        share, factor = 100 * spread.runaway_share, spread.runaway_factor
        words.append(f"{share:g} % need {factor:g} times as much")
    if spread.burst:
        words.append(f"tools of {in_gb(spread.burst)}")
    return ", ".join(words) or "alike"


def clear_away(client: Client, progress: Progress) -> None:
    """Remove what runs that were killed left behind."""
    for removed in (*sweep(client), *(f"swap {name}" for name in sweep_swap(run))):
        progress.phase(f"removed what an earlier run left behind: {removed}")


def build_image(progress: Progress) -> str:
    """Name of the stand-in's image, built if need be."""
    progress.phase("stand-in image: built once, about a minute the first time")
    return ensure_image(run, BUILD)


def measure_all(rig: Rig, progress: Progress, outcomes: list[Outcome]) -> None:
    """Run the trials one after the other, until all is decided."""
    planned = len(rig.campaign.trials) + rig.campaign.repeats
    try:
        for number, trial in enumerate(trials_of(rig, outcomes), start=1):
            progress.trial_started(trial, number, max(planned, number))
            outcome = rig.measure(trial)
            record.append(rig.folder / "trials.jsonl", outcome)
            outcomes.append(outcome)
            progress.trial_ended(outcome)
    finally:
        # An engine that is lost cannot be swept; the next run, or `invoke clean`, does it.
        with contextlib.suppress(*ENGINE_ERRORS):
            sweep(rig.client, rig.run_id)


def trials_of(rig: Rig, outcomes: Sequence[Outcome]) -> Iterator[Trial]:
    """The planned trials, then repeats until what they say is known well enough."""
    yield from rig.campaign.trials
    confirmer = Confirmer(rig.campaign.planner, rig.settings.loadtest.confidence)
    while trial := confirmer.next_trial(outcomes):
        yield trial


@contextlib.contextmanager
def swap_for(backing: Backing, progress: Progress) -> Iterator[None]:
    """The swap that a limit beyond the host's memory needs, while it is needed."""
    if not backing.swap:
        yield
        return
    progress.phase(f"{SWAP[backing.way]} of {in_gib(backing.swap)} behind the target's memory")
    with swap_of(run, backing.swap, backing.way):
        yield


def report_folder(out: Path) -> Path:
    """A fresh folder for a run's files; earlier reports are never touched."""
    folder = out / (datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ") + f"-{os.getpid()}")
    for path in (folder / "samples", folder / "logs"):
        path.mkdir(parents=True)
    return folder
