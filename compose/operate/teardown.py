"""Takes a stack down: containers, networks, images, releases, and its data unless it is kept."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from compose.deploy.build import STACK_LABEL
from compose.deploy.containers import container, of_project
from compose.deploy.context import Context
from compose.deploy.preflight import engine_facts
from compose.deploy.prune import images_of_stack, remove_image

STOP_S = 45


@dataclass(frozen=True)
class Doomed:
    """What a teardown removes: only what a deploy has made, so no volume that was there before."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    images: tuple[str, ...]
    volumes: tuple[str, ...]
    """Empty where data is kept."""
    releases: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many steps removing it takes."""
        return 2 + sum(bool(one) for one in (self.containers, self.networks, self.volumes))

    def lines(self) -> list[str]:
        """Return it as a person reads it before saying yes."""
        rows = (
            ("container", self.containers),
            ("network", self.networks),
            ("volume, with all that is in it", self.volumes),
            ("release", self.releases),
            ("image", self.images),
        )
        return [f"{kind}: {name}" for kind, names in rows for name in names]


def doomed(ctx: Context, *, keep_data: bool) -> Doomed:
    """Find out what would be removed; of volumes and images only what a deploy here has made.

    Raises ComposeError where the engine does not say: what is not seen is not gone.
    """
    engine_facts(ctx)
    projects = (ctx.stack.project, ctx.stack.docs_project)
    containers = [name for one in projects for _, name, _ in of_project(ctx.host, one)]
    networks = [name for one in projects for name in _networks(ctx, one)]
    return Doomed(
        tuple(containers),
        tuple(networks),
        tuple(tag for _, tag in images_of_stack(ctx)),
        () if keep_data else tuple(_volumes(ctx)),
        tuple(one.id for one in ctx.store.releases()),
    )


def teardown(ctx: Context, what: Doomed) -> None:
    """Remove it all. The audit log stays. Raises ComposeError where something would not go."""
    with ctx.locked():
        if what.containers:
            with ctx.step("remove containers"):
                _stop_first(ctx, what)
                ctx.host.change(["docker", "rm", "--force", *what.containers])
        if what.networks:
            with ctx.step("remove networks"):
                ctx.host.change(["docker", "network", "rm", *what.networks])
        if what.volumes:
            with ctx.step("remove volumes"):
                ctx.host.change(["docker", "volume", "rm", *what.volumes])
        with ctx.step("forget releases and images"):
            ctx.host.act("forget every release", lambda: _forget(ctx))
            stay = [tag for tag in what.images if not remove_image(ctx, tag)]
            if stay:
                ctx.note(f"images that something else still uses: {', '.join(stay)}")
        ctx.log("ok", detail="; ".join(what.lines())[:2000])


def _stop_first(ctx: Context, what: Doomed) -> None:
    """Give processes their time: `rm --force` alone would kill agents amid their work."""
    states = [container(ctx.host, name) for name in what.containers]
    running = [one.name for one in states if one is not None and one.running]
    if running:
        ctx.host.change(["docker", "stop", "--time", str(STOP_S), *running])


def _forget(ctx: Context) -> None:
    home = ctx.stack.home
    (home / "current").unlink(missing_ok=True)
    (home / "attempt.json").unlink(missing_ok=True)
    shutil.rmtree(home / "releases", ignore_errors=True)
    shutil.rmtree(home / "docs", ignore_errors=True)


def _networks(ctx: Context, project: str) -> list[str]:
    label = f"label=com.docker.compose.project={project}"
    argv = ["docker", "network", "ls", "--filter", label, "--format", "{{.Name}}"]
    return ctx.host.listing(argv)


def _volumes(ctx: Context) -> list[str]:
    label = f"label={STACK_LABEL}={ctx.stack.name}"
    return ctx.host.listing(["docker", "volume", "ls", "--filter", label, "--format", "{{.Name}}"])
