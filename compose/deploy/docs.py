"""The docs site: a stack of its own. Nothing here touches server or UI, nor they it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from compose.commands import DOCS_FILE
from compose.deploy.api import Api
from compose.deploy.build import build
from compose.deploy.containers import PROJECT_LABEL, container, last_words
from compose.deploy.context import Context
from compose.deploy.cutover import Running, cut_over
from compose.deploy.ready import await_ready
from compose.deploy.release import Image
from compose.deploy.source import BuildContext
from compose.deploy.store import write
from compose.deploy.view import view_stack
from compose.errors import ComposeError

READY_S = 60.0
NAME = "docker-compose.docs.yml"


@dataclass(frozen=True)
class DocsState:
    """What the docs run: the image, where it comes from, and the one before."""

    image: Image
    commit: str
    source: str
    when: str
    before: Image | None = None


def docs_state(home: Path) -> DocsState | None:
    """Return what was deployed last; None before the first time."""
    try:
        data = json.loads((home / "docs" / "docs.json").read_bytes())
        before = Image(**data["before"]) if data["before"] else None
        return DocsState(**{**data, "image": Image(**data["image"]), "before": before})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def docs_are_missing(ctx: Context) -> bool:
    """Whether there is no container of the docs: a deploy then brings them along, once."""
    try:
        return container(ctx.host, f"{ctx.stack.name}-docs") is None
    except ComposeError:
        return True  # no engine yet, so no docs


def docs_values(name: str, values: Mapping[str, str], image: str) -> dict[str, str]:
    """Return what the docs' compose file needs; no secret is among it."""
    return {
        "STACK_NAME": name,
        "DOCS_IMAGE": image,
        "DOCS_PORT": values.get("DOCS_PORT", ""),
    }


def docs_running(ctx: Context, values: Mapping[str, str], image: str = "") -> Running:
    """Make the docs stack concrete. ComposeError where Compose refuses it."""
    own = docs_values(ctx.stack.name, values, image)
    file = ctx.stack.home / "docs" / NAME
    there = file if file.exists() else DOCS_FILE
    return Running(file, own, view_stack(ctx.host.run, there, own))


def docs_api(ctx: Context) -> Api | None:
    """Return a client for the docs that run; None where they were never deployed."""
    state = container(ctx.host, f"{ctx.stack.name}-docs")
    if state is None:
        return None
    port = ctx.host.look(["docker", "port", state.name, "80/tcp"]).stdout.partition("\n")[0]
    number = port.rpartition(":")[2]
    return Api(f"http://{ctx.address}:{number}") if number.isdigit() else None


def build_docs(ctx: Context, context: BuildContext, ca_bundle: str) -> Image:
    """Build the docs image. Raises ComposeError; what runs is not touched."""
    return build(ctx.host, "docs", context, args={}, stack=ctx.stack.name, ca_bundle=ca_bundle)


def start_docs(
    ctx: Context, values: Mapping[str, str], image: Image, *, commit: str, source: str
) -> None:
    """Serve the docs from an image and see it served; on failure the one before serves again."""
    before = docs_state(ctx.stack.home)
    _refuse_foreign(ctx)
    folder = ctx.stack.home / "docs"
    text = DOCS_FILE.read_text(encoding="utf-8")
    ctx.host.act(f"write {folder / NAME}", lambda: _put(folder, text))
    running = docs_running(ctx, values, image.reference)
    try:
        _serve(ctx, running)
    except ComposeError as error:
        name = running.view["docs"].container
        ctx.note(last_words(ctx.host, name, ctx.host.progress.redact))
        if before is not None:
            _serve(ctx, docs_running(ctx, values, before.image.reference))
            error.add_note(f"the docs of {before.when} serve again")
        else:
            # So that the next deploy finds that there are none, and tries again.
            ctx.host.tidy(["docker", "rm", "--force", name])
        raise
    ctx.host.change(["docker", "image", "tag", image.reference, image.staging_name])
    when = datetime.now(UTC).isoformat(timespec="seconds")
    last = before.image if before and before.image != image else before and before.before
    state = DocsState(image, commit, source, when, last or None)
    record = json.dumps(asdict(state), indent=2)
    ctx.host.act("write docs.json", lambda: write(folder / "docs.json", record))


def _put(folder: Path, text: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder / NAME, text)


def _serve(ctx: Context, running: Running) -> None:
    view = running.view["docs"]
    cut_over(ctx.host, running, "docs")
    api = Api(f"http://{ctx.address}:{view.port}")
    await_ready(ctx.host, view.container, api, "/", lambda one: one.ok, READY_S)


def _refuse_foreign(ctx: Context) -> None:
    """Refuse to take over a container of that name which another project made."""
    state = container(ctx.host, f"{ctx.stack.name}-docs")
    owner = state.labels.get(PROJECT_LABEL, "") if state else ctx.stack.docs_project
    if owner != ctx.stack.docs_project:
        raise ComposeError(
            f"the container {ctx.stack.name}-docs belongs to {owner or 'nobody'}, not to the docs",
            next_step=f"see what it is, then: docker rm -f {ctx.stack.name}-docs",
        )
