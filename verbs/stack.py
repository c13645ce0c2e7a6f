"""Verbs for a stack that runs: look at it, use it, stop and start it, take it down."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

if TYPE_CHECKING:
    from compose.checks import Check

from verbs import DRY, DRY_HELP, JSON_HELP, PATH_HELP, WHY_HELP, Amount, is_dry, session, task
from verbs.release import DRAIN_HELP, LOCK_HELP, READY_HELP


@task(help={"json_": JSON_HELP, "path": PATH_HELP})
def status(_c: Context, json_: bool = False, path: str = "") -> None:
    """Show what is live, what runs, and who is at work; exit code 1 where something is wrong."""
    from compose.operate.status import look, show_status

    with session("status", path, json_=json_) as ctx:
        found = look(ctx)
    print(json.dumps(found.data(), indent=2) if json_ else show_status(found))
    if found.problems or not found.live:
        raise Exit(code=1)


@task(help={"json_": JSON_HELP, "path": PATH_HELP})
def health(_c: Context, json_: bool = False, path: str = "") -> None:
    """Ask containers, server, UI and docs how they are; exit code 1 where one is not well."""
    from compose.operate.health import check_health

    with session("health", path, json_=json_) as ctx:
        checks = check_health(ctx)
    _end_with(checks, json_)


@task(
    help={"no_agent": "do not run an agent, which calls the model", "json_": JSON_HELP,
          "path": PATH_HELP}
)  # fmt: skip
def smoke(c: Context, no_agent: bool = False, json_: bool = False, path: str = "") -> None:
    """Try everything that has to work, one agent included; exit code 1 where something fails."""
    from compose.deploy import smoke as test
    from compose.deploy.switch import site_of
    from compose.operate.live import live_state

    with session("smoke", path, json_=json_) as ctx:
        agent = not (no_agent or is_dry(c, False))
        checks = test.smoke(ctx.host, site_of(ctx, live_state(ctx)), agent=agent)
    _end_with(checks, json_)


@task(
    help={
        "service": "server or ui (default: both)",
        "follow": "go on showing lines as they come",
        "tail": "lines to begin with, or all (default 100)",
        "since": "only what is newer, as 10m or 2026-03-14T09:00:00",
        "path": PATH_HELP,
    },
)
def logs(
    _c: Context,
    service: str = "",
    follow: bool = False,
    tail: str = "100",
    since: str = "",
    path: str = "",
) -> None:
    """Show the logs of server and UI, secrets masked."""
    from compose.operate.logs import show_logs

    def write(line: str) -> None:
        print(line, flush=True)

    services = [service] if service else []
    with session("logs", path) as ctx:
        show_logs(ctx, services, write, tail=tail, since=since, follow=follow)


@task(
    help={"watch": "seconds between looks; goes on until Ctrl-C", "json_": JSON_HELP,
          "path": PATH_HELP}
)  # fmt: skip
def stats(_c: Context, watch: float = Amount(0), json_: bool = False, path: str = "") -> None:
    """Show memory against its limit, processors and processes, and signs of pressure."""
    from compose.operate.stats import show_usage, usage

    with session("stats", path, json_=json_) as ctx:
        while True:
            rows = usage(ctx)
            text = json.dumps([one.data() for one in rows]) if json_ else show_usage(rows)
            print(text, flush=True)
            if not watch:
                return
            time.sleep(watch)


@task(help={"json_": JSON_HELP, "why": WHY_HELP, "path": PATH_HELP})
def drain(c: Context, json_: bool = False, why: str = "", path: str = "") -> None:
    """Stop auto-mode and wait up to 120 s for agents to finish; nothing is started again."""
    from compose.operate.power import drain_now

    with session("drain", path, dry=is_dry(c, False), json_=json_, why=why) as ctx:
        ctx.host.progress.total = 1
        done = drain_now(ctx)
    print(json.dumps(asdict(done)) if json_ else done.text())


@task(
    help={"dry_run": DRY_HELP, "lock_wait": LOCK_HELP, "ready_timeout": READY_HELP,
          "why": WHY_HELP, "path": PATH_HELP}
)  # fmt: skip
def start(
    c: Context,
    dry_run: bool = False,
    lock_wait: float = Amount(0),
    ready_timeout: float = Amount(0),
    why: str = "",
    path: str = "",
) -> None:
    """Start the live release, as after a reboot: the engine does not restart a server by itself."""
    from compose.operate.power import start_stack

    with session("start", path, dry=is_dry(c, dry_run), why=why) as ctx:
        ctx.lock_wait_s, ctx.ready_s, ctx.host.progress.total = lock_wait, ready_timeout or None, 5
        seconds = start_stack(ctx)
        print(DRY if ctx.host.dry else f"started, {seconds:.0f} s")


@task(
    help={"dry_run": DRY_HELP, "no_drain": DRAIN_HELP, "lock_wait": LOCK_HELP, "why": WHY_HELP,
          "path": PATH_HELP}
)  # fmt: skip
def stop(
    c: Context,
    dry_run: bool = False,
    no_drain: bool = False,
    lock_wait: float = Amount(0),
    why: str = "",
    path: str = "",
) -> None:
    """Drain and stop server and UI; data, docs and releases stay."""
    from compose.operate.power import stop_stack

    with session("stop", path, dry=is_dry(c, dry_run), why=why) as ctx:
        ctx.lock_wait_s, ctx.host.progress.total = lock_wait, 3
        stop_stack(ctx, no_drain=no_drain)


@task(
    help={"dry_run": DRY_HELP, "no_drain": DRAIN_HELP, "lock_wait": LOCK_HELP,
          "ready_timeout": READY_HELP, "why": WHY_HELP, "path": PATH_HELP}
)  # fmt: skip
def restart(
    c: Context,
    dry_run: bool = False,
    no_drain: bool = False,
    lock_wait: float = Amount(0),
    ready_timeout: float = Amount(0),
    why: str = "",
    path: str = "",
) -> None:
    """Drain and make the live release's containers anew; a changed env file needs a deploy."""
    from compose.operate.power import restart_stack

    with session("restart", path, dry=is_dry(c, dry_run), why=why) as ctx:
        ctx.lock_wait_s, ctx.ready_s, ctx.host.progress.total = lock_wait, ready_timeout or None, 6
        seconds = restart_stack(ctx, no_drain=no_drain)
        print(DRY if ctx.host.dry else f"restarted, {seconds:.0f} s")


@task(
    help={
        "yes": "do not ask for the project's name",
        "keep_data": "keep the volumes: projects, settings and sessions of the server",
        "dry_run": DRY_HELP,
        "why": WHY_HELP,
        "path": PATH_HELP,
    }
)
def teardown(
    c: Context,
    yes: bool = False,
    keep_data: bool = False,
    dry_run: bool = False,
    why: str = "",
    path: str = "",
) -> None:
    """Remove server, UI and docs, their images, releases and data; lists it all and asks first."""
    from compose.operate.teardown import doomed
    from compose.operate.teardown import teardown as take_down

    dry = is_dry(c, dry_run)
    with session("teardown", path, dry=dry, why=why) as ctx:
        what = doomed(ctx, keep_data=keep_data)
        if not what.lines():
            print("nothing to remove")
            return
        print("\n".join(what.lines()), flush=True)
        if not (yes or dry) and _typed(ctx.stack.project) != ctx.stack.project:
            raise Exit("not confirmed: nothing was removed", 1)
        ctx.host.progress.total = what.steps
        take_down(ctx, what)


def _typed(project: str) -> str:
    if not sys.stdin.isatty():
        return ""  # nobody there to ask: --yes says it
    try:
        return input(f"type {project} to remove all this: ").strip()
    except EOFError:
        return ""


def _end_with(checks: Sequence[Check], json_: bool) -> None:
    from compose.checks import exit_code
    from compose.show import show_checks

    print(json.dumps([asdict(one) for one in checks], indent=2) if json_ else show_checks(checks))
    if exit_code(checks):
        raise Exit(code=1)
