"""Verbs for capacity runs by the clock: install them, look at them, and what the clock calls."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from compose.deploy.context import Context as StackContext
    from compose.schedule.kinds import Kind

from verbs import DRY, DRY_HELP, JSON_HELP, OUR_PACKAGES, PATH_HELP, is_dry, session, task

PLAN_HELP = "plan of settings/loadtest.toml (default: regression)"
PROMETHEUS_HELP = "where metrics go, for the textfile collector (default: reports/schedule/)"


@task(
    help={
        "daily": "time of day as HH:MM, in the time zone of this host (default: 03:30)",
        "plan": PLAN_HELP,
        "prometheus": PROMETHEUS_HELP,
        "dry_run": "print the exact files and commands and change nothing",
        "json_": JSON_HELP,
        "path": PATH_HELP,
    }
)
def install(
    c: Context,
    daily: str = "03:30",
    plan: str = "regression",
    prometheus: str = "",
    dry_run: bool = False,
    json_: bool = False,
    path: str = "",
) -> None:
    """Have a capacity run started every day, by systemd or by cron; again to change it."""
    from compose.schedule import install as act
    from compose.schedule.job import Job
    from settings.docker_host import docker_host

    with session("schedule.install", path, dry=is_dry(c, dry_run), json_=json_) as ctx:
        _see_plan(plan)
        job = Job(
            name=_name(ctx),
            checkout=str(_checkout()),
            daily=daily,
            plan=plan,
            env_file=str(Path(path).absolute()) if path else "",
            prometheus=str(Path(prometheus).absolute()) if prometheus else "",
            engine=docker_host() or "",
        )
        ctx.host.progress.total = 1
        done = act.install(ctx, _kinds(ctx), job, _now())
        dry = ctx.host.dry
    print(json.dumps(done.data(), indent=2) if json_ else DRY if dry else done.text())


@task(help={"json_": JSON_HELP, "path": PATH_HELP})
def status(_c: Context, json_: bool = False, path: str = "") -> None:
    """Show what is scheduled and how it went; exit code 1 where no run comes, or one was missed."""
    from compose.schedule.status import look, show_status

    with session("schedule.status", path, json_=json_) as ctx:
        kinds, now = _kinds(ctx), _now()
        found = look(_name(ctx), kinds, _checkout(), now)
    print(json.dumps(found.data(), indent=2) if json_ else show_status(found, now))
    if found.problems:
        raise Exit(code=1)


@task(help={"dry_run": DRY_HELP, "json_": JSON_HELP, "path": PATH_HELP})
def remove(c: Context, dry_run: bool = False, json_: bool = False, path: str = "") -> None:
    """Take away what schedule.install made; a run under way goes on, and so do its results."""
    from compose.schedule import install as act

    with session("schedule.remove", path, dry=is_dry(c, dry_run), json_=json_) as ctx:
        ctx.host.progress.total = 1
        removed = act.remove(ctx, _kinds(ctx), _checkout())
        dry = ctx.host.dry
    if json_:
        print(json.dumps({"removed": [] if dry else removed, "found": removed}, indent=2))
        return
    for one in removed:
        print(f"{'would remove' if dry else 'removed'} {one}")
    if not removed:
        print("nothing to remove: no run is scheduled")


@task(
    help={
        "plan": PLAN_HELP,
        "wait": "try again for six hours where the host is busy (default)",
        "prometheus": PROMETHEUS_HELP,
        "path": PATH_HELP,
    }
)
def run(
    _c: Context,
    plan: str = "regression",
    wait: bool = True,
    prometheus: str = "",
    path: str = "",
) -> None:
    """Measure once the host is quiet, and compare with the runs before; what the clock calls.

    Exit codes: 0 confirmed, 1 refuted or regressed, 2 cannot run, 3 inconclusive,
    75 the host was busy, 130 interrupted.
    """
    import time

    import psutil

    from compose.deploy.signals import ignoring_hangup
    from compose.schedule.measure import run_logged
    from compose.schedule.run import Doors, Order, Run
    from compose.schedule.state import FOLDER
    from settings.load import load_settings

    checkout = _checkout()
    file = Path(prometheus).absolute() if prometheus else checkout / FOLDER / "capacity.prom"

    def memory() -> float:
        return float(psutil.virtual_memory().percent) / 100

    doors = Doors(_now, time.sleep, _measuring, memory, run_logged)
    with _cannot_run_is_2(), session("schedule.run", path) as ctx, ignoring_hangup():
        _see_plan(plan)
        limits = load_settings().loadtest.schedule
        code = Run(ctx, Order(checkout, plan, file, wait), limits, doors).go()
    if code:
        raise Exit(code=code)


@contextlib.contextmanager
def _cannot_run_is_2() -> Iterator[None]:
    """Have no error of ours end with 1, which would mean that the guide does not hold."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.split(".")[0] in OUR_PACKAGES:
            error.exit_code = 2  # type: ignore[attr-defined]
        raise


def _measuring() -> str:
    """Name another load test of this machine, of whatever checkout; its lock is tried."""
    from loadtest.lock import only_campaign
    from loadtest.plan import PlanError

    try:
        with only_campaign():
            return ""
    except PlanError as error:
        what = str(error).partition(": ")[0]
        # A lock that cannot be had at all is no other load test: ours will say what is wrong.
        return what if what.startswith("another load test") else ""


def _see_plan(plan: str) -> None:
    from compose.errors import ComposeError
    from settings.load import load_settings

    plans = load_settings().loadtest.plans
    if plan not in plans:
        raise ComposeError(
            f"--plan {plan!r}: no such plan", next_step=f"one of {', '.join(plans)}", exit_code=2
        )


def _checkout() -> Path:
    from settings.env_file import ENV_FILE

    return ENV_FILE.parent.absolute()


def _name(ctx: StackContext) -> str:
    from compose.schedule.job import SUFFIX

    return f"{ctx.stack.project}-{SUFFIX}"


def _kinds(ctx: StackContext) -> list[Kind]:
    from compose.schedule.kinds import kinds_here

    return kinds_here(ctx.host, _name(ctx))


def _now() -> datetime:
    from datetime import datetime

    from compose.schedule.job import host_zone

    return datetime.now(host_zone())
