"""Which hosts of a fleet can be measured: their engines reached, and made ready for targets."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compose.errors import ComposeError
from compose.model import ServiceLimits
from compose.run import run
from loadtest.fleet.hosts import FleetHost
from loadtest.fleet.member import Member
from loadtest.fleet.plan import does_not_fit, on_host, same_engine
from loadtest.fleet.progress import FleetProgress, HostProgress
from loadtest.fleet.rig import FleetRig
from loadtest.plan import Backing, Campaign, PlanError, cpu_limit
from loadtest.rig.engine import ENGINE_ERRORS, sweep
from loadtest.rig.errors import RigError
from loadtest.rig.fleet_engine import FleetEngine, fleet_engine
from loadtest.rig.image import BUILD, ensure_image
from loadtest.rig.image_copy import carry_image, on_engine
from loadtest.rig.labels import RUN
from loadtest.rig.lifeline import Lifeline
from settings.environment import swarm_environment
from settings.models import Settings

_FAILURES = (*ENGINE_ERRORS, ComposeError, OSError)


@dataclass
class Reached:
    """The engines of a fleet that answer, and why the others do not."""

    engines: dict[FleetHost, FleetEngine] = field(default_factory=dict)
    unusable: dict[FleetHost, str] = field(default_factory=dict)


def reach(
    hosts: Sequence[FleetHost], open_: contextlib.ExitStack, progress: FleetProgress
) -> Reached:
    """Reach every engine; they stay open as long as `open_`.

    Raises PlanError where two hosts have one engine, and RigError where none answers.
    """
    reached = Reached()
    errors = []
    for host in hosts:
        try:
            engine = open_.enter_context(fleet_engine(host.address, host.ssh))
        except _FAILURES as error:
            reached.unusable[host] = str(error)
            errors.append(error)
            progress.say(f"cannot be used: {error}", host.name)
        else:
            reached.engines[host] = engine
    if problem := same_engine({host.name: e.id for host, e in reached.engines.items()}):
        raise PlanError(problem)
    if not reached.engines:
        nobody = RigError(f"no host of the fleet can be used: {errors[0]}")
        for note in getattr(errors[0], "__notes__", []):
            nobody.add_note(note)
        raise nobody
    return reached


@dataclass(frozen=True)
class Gathering:
    """What members of a fleet have in common."""

    settings: Settings
    campaign: Campaign
    limits: ServiceLimits
    folder: Path
    progress: FleetProgress

    def members(self, reached: Reached, open_: contextlib.ExitStack) -> list[Member]:
        """The hosts that can be measured; the others are noted in `reached` with the reason."""
        images: dict[str, tuple[str, str]] = {}
        members = []
        for host, engine in reached.engines.items():
            try:
                members.append(self._member(host, engine, images, open_))
            except _FAILURES as error:
                reached.unusable[host] = str(error)
                self.progress.say(f"cannot be used: {error}", host.name)
        return members

    def _member(
        self,
        host: FleetHost,
        engine: FleetEngine,
        images: dict[str, tuple[str, str]],
        open_: contextlib.ExitStack,
    ) -> Member:
        reserve = self.settings.loadtest.thresholds.host_reserve
        if problem := does_not_fit(self.campaign, reserve, engine.host):
            raise RigError(problem)
        self._clear(host, engine)
        image = self._image(host, engine, images)
        folder = self.folder / host.folder
        for path in (folder / "samples", folder / "logs"):
            path.mkdir(parents=True)
        rig = FleetRig(
            run_id=self.folder.name,
            client=engine.client,
            image=image,
            limits=self.limits,
            cpus=cpu_limit(self.limits.cpus, engine.host),
            settings=self.settings,
            campaign=on_host(self.campaign, engine.host),
            backing=Backing(self.campaign.limit),
            folder=folder,
            swarm_environment=swarm_environment(),
            progress=HostProgress(self.progress, host.name),
            host=host.name,
            engine=engine,
        )
        lifeline = Lifeline(engine.url)
        open_.callback(lifeline.close)
        return Member(host, rig, lifeline)

    def _clear(self, host: FleetHost, engine: FleetEngine) -> None:
        """Remove what killed runs left there. Raises RigError where another run is under way."""
        for removed in sweep(engine.client):
            self.progress.say(f"removed what an earlier run left behind: {removed}", host.name)
        if host.ssh is None:
            return  # runs of this machine take turns by its lock
        theirs = engine.client.containers.list(filters={"label": RUN})
        if theirs:
            raise RigError(
                f"another load test is running there (run {theirs[0].labels[RUN]}): "
                "wait for it, or end it"
            )

    def _image(
        self, host: FleetHost, engine: FleetEngine, images: dict[str, tuple[str, str]]
    ) -> str:
        """Name of the stand-in's image there: built on the first engine of its kind, then copied.

        `images` holds, by architecture, the name and the engine that has it.
        """
        if engine.architecture not in images:
            self.progress.say(
                "stand-in image: built where it is missing, about a minute", host.name
            )
            name = ensure_image(on_engine(run, engine.url), BUILD)
            images[engine.architecture] = name, engine.url
            return name
        name, source = images[engine.architecture]
        if carry_image(run, name, source, engine.url, self.folder / f"{host.folder}.image.log"):
            self.progress.say("stand-in image: copied", host.name)
        return name
