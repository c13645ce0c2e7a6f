"""The live release, for verbs that need one."""

from __future__ import annotations

from compose.deploy.context import Context, State
from compose.errors import ComposeError


def live_state(ctx: Context) -> State:
    """Return the live release, made concrete. Raises ComposeError where there is none.

    A first deploy that was killed has left containers and no live release: then it is its own.
    """
    found = ctx.live_state()
    attempt = ctx.store.attempt()
    if found is None and attempt is not None and attempt.switching:
        ctx.note(f"no live release; this is {attempt.release}, which was cut short")
        return ctx.state(ctx.store.release(attempt.release))
    if found is None:
        raise ComposeError(
            f"{ctx.stack.project} has no live release", next_step="invoke deploy; or DEPLOY_DIR"
        )
    return found
