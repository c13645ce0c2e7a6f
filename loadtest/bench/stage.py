"""What benchmarks run on: the rig at scale 1/16, and bare targets."""

from __future__ import annotations

import contextlib
import json
import secrets
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from compose.run import run
from loadtest.campaign import staging_limits
from loadtest.plan import Backing, Choice, cpu_limit, grade_of, make_campaign
from loadtest.report.live import progress_for
from loadtest.rig.engine import Client, connect, sweep
from loadtest.rig.image import BUILD, ensure_image
from loadtest.rig.labels import labels_for
from loadtest.rig.target import Target, TargetSpec
from loadtest.rig.trial import Rig
from settings.environment import swarm_environment
from settings.host import host_facts
from settings.load import load_settings

KEY = secrets.token_hex(8)
PROJECT = "/projects/bench"


@contextlib.contextmanager
def make_rig(
    workload: str | None, *, runs: int = 1, stable_s: float = 3.0, scale: float | None = None
) -> Iterator[Rig]:
    """A rig with the ramps of a workload, or of all, at the small scale; swept afterwards."""
    settings, limits, host = load_settings(), staging_limits(), host_facts()
    campaign = make_campaign(
        settings,
        plan_name="quick",
        true_limit=limits.memory_bytes,
        scale=scale or settings.loadtest.small_scale,
        grade=grade_of(scale or settings.loadtest.small_scale, host),
        choice=Choice([workload] if workload else ()),
        runs=runs,
    )
    plan = campaign.plan.model_copy(update={"stable_s": stable_s})
    with connect() as client, tempfile.TemporaryDirectory() as folder:
        for name in ("samples", "logs"):
            Path(folder, name).mkdir()
        run_id = f"bench-{secrets.token_hex(4)}"
        try:
            yield Rig(
                run_id=run_id,
                client=client,
                image=ensure_image(run, BUILD),
                limits=limits,
                cpus=cpu_limit(limits.cpus, host),
                settings=settings,
                campaign=replace(campaign, plan=plan),
                backing=Backing(campaign.limit),
                folder=Path(folder),
                swarm_environment=swarm_environment(),
                progress=progress_for(Console(quiet=True), 0),
            )
        finally:
            sweep(client, run_id)


@contextlib.contextmanager
def bare_target(client: Client, profile: Mapping[str, object]) -> Iterator[Target]:
    """One server whose small agents follow a profile."""
    memory = 2 * 2**30
    spec = TargetSpec(
        image=ensure_image(run, BUILD),
        memory=memory,
        memswap=memory,
        cpus=host_facts().cpus,
        init=True,
        environment={
            "AUTOMAKER_API_KEY": KEY,
            "AUTOMAKER_MAX_CONCURRENCY": "20",
            "STANDIN_PROFILES": json.dumps({"small": profile}),
        },
        labels=labels_for(f"bench-{secrets.token_hex(4)}"),
    )
    with Target(spec, client) as target:
        target.wait_ready(60)
        yield target


def post(target: Target, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Ask the server for something; its JSON answer."""
    request = urllib.request.Request(  # noqa: S310 - our own target on 127.0.0.1
        target.url + path,
        data=json.dumps(body).encode(),
        headers={"X-API-Key": KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
    return answer
