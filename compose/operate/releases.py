"""What was deployed, what of it is live, and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compose.deploy.audit import entries
from compose.deploy.containers import container
from compose.deploy.context import Context
from compose.deploy.release import Release, short_commit
from compose.errors import ComposeError

LONGEST = 70


@dataclass(frozen=True)
class ReleaseRow:
    """One release as the list shows it."""

    mark: str
    id: str
    commit: str
    state: str
    by: str
    why: str
    source: str
    created: str


def list_releases(ctx: Context) -> list[ReleaseRow]:
    """Every release, the newest first, with what really runs compared to what should."""
    live = ctx.store.live_id()
    rows = [_row(ctx, one, live) for one in reversed(ctx.store.releases())]
    return sorted(rows, key=lambda row: row.id, reverse=True)


def audit_log(ctx: Context) -> list[Mapping[str, Any]]:
    """Return the audit log, oldest first."""
    return entries(ctx.stack.home)


def _row(ctx: Context, release: Release, live: str | None) -> ReleaseRow:
    is_live = release.id == live
    if is_live:
        state = _live_state(ctx, release)
    elif release.was_live:
        state = f"was live {release.live_at[-1][:16].replace('T', ' ')}"
    else:
        state = f"failed: {_cut(release.failed)}" if release.failed else "never finished"
    return ReleaseRow(
        "*" if is_live else "",
        release.id,
        short_commit(release.commit),
        state,
        release.by,
        release.why,
        release.source,
        release.created,
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _live_state(ctx: Context, release: Release) -> str:
    """Compare the live release with the containers."""
    try:
        view = ctx.state(release).running.view
        states = {name: container(ctx.host, view[name].container) for name in release.images}
    except ComposeError as error:
        return f"live, but not known: {str(error).splitlines()[-1].strip()[:60]}"
    odd = []
    for service, image in release.images.items():
        state = states[service]
        if state is None:
            odd.append(f"{service} is gone")
        elif not state.running:
            odd.append(f"{service} {state.end() if state.status == 'exited' else state.status}")
        elif state.image != image.id:
            odd.append(f"{service} runs another image")
    return "live" if not odd else f"live, but {', '.join(odd)}"
