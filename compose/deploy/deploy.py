"""`invoke deploy`: from a source to a release that serves, or back to the one before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compose import engine
from compose.checks import Check
from compose.deploy.audit import Result
from compose.deploy.build import see_images
from compose.deploy.context import Context, State
from compose.deploy.docs import docs_are_missing, start_docs
from compose.deploy.draining import resume_loops
from compose.deploy.make import Made, Order, make
from compose.deploy.preflight import engine_facts, make_our_directories, preflight
from compose.deploy.prune import prune
from compose.deploy.release import Release
from compose.deploy.switch import recover, switch, verify
from compose.deploy.values import deploy_values, ensure_env_file
from compose.deploy.view import StackView
from compose.deploy.volumes import ensure_volumes
from compose.errors import ComposeError

STEPS = 16
DOCS_STEPS = 2


@dataclass(frozen=True)
class Deployed:
    """How it ended well: what is live now and what was before; the smoke test's lines."""

    result: Result
    release: Release
    view: StackView
    before: str
    seconds: float
    checks: Sequence[Check] = ()

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return {
            "result": self.result,
            "release": self.release.data(),
            "before": self.before,
            "seconds": round(self.seconds, 1),
            "checks": [{"level": c.level, "name": c.name, "found": c.found} for c in self.checks],
        }


def deploy(ctx: Context, order: Order) -> Deployed:
    """Build, check, drain, cut over, verify, go live; when that fails, the release before serves.

    Every step leaves a state that the next deploy or rollback goes on from, also after a
    `kill -9`. Raises ComposeError or SettingsError.
    """
    began = time.monotonic()
    ctx.host.progress.total = STEPS + DOCS_STEPS * docs_are_missing(ctx)
    with ctx.concluding():
        with ctx.step("engine"):
            ensure_engine(ctx)
        with ctx.step("preflight"):
            values = check(ctx, order)
    with ctx.locked():
        ctx.begin()
        back = ctx.state_to_go_back_to()
        with ctx.concluding():
            recover(ctx, back)
            made = make(ctx, order, values, back)
            with ctx.step("volumes"):
                ensure_volumes(ctx.host, ctx.stack, made.target.running.view)
                see_images(ctx.host, made.target.release.images)
        checks = _bring_live(ctx, order, made, back)
        result: Result = "unchanged" if made.unchanged else "ok"
        done = conclude(ctx, result, made.target, back, began, checks)
        _afterwards(ctx, order, values, made)
        return done


def conclude(
    ctx: Context,
    result: Result,
    target: State,
    back: State | None,
    began: float,
    checks: Sequence[Check],
) -> Deployed:
    """End well, and say so in the audit log and the chat; then auto-mode runs again."""
    ctx.journal.switched()
    seconds, before = time.monotonic() - began, back.release.id if back else ""
    if ctx.host.dry:
        ctx.journal.finish()
        return Deployed("dry run", target.release, target.running.view, before, seconds, checks)
    release = ctx.as_recorded(target.release)
    ctx.log(result, release=release.id, before=before, seconds=round(seconds, 1))
    if result == "ok":
        ctx.tell(f"{release.id} is live ({release.source})", alert=False)
    resume_loops(ctx, target)
    ctx.journal.finish()
    return Deployed(result, release, target.running.view, before, seconds, checks)


def ensure_engine(ctx: Context) -> None:
    """Install and start what is missing of engine, Compose and buildx."""
    pending = ""

    def report(text: str) -> None:
        nonlocal pending
        *lines, pending = (pending + text).split("\n")
        for line in lines:
            ctx.note(line)

    engine.provision(ctx.host.run, report, dry_run=ctx.host.dry)


def check(ctx: Context, order: Order) -> dict[str, str]:
    """Read and check everything that could stop a deploy; returns the values to deploy with."""
    facts = engine_facts(ctx)
    said = ensure_env_file(order.env_path, local=ctx.local, dry=ctx.host.dry)
    if said:
        ctx.note(said)
    values = deploy_values(
        order.env_path,
        standin=order.source.kind == "standin",
        memory=facts.memory,
        cpus=facts.cpus,
        dry=ctx.host.dry,
    )
    ctx.keep_secret(values)
    ctx.webhooks = values
    view = ctx.staging_view(values)
    make_our_directories(ctx, view, facts)
    for one in preflight(ctx, view, facts, order.min_free):
        ctx.note(f"{one.name}: {one.found}")
    return values


def _bring_live(ctx: Context, order: Order, made: Made, back: State | None) -> Sequence[Check]:
    """Switch to what was made; where it runs already, only see that it works."""
    if made.unchanged:
        with ctx.concluding(), ctx.step("smoke test"):
            return verify(ctx, made.target, agent=True)
    return switch(ctx, made.target, back, no_drain=order.no_drain, agent=True)


def _afterwards(ctx: Context, order: Order, values: Mapping[str, str], made: Made) -> None:
    """Serve docs that were never served before, and prune; the release is live whatever happens."""
    try:
        if made.docs is not None:
            with ctx.step("docs"):
                commit, source = made.target.release.commit, order.source.shown
                start_docs(ctx, values, made.docs, commit=commit, source=source)
    except (ComposeError, OSError, KeyboardInterrupt) as error:
        ctx.note(f"the docs do not serve, the rest does: {error}")
        ctx.log("failed", what="docs.deploy", detail=str(error) or "interrupted")
    try:
        with ctx.step("prune"):
            prune(ctx, order.keep)
    except (ComposeError, OSError, KeyboardInterrupt) as error:
        ctx.note(f"old releases are not forgotten yet: {error}")
