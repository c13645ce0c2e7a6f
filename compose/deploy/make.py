"""From a source to a recorded release: fetch, build, record. Nothing that runs is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compose.commands import STAGING_FILE
from compose.deploy import docs
from compose.deploy.build import build
from compose.deploy.context import Context, State, work_folder
from compose.deploy.cutover import Running, runs_release
from compose.deploy.release import (
    APP_SERVICES,
    Image,
    Release,
    digest,
    env_text,
    release_id,
)
from compose.deploy.source import BuildContext, PrepareStandin, Source, check_dockerfile, fetched
from compose.deploy.values import build_values, pinned
from compose.deploy.view import view_stack
from compose.errors import ComposeError
from settings.environment import operator


@dataclass(frozen=True)
class Order:
    """What was asked for."""

    source: Source
    env_path: Path
    keep: int
    min_free: int
    """Bytes that have to be free where Docker keeps its data."""
    prepare_standin: PrepareStandin
    no_drain: bool = False


@dataclass(frozen=True)
class Made:
    """What a source became: the release to go to, and an image of the docs where they need one."""

    target: State
    unchanged: bool
    """Whether exactly this runs already."""
    docs: Image | None = None


def make(ctx: Context, order: Order, values: Mapping[str, str], back: State | None) -> Made:
    """Build the images of a release and record it. Raises ComposeError."""
    with contextlib.ExitStack() as held:
        with ctx.step("source"):
            context = held.enter_context(fetch(ctx, order))
            ctx.note(f"{order.source.shown}, commit {context.commit}")
        images = build_images(ctx, context, values)
        docs_image = _docs_image(ctx, context, values)
    with ctx.step("record the release"):
        made = _record(ctx, order, context.commit, images, values, back)
    return Made(made.target, made.unchanged, docs_image)


def build_only(ctx: Context, order: Order) -> dict[str, Image]:
    """Build the images, named after their content, and leave everything else as it is."""
    values = build_values(order.env_path)
    with ctx.locked(), fetch(ctx, order) as context:
        ctx.note(f"{order.source.shown}, commit {context.commit}")
        return build_images(ctx, context, values)


@contextlib.contextmanager
def fetch(
    ctx: Context, order: Order, targets: tuple[str, ...] = APP_SERVICES
) -> Iterator[BuildContext]:
    """Give the build context of what was asked for, its Dockerfile checked."""
    work = work_folder(ctx.stack.home)
    with fetched(ctx.host, order.source, work, order.prepare_standin) as context:
        if not ctx.host.dry:
            check_dockerfile(context, targets)
        yield context


def build_images(
    ctx: Context, context: BuildContext, values: Mapping[str, str]
) -> dict[str, Image]:
    """Build server and UI, a step each."""
    view = ctx.staging_view(values)
    images = {}
    for service in APP_SERVICES:
        with ctx.step(f"build {service}"):
            images[service] = build(
                ctx.host,
                service,
                context,
                args=view[service].build_args,
                stack=ctx.stack.name,
                ca_bundle=values.get("BUILD_CA_BUNDLE", ""),
            )
    return images


def _docs_image(ctx: Context, context: BuildContext, values: Mapping[str, str]) -> Image | None:
    """Build the docs where there are none yet; a failure is said and stops nothing."""
    if not docs.docs_are_missing(ctx):
        return None
    try:
        with ctx.step("build docs"):
            if not ctx.host.dry:
                check_dockerfile(context, ("docs",))
            return docs.build_docs(ctx, context, values.get("BUILD_CA_BUNDLE", ""))
    except (ComposeError, OSError) as error:
        ctx.note(f"no docs, and the deploy goes on: {error}")
        return None


def _record(
    ctx: Context,
    order: Order,
    commit: str,
    images: Mapping[str, Image],
    values: Mapping[str, str],
    back: State | None,
) -> Made:
    """Record what was built; what is live already is not recorded twice."""
    now = datetime.now(UTC)
    own = pinned(values, ctx.stack, ctx.store.id, images, commit)
    env, compose = env_text(own), STAGING_FILE.read_text(encoding="utf-8")
    release = Release(
        id=release_id(now, commit, [one.id for one in ctx.store.releases()]),
        created=now.isoformat(timespec="seconds"),
        by=operator(),
        why=ctx.why,
        source=order.source.shown,
        commit=commit,
        images=dict(images),
        env_hash=digest(env),
        compose_hash=digest(compose),
    )
    if back is not None and back.release.same_content(release):
        ids = {name: image.id for name, image in back.release.images.items()}
        ctx.note(f"nothing is new: this is {back.release.id}, which is live")
        unchanged = not ctx.journal.was_switching and runs_release(ctx.host, back.running, ids)
        return Made(back, unchanged)
    file = ctx.store.compose_file(release.id)
    ctx.host.act(f"write {file.parent}", lambda: ctx.store.add(release, env, compose))
    ctx.journal.name(release.id)
    ctx.note(release.id)
    view = view_stack(ctx.host.run, STAGING_FILE if ctx.host.dry else file, own)
    return Made(State(release, Running(file, own, view)), unchanged=False)
