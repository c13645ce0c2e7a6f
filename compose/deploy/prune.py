"""Forgets old releases and their images, and touches nothing that is not this stack's."""

from __future__ import annotations

from dataclasses import dataclass

from compose.deploy.build import BUILDING, STACK_LABEL
from compose.deploy.context import Context
from compose.deploy.docs import docs_state
from compose.deploy.release import pruning


@dataclass(frozen=True)
class Pruned:
    """What was forgotten."""

    releases: tuple[str, ...]
    images: tuple[str, ...]


def prune_now(ctx: Context, keep: int) -> Pruned:
    """Prune on its own, under the lock, with a line in the audit log."""
    with ctx.locked(), ctx.step("prune"):
        done = prune(ctx, keep)
        ctx.log("ok", detail=f"{len(done.releases)} releases, {len(done.images)} images")
    return done


def prune(ctx: Context, keep: int) -> Pruned:
    """Keep the live release and the newest `keep` ones; forget the rest and their images.

    Only images with this stack's label are looked at, and the engine itself refuses to remove
    one that a container uses. Volumes, build cache and what belongs to others stay.
    """
    if not ctx.host.dry:
        ctx.store.drop_halves()
    plan = pruning(ctx.store.releases(), ctx.store.live_id(), keep)
    docs = docs_state(ctx.stack.home)
    needed = set(plan.needed)
    if docs is not None:
        needed |= {docs.image.id, *([docs.before.id] if docs.before else [])}
    if plan.drop:
        ctx.host.act(f"forget {', '.join(plan.drop)}", lambda: ctx.store.drop(plan.drop))
        if not ctx.host.dry:
            ctx.note(f"forgot {', '.join(plan.drop)}")
    removed = [
        tag
        for image_id, tag in images_of_stack(ctx)
        if image_id not in needed or BUILDING in tag  # the name that a killed build has left
    ]
    removed = [tag for tag in removed if remove_image(ctx, tag)]
    return Pruned(plan.drop, tuple(removed))


def images_of_stack(ctx: Context) -> list[tuple[str, str]]:
    """Return (id, reference) of every image of this stack; those without a name by their id."""
    argv = ["docker", "image", "ls", "--no-trunc", "--filter"]
    argv += [f"label={STACK_LABEL}={ctx.stack.name}"]
    ours = {f"{ctx.stack.name}-{service}" for service in ("server", "ui", "docs")}
    found = []
    for line in ctx.host.listing([*argv, "--format", "{{.ID}} {{.Repository}} {{.Tag}}"]):
        image_id, repository, tag = line.split(" ", 2)
        if "<none>" in (repository, tag):
            found.append((image_id, image_id))
        elif repository in ours:  # a name that somebody else gave it is theirs
            found.append((image_id, f"{repository}:{tag}"))
    return found


def remove_image(ctx: Context, tag: str) -> bool:
    """Remove one name of an image; False where the engine refuses, as for one that is in use."""
    argv = ["docker", "image", "rm", tag]
    if ctx.host.dry:
        ctx.host.change(argv)
        return True
    done = ctx.host.run(argv, check=False, timeout_s=120.0)
    if done.returncode == 0:
        ctx.note(f"removed image {tag[:40]}")
    return done.returncode == 0
