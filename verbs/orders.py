"""Puts what was typed and what the stand-in needs together into an order to build or deploy."""

# ruff: noqa: PLC0415 - imported where a verb needs it

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compose.deploy.context import Context
    from compose.deploy.make import Order


def make_order(
    ctx: Context,
    path: str,
    source: str,
    ref: str,
    *,
    keep: int = 5,
    min_free: float = -1.0,
    no_drain: bool = False,
) -> Order:
    """Read `--source`; without it, the env file's BUILD_CONTEXT. ComposeError if neither."""
    from compose.deploy.make import Order
    from compose.deploy.preflight import STANDIN_MIN_FREE, USUAL_MIN_FREE
    from compose.deploy.source import parse_source, secrets_in
    from compose.errors import ComposeError
    from loadtest.rig.standin_source import standin_context
    from settings.env_file import ENV_FILE
    from settings.stack import setting_of

    env_path = Path(path) if path else ENV_FILE
    wanted = source or setting_of(env_path, "BUILD_CONTEXT")
    if not wanted:
        raise ComposeError(
            "nothing to build from",
            next_step="--source PATH_OR_GIT_URL, or BUILD_CONTEXT in .env.staging; "
            "--source standin to try things out",
            exit_code=2,
        )
    found = parse_source(wanted, ref)
    ctx.keep_secret(also=secrets_in(found))
    usual = STANDIN_MIN_FREE if found.kind == "standin" else USUAL_MIN_FREE
    return Order(
        source=found,
        env_path=env_path,
        keep=keep,
        min_free=usual if min_free < 0 else int(min_free * 10**9),
        prepare_standin=standin_context(ctx.host.run, ctx.note),
        no_drain=no_drain,
    )
