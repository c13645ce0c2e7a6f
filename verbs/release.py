"""Verbs that change what is live: build, deploy, rollback, and what they leave behind."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json
from dataclasses import asdict

from invoke.context import Context

from verbs import DRY_HELP, JSON_HELP, PATH_HELP, WHY_HELP, Amount, Count, is_dry, session, task

SOURCE_HELP = (
    "automaker checkout, git address, or standin to try things out "
    "(default: BUILD_CONTEXT of the env file)"
)
LOCK_HELP = "seconds to wait for another deploy to end (default: refuse at once)"
DRAIN_HELP = "do not wait for running agents; they are lost"
READY_HELP = "seconds to get ready in (default: what the healthcheck allows)"


@task(
    help={
        "source": SOURCE_HELP,
        "ref": "commit, branch or tag of the source",
        "dry_run": DRY_HELP,
        "no_drain": DRAIN_HELP,
        "keep": "releases to keep for rollbacks (default 5)",
        "lock_wait": LOCK_HELP,
        "ready_timeout": READY_HELP,
        "min_free": "GB of disk to insist on (default 10, with the stand-in 1)",
        "why": WHY_HELP,
        "json_": JSON_HELP,
        "path": PATH_HELP,
    }
)
def deploy(
    c: Context,
    source: str = "",
    ref: str = "",
    dry_run: bool = False,
    no_drain: bool = False,
    keep: int = Count(5),
    lock_wait: float = Amount(0),
    ready_timeout: float = Amount(0),
    min_free: float = Amount(-1),
    why: str = "",
    json_: bool = False,
    path: str = "",
) -> None:
    """Build, check, drain, cut over, verify; on any failure the release before serves again."""
    from compose.deploy import deploy as story
    from compose.deploy.show import show_deployed
    from verbs.orders import make_order

    with session("deploy", path, dry=is_dry(c, dry_run), json_=json_, why=why) as ctx:
        ctx.lock_wait_s, ctx.ready_s = lock_wait, ready_timeout or None
        order = make_order(ctx, path, source, ref, keep=keep, min_free=min_free, no_drain=no_drain)
        done = story.deploy(ctx, order)
    print(json.dumps(done.data(), indent=2) if json_ else show_deployed(ctx, done))


@task(
    help={
        "release": "which one (default: the one before the live one; see invoke releases)",
        "dry_run": DRY_HELP,
        "no_drain": DRAIN_HELP,
        "no_agent": "leave the agent out of the smoke test",
        "if_unfinished": "only after a run that was killed while it changed containers",
        "lock_wait": LOCK_HELP,
        "ready_timeout": READY_HELP,
        "why": WHY_HELP,
        "json_": JSON_HELP,
        "path": PATH_HELP,
    },
)
def rollback(
    c: Context,
    release: str = "",
    dry_run: bool = False,
    no_drain: bool = False,
    no_agent: bool = False,
    if_unfinished: bool = False,
    lock_wait: float = Amount(0),
    ready_timeout: float = Amount(0),
    why: str = "",
    json_: bool = False,
    path: str = "",
) -> None:
    """Bring an earlier release back: its images, its settings and its compose file."""
    from compose.deploy import rollback as story
    from compose.deploy.show import show_deployed

    with session("rollback", path, dry=is_dry(c, dry_run), json_=json_, why=why) as ctx:
        ctx.lock_wait_s, ctx.ready_s = lock_wait, ready_timeout or None
        ctx.host.progress.total = story.STEPS
        done = story.rollback(
            ctx, release, no_drain=no_drain, agent=not no_agent, if_unfinished=if_unfinished
        )
    if done is None:
        print("null" if json_ else "nothing was left half done")
        return
    print(json.dumps(done.data(), indent=2) if json_ else show_deployed(ctx, done))


@task(
    help={
        "source": SOURCE_HELP,
        "ref": "commit, branch or tag of the source",
        "dry_run": DRY_HELP,
        "json_": JSON_HELP,
        "path": PATH_HELP,
    }
)
def build(
    c: Context,
    source: str = "",
    ref: str = "",
    dry_run: bool = False,
    json_: bool = False,
    path: str = "",
) -> None:
    """Build the images of server and UI; nothing that runs is touched."""
    from compose.deploy.make import build_only
    from verbs.orders import make_order

    with session("build", path, dry=is_dry(c, dry_run), json_=json_) as ctx:
        ctx.host.progress.total = 3
        order = make_order(ctx, path, source, ref)
        images = build_only(ctx, order)
    if json_:
        print(json.dumps({name: asdict(image) for name, image in images.items()}, indent=2))
    else:
        print("\n".join(f"{name}: {image.reference}" for name, image in images.items()))


@task(
    help={
        "audit": "show the audit log instead: who did what, when, and how it ended",
        "json_": JSON_HELP,
        "path": PATH_HELP,
    }
)
def releases(_c: Context, audit: bool = False, json_: bool = False, path: str = "") -> None:
    """List the releases that can be gone back to, and which one is live."""
    from compose.deploy.show import show_audit, show_releases
    from compose.operate.releases import audit_log, list_releases

    with session("releases", path, json_=json_) as ctx:
        if audit:
            log = audit_log(ctx)
            print(json.dumps(log, indent=2) if json_ else show_audit(log))
            return
        rows = list_releases(ctx)
    print(json.dumps([asdict(one) for one in rows], indent=2) if json_ else show_releases(rows))


@task(
    help={
        "keep": "releases to keep for rollbacks (default 5)",
        "dry_run": DRY_HELP,
        "json_": JSON_HELP,
        "path": PATH_HELP,
    }
)
def prune(
    c: Context, keep: int = Count(5), dry_run: bool = False, json_: bool = False, path: str = ""
) -> None:
    """Forget old releases and their images; never volumes, never what belongs to others."""
    from compose.deploy.prune import prune_now

    with session("prune", path, dry=is_dry(c, dry_run), json_=json_) as ctx:
        ctx.host.progress.total = 2
        done = prune_now(ctx, keep)
    if json_:
        print(json.dumps(asdict(done), indent=2))
    elif not (done.releases or done.images):
        print("nothing to forget")
