"""The drain of the server that runs, before its container is changed or stopped."""

from __future__ import annotations

import time

from compose.deploy.api import Api
from compose.deploy.containers import container
from compose.deploy.context import Context, State
from compose.deploy.drain import active_loops, drain, start_loops, wait_for_end
from compose.errors import ComposeError

# A server that is ending, or booting, after a kill amid a cut over.
SETTLE_S = 20.0


def drain_running(ctx: Context, known: State | None, *, no_drain: bool) -> None:
    """Drain the server that runs; which loops it stops is on disk before.

    `known` says under which port and key it is asked: the live release, else what is to come.
    Raises ComposeError where it fails: then nothing may be stopped that still works.
    """
    api = _running_api(ctx, known)
    if api is None:
        ctx.note("nothing to drain: no server runs")
        return
    if ctx.host.dry:
        ctx.note(f"POST {api.base}/api/deploy/drain, for at most 180 s")
        return
    if no_drain:
        _keep_loops(ctx, api)
        ctx.note("skipped, as asked: agents that run are lost")
        return
    try:
        ctx.journal.keep_loops(active_loops(api))
        ctx.note(drain(api, ctx.note).text())
    except KeyboardInterrupt:
        ctx.note("the server cannot be told to stop draining; waiting for it, 120 s at most")
        wait_for_end(api)
        _start_again(ctx, api)
        raise
    except ComposeError:
        _start_again(ctx, api)
        raise


def resume_loops(ctx: Context, state: State) -> None:
    """Start the auto-mode loops again that a drain stopped, this one or one before a kill."""
    if not ctx.host.dry:
        _start_again(ctx, ctx.api(state.running))


def _start_again(ctx: Context, api: Api) -> None:
    if not ctx.journal.loops:
        return
    failed = start_loops(api, ctx.journal.loops, ctx.note)
    ctx.journal.left_off(failed)
    if failed:
        names = ", ".join(one.project for one in failed)
        ctx.log("failed", what="auto-mode", detail=f"could not be started again: {names}")
        ctx.tell(f"auto-mode could not be started again: {names}; invoke start", alert=True)


def _keep_loops(ctx: Context, api: Api) -> None:
    try:
        ctx.journal.keep_loops(active_loops(api))
    except ComposeError as error:
        ctx.note(f"auto-mode loops cannot be told, so they are not started again: {error}")


def _running_api(ctx: Context, known: State | None) -> Api | None:
    """Return a client for the server that runs, with the key that it has; None if none runs."""
    name = f"{ctx.stack.name}-server-staging"
    state = container(ctx.host, name)
    if state is None or not state.running or known is None:
        return None
    api = ctx.api(known.running)
    if ctx.host.dry:
        return api
    if ctx.journal.was_switching and not _settles(api):
        ctx.note("the server that a killed run has left does not answer")
        return None
    return _with_its_key(ctx, api)


def _settles(api: Api) -> bool:
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        if api.answers("/api/health") is not None:
            return True
        time.sleep(0.5)
    return False


def _with_its_key(ctx: Context, api: Api) -> Api:
    """Use the key of the release that really runs, which need not be the live one after a kill."""
    keys = [api.key]
    for release in reversed(ctx.store.releases()):
        try:
            keys.append(ctx.store.values(release.id).get("AUTOMAKER_API_KEY", ""))
        except ComposeError:
            continue
    for key in dict.fromkeys(keys):
        ctx.keep_secret({"AUTOMAKER_API_KEY": key})
        answer = Api(api.base, key).answers("/api/health/quick")
        if answer is not None and answer.ok:
            return Api(api.base, key)
    return api
