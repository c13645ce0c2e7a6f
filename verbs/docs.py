"""Verbs for the docs site, a stack of its own: nothing here touches server or UI."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json

from invoke.context import Context

from verbs import DRY, DRY_HELP, JSON_HELP, PATH_HELP, WHY_HELP, Amount, is_dry, session, task
from verbs.release import LOCK_HELP, SOURCE_HELP


@task(help={"source": SOURCE_HELP, "ref": "commit, branch or tag", "dry_run": DRY_HELP,
            "path": PATH_HELP})  # fmt: skip
def build(
    c: Context, source: str = "", ref: str = "", dry_run: bool = False, path: str = ""
) -> None:
    """Build the docs image; the docs that are served stay."""
    from compose.operate.docs import build_only
    from verbs.orders import make_order

    with session("docs.build", path, dry=is_dry(c, dry_run)) as ctx:
        ctx.host.progress.total = 2
        print(f"docs: {build_only(ctx, make_order(ctx, path, source, ref)).reference}")


@task(help={"source": SOURCE_HELP, "ref": "commit, branch or tag", "dry_run": DRY_HELP,
            "lock_wait": LOCK_HELP, "why": WHY_HELP, "json_": JSON_HELP,
            "path": PATH_HELP})  # fmt: skip
def deploy(
    c: Context,
    source: str = "",
    ref: str = "",
    dry_run: bool = False,
    lock_wait: float = Amount(0),
    why: str = "",
    json_: bool = False,
    path: str = "",
) -> None:
    """Build the docs and serve them; when that fails, those before are served again."""
    from compose.operate.docs import deploy_docs
    from verbs.orders import make_order

    with session("docs.deploy", path, dry=is_dry(c, dry_run), json_=json_, why=why) as ctx:
        ctx.lock_wait_s, ctx.host.progress.total = lock_wait, 3
        address = deploy_docs(ctx, make_order(ctx, path, source, ref))
    if ctx.host.dry:
        print(DRY)
    else:
        print(json.dumps({"docs": address}) if json_ else f"docs are served: {address}")


@task(help={"dry_run": DRY_HELP, "path": PATH_HELP})
def stop(c: Context, dry_run: bool = False, path: str = "") -> None:
    """Stop the docs; docs.deploy serves them again."""
    from compose.operate.docs import stop_docs

    with session("docs.stop", path, dry=is_dry(c, dry_run)) as ctx:
        ctx.host.progress.total = 2
        stop_docs(ctx)


@task(help={"json_": JSON_HELP, "path": PATH_HELP})
def status(_c: Context, json_: bool = False, path: str = "") -> None:
    """Show what docs are served, from which commit; exit code 1 where they are not."""
    from compose.operate.docs import docs_status, show_docs

    with session("docs.status", path, json_=json_) as ctx:
        found = docs_status(ctx)
    print(json.dumps(found.data(), indent=2) if json_ else show_docs(found))
    found.raise_unless_served()


@task(help={"follow": "go on showing lines as they come", "tail": "lines to begin with",
            "path": PATH_HELP})  # fmt: skip
def logs(_c: Context, follow: bool = False, tail: str = "100", path: str = "") -> None:
    """Show the logs of the docs."""
    from compose.operate.docs import docs_logs

    with session("docs.logs", path) as ctx:
        docs_logs(ctx, lambda line: print(line, flush=True), tail=tail, follow=follow)
