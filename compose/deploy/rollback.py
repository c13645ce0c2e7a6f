"""`invoke rollback`: to any release that was live, images, values and compose file alike."""

from __future__ import annotations

import time

from compose.deploy.build import see_images
from compose.deploy.context import Context, State
from compose.deploy.deploy import Deployed, conclude
from compose.deploy.preflight import engine_facts
from compose.deploy.release import release_before
from compose.deploy.switch import switch
from compose.deploy.volumes import ensure_volumes
from compose.errors import ComposeError

STEPS = 8


def rollback(
    ctx: Context, wanted: str, *, no_drain: bool, agent: bool, if_unfinished: bool = False
) -> Deployed | None:
    """Bring a release back; when that fails, what was live before serves again.

    Without a name it is the one that was live before the live one; after a run that was killed
    while it changed containers, it is the live one itself. With `if_unfinished` it does so only
    after such a run, and else returns None. Raises ComposeError.
    """
    began = time.monotonic()
    engine_facts(ctx)
    with ctx.locked():
        left = ctx.store.attempt()
        if if_unfinished and (left is None or not left.switching):
            return None
        ctx.begin()
        live = ctx.state_to_go_back_to()
        with ctx.concluding():
            target = ctx.state(ctx.store.release(wanted or _usual(ctx, live)))
            if not target.release.was_live:
                why = target.release.failed or "it was never finished"
                raise ComposeError(
                    f"{target.release.id} never passed its checks: {why}",
                    next_step="invoke releases shows those that did",
                )
            ctx.journal.name(target.release.id)
            ctx.note(f"to {target.release.id} ({target.release.source})")
            see_images(ctx.host, target.release.images)
            ensure_volumes(ctx.host, ctx.stack, target.running.view)
        checks = switch(ctx, target, live, no_drain=no_drain, agent=agent)
        return conclude(ctx, "ok", target, live, began, checks)


def _usual(ctx: Context, live: State | None) -> str:
    unfinished = ctx.journal.inherited
    if live is not None and unfinished is not None and unfinished.switching:
        return live.release.id
    found = release_before(ctx.store.releases(), live.release if live else None)
    if found is None:
        raise ComposeError(
            "there is no release to go back to",
            next_step="invoke deploy again; or invoke teardown --keep-data",
        )
    return found.id
