"""Start, stop, restart and drain: what runs is always the live release, as it was recorded."""

from __future__ import annotations

import time

from compose.deploy.bring_up import bring_up
from compose.deploy.containers import container
from compose.deploy.context import Context
from compose.deploy.cutover import stop
from compose.deploy.drain import Drained, active_loops, drain
from compose.deploy.draining import drain_running, resume_loops
from compose.deploy.release import APP_SERVICES
from compose.errors import ComposeError
from compose.operate.live import live_state


def start_stack(ctx: Context) -> float:
    """Bring the live release up and see it ready; what runs already is left alone.

    Auto-mode that ran when the stack was stopped runs again. Returns the seconds it took.
    """
    return _up(ctx, recreate=False, no_drain=True)


def restart_stack(ctx: Context, *, no_drain: bool) -> float:
    """Drain, make the containers anew, see them ready, start auto-mode again."""
    return _up(ctx, recreate=True, no_drain=no_drain)


def _up(ctx: Context, *, recreate: bool, no_drain: bool) -> float:
    began = time.monotonic()
    with ctx.locked():
        live = live_state(ctx)
        ctx.begin(live.release.id)
        if recreate:
            with ctx.concluding(), ctx.step("drain"):
                drain_running(ctx, live, no_drain=no_drain)
        try:
            bring_up(ctx, live, recreate=recreate, server_anew=ctx.journal.was_switching)
        except ComposeError as error:
            ctx.log("failed", release=live.release.id, detail=str(error))
            ctx.tell(f"{ctx.verb} failed: {error}", alert=True)
            error.add_note("see invoke status and invoke logs; then invoke start again")
            ctx.journal.finish()
            raise
        ctx.journal.switched()
        resume_loops(ctx, live)
        ctx.journal.finish()
        spent = time.monotonic() - began
        ctx.log("ok", release=live.release.id, seconds=round(spent, 1))
    return spent


def stop_stack(ctx: Context, *, no_drain: bool) -> None:
    """Drain and stop server and UI. The docs go on, and so do volumes."""
    with ctx.locked():
        live = live_state(ctx)
        ctx.begin(live.release.id)
        with ctx.concluding(), ctx.step("drain"):
            drain_running(ctx, live, no_drain=no_drain)
        with ctx.step("stop"):
            stop(ctx.host, live.running, APP_SERVICES)
        ctx.journal.end_stopped()
        ctx.log("ok", release=live.release.id)


def drain_now(ctx: Context) -> Drained:
    """Drain the server and leave it so. Raises ComposeError where it does not work."""
    live = live_state(ctx)
    api = ctx.api(live.running)
    with ctx.step("drain"):
        state = container(ctx.host, live.running.view["server"].container)
        if state is None or not state.running:
            ctx.note("nothing to drain: no server runs")
            return Drained(0, 0, 0.0)
        if ctx.host.dry:
            ctx.note(f"POST {api.base}/api/deploy/drain, for at most 180 s")
            return Drained(0, 0, 0.0)
        loops = active_loops(api)
        done = drain(api, ctx.note)
        for loop in loops:
            ctx.note(f"stopped: auto-mode of {loop.project}")
    ctx.log("ok", release=live.release.id, detail=done.text())
    return done
