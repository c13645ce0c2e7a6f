"""From one release to another: drain, cut over, verify, go live; on any failure back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from compose.checks import Check
from compose.deploy.bring_up import bring_up
from compose.deploy.containers import last_words
from compose.deploy.context import Context, State
from compose.deploy.cutover import await_engine, stop
from compose.deploy.docs import docs_api
from compose.deploy.draining import drain_running, resume_loops
from compose.deploy.release import APP_SERVICES
from compose.deploy.signals import unstoppable
from compose.deploy.smoke import Site, smoke
from compose.errors import ComposeError

INTERRUPTED = 130


def switch(
    ctx: Context, target: State, back: State | None, *, no_drain: bool, agent: bool
) -> Sequence[Check]:
    """Bring `target` live and return the smoke test's lines. Loops are for the caller to resume.

    On failure, or Ctrl-C, `back` serves again (where there is none, the failed containers are
    stopped) and a ComposeError says what happened.
    """
    with ctx.concluding(), ctx.step("drain"):
        drain_running(ctx, back or target, no_drain=no_drain)
    try:
        bring_up(ctx, target, server_anew=ctx.journal.was_switching)
        with ctx.step("smoke test"):
            checks = verify(ctx, target, agent=agent)
        with ctx.step("go live"):
            _go_live(ctx, target, back)
    except (Exception, KeyboardInterrupt) as error:
        with unstoppable(ctx.note):
            failure = _go_back(ctx, target, back, error)
        raise failure from None
    return checks


def recover(ctx: Context, live: State | None) -> None:
    """After a kill amid a cut over: have the live release serve again before anything long."""
    if live is None or not ctx.journal.was_switching:
        return
    ctx.note(f"bringing {live.release.id} back first, so that something serves meanwhile")
    try:
        bring_up(ctx, live, server_anew=True)
    except ComposeError as error:
        ctx.note(f"it does not come back, so the new one has to: {error}")


def verify(ctx: Context, state: State, *, agent: bool) -> Sequence[Check]:
    """Run the smoke test; raises ComposeError that names what fails."""
    if ctx.host.dry:
        ctx.note("the smoke test: " + ("with" if agent else "without") + " one agent")
        return []
    checks = smoke(ctx.host, site_of(ctx, state), agent=agent)
    failed = [check for check in checks if check.level == "fail"]
    if failed:
        text = "; ".join(f"{one.name}: {one.found}" for one in failed)
        raise ComposeError(f"smoke test failed: {text}")
    ctx.note(f"{sum(one.level == 'pass' for one in checks)} checks passed")
    for one in checks:
        if one.level == "warn":
            ctx.note(f"{one.name}: {one.found}")
    return checks


def site_of(ctx: Context, state: State) -> Site:
    """Return what the smoke test looks at."""
    running = state.running
    api, ui = ctx.api(running), ctx.api(running, "ui")
    return Site(running, state.release.commit, api, ui, docs_api(ctx))


def _go_live(ctx: Context, target: State, back: State | None) -> None:
    """Make a release the live one. Its images get the guide's names first: `current` is last."""
    _name_images(ctx, target)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before = back.release.id if back else ""
    release = target.release.went_live(now, before)
    folder = ctx.store.folder(release.id)
    what = f"point {ctx.stack.home / 'current'} at {folder}"
    ctx.host.act(what, lambda: ctx.store.make_live(release))
    ctx.journal.switched()


def _name_images(ctx: Context, state: State) -> None:
    for image in state.release.images.values():
        ctx.host.change(["docker", "image", "tag", image.reference, image.staging_name])


def _name_images_again(ctx: Context, back: State) -> None:
    try:
        _name_images(ctx, back)
    except ComposeError as error:
        ctx.note(f"the name :staging still means the images that failed: {error}")


def _go_back(ctx: Context, target: State, back: State | None, error: BaseException) -> ComposeError:
    """Go back and say how that went, as the error to end with."""
    interrupted = isinstance(error, KeyboardInterrupt)
    reason = "interrupted" if interrupted else ctx.host.progress.redact(str(error))
    ctx.host.progress.line(f"FAILED: {reason}")
    ctx.journal.must_write = False
    _keep_evidence(ctx, target, reason, show=not interrupted)
    release, before = target.release.id, back.release.id if back else ""
    try:
        await_engine(ctx.host)
        ctx.store.make_live_again(back.release.id if back else None)
        if back is None:
            stop(ctx.host, target.running, APP_SERVICES)
        else:
            ctx.host.progress.line(f"going back to {before}")
            bring_up(ctx, back, server_anew=True)
            resume_loops(ctx, back)
            _name_images_again(ctx, back)
    except Exception as second:
        why = ctx.host.progress.redact(str(second))
        detail = f"{reason}; then: {why}"
        ctx.log("rollback failed", release=release, before=before, detail=detail)
        ctx.tell(f"{ctx.verb} FAILED and so did going back: {detail}", alert=True)
        return ComposeError(
            f"{ctx.verb} failed: {reason}\nand going back failed: {why}",
            next_step="invoke status; then: invoke rollback",
        )
    serving = f"{before} serves again" if back else "no earlier release: nothing serves"
    ctx.log("rolled back" if back else "failed", release=release, before=before, detail=reason)
    ctx.tell(f"{ctx.verb} failed: {reason}; {serving}", alert=True)
    ctx.journal.finish()
    failure = ComposeError(f"{ctx.verb} failed: {reason}", exit_code=INTERRUPTED * interrupted or 1)
    ended = serving if back else "no earlier release to go back to: its containers are stopped"
    failure.add_note(f"{ended}; see {ctx.store.folder(release) / 'failure.log'}")
    return failure


def _keep_evidence(ctx: Context, target: State, reason: str, *, show: bool) -> None:
    """Keep, and show, health log and last words before the containers are replaced."""
    names = [target.running.view[one].container for one in APP_SERVICES]
    words = {name: _last_words(ctx, name) for name in names}
    if show:
        about = [text for name, text in words.items() if name in reason]
        ctx.note((about or list(words.values()))[0])
    try:
        text = "\n".join([reason, *words.values()])
        ctx.store.keep_evidence(target.release.id, f"{text}\n")
        if not target.release.was_live:
            ctx.store.save(replace(target.release, failed=reason.splitlines()[0]))
    except Exception as error:
        ctx.note(f"the evidence could not be kept: {error}")


def _last_words(ctx: Context, name: str) -> str:
    try:
        return last_words(ctx.host, name, ctx.host.progress.redact)
    except Exception as error:
        return f"--- {name}: {error}"
