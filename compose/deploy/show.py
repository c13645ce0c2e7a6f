"""What deploys, rollbacks and releases look like to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compose.deploy.context import Context
from compose.deploy.deploy import Deployed
from compose.operate.releases import ReleaseRow
from compose.table import table


def show_deployed(ctx: Context, done: Deployed) -> str:
    """Say what is live now, where, and how to get back."""
    if done.result == "dry run":
        return f"dry run: nothing was changed; {done.release.id} would be live"
    name, view = done.release.id, done.view
    head = f"{name} is live" if done.result == "ok" else f"nothing changed: {name} is live"
    lines = [f"{head}, {done.seconds:.0f} s"]
    for service, word in (("ui", "UI"), ("server", "API")):
        lines.append(f"  {word:<4} http://{ctx.address}:{view[service].port}")
    if done.before and done.before != name:
        lines.append(f"  back to {done.before}: invoke rollback --release {done.before}")
    return "\n".join(lines)


def show_releases(rows: Sequence[ReleaseRow]) -> str:
    """One line a release, the newest first."""
    if not rows:
        return "no release yet: invoke deploy"
    cells = [(row.mark, row.id, row.commit, row.state, row.by, row.why) for row in rows]
    return table(cells, ("", "Release", "Commit", "State", "By", "Why"))


def show_audit(log: Sequence[Mapping[str, Any]]) -> str:
    """One line an entry, the newest last."""
    if not log:
        return "nothing happened yet"
    cells = [
        (
            str(one.get("when", ""))[:19].replace("T", " "),
            str(one.get("who", "")),
            str(one.get("what", "")),
            str(one.get("result", "")),
            str(one.get("release", "")),
            _one_line(one),
        )
        for one in log
    ]
    return table(cells, ("When (UTC)", "Who", "What", "Result", "Release", "Why"))


def _one_line(entry: Mapping[str, Any]) -> str:
    text = str(entry.get("why") or entry.get("detail") or "")
    return (text.splitlines() or [""])[0][:70]
