"""Builds images before anything is stopped, and names them after their content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping

from compose.deploy.host import Host
from compose.deploy.release import Image, content_tag
from compose.deploy.source import BuildContext
from compose.errors import ComposeError
from settings.environment import proxy_build_args

COMMIT_LABEL = "automaker.git.commit.sha"
STACK_LABEL = "automaker-staging.stack"
# `#5 [server 2/7] RUN npm ci`, then `#5 CACHED`, or its output and `#5 DONE 3.1s`.
_LINE = re.compile(r"#(\d+) (.*)")
_WIDTH = 100
BUILDING = ":building-"
BUILD_S = 3600.0  # a cold build of the real thing takes more than half an hour


class BuildLog:
    """Picks out of a build's output what a person wants to see: the stages that take time."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._waiting: dict[str, str] = {}

    def __call__(self, line: str) -> None:
        """Take a line; a stage is shown once it turns out not to be cached."""
        found = _LINE.fullmatch(line)
        if not found:
            return
        number, text = found.groups()
        if text.startswith("[") and "[internal]" not in text:
            self._waiting[number] = text
        elif text == "CACHED":
            self._waiting.pop(number, None)
        elif number in self._waiting:
            self._show(self._waiting.pop(number)[:_WIDTH])


def build_argv(
    target: str, context: BuildContext, args: Mapping[str, str], stack: str, ca_bundle: str
) -> list[str]:
    """Return the command that builds one target, but for the name it gets.

    The certificates of `ca_bundle` are a secret of the build, so no layer holds them.
    """
    argv = ["docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"]
    argv += ["--target", target, "--label", f"{STACK_LABEL}={stack}"]
    wanted = {**context.build_args, **args, "GIT_COMMIT_SHA": context.commit}
    for key, value in sorted(wanted.items()):
        argv += ["--build-arg", f"{key}={value}"]
    for name in proxy_build_args():
        argv += ["--build-arg", name]
    if ca_bundle:
        argv += ["--secret", f"id=ca_bundle,src={ca_bundle}"]
    return [*argv, str(context.folder)]


def build(
    host: Host,
    target: str,
    context: BuildContext,
    *,
    args: Mapping[str, str],
    stack: str,
    ca_bundle: str,
) -> Image:
    """Build one target and return its image, tagged by content. Raises ComposeError."""
    repository = f"{stack}-{target}"
    # A name for the time being. Not the id that a build can write to a file: where images are
    # kept by containerd, that is another one.
    building = f"{repository}{BUILDING}{os.getpid()}"
    argv = build_argv(target, context, args, stack, ca_bundle)
    argv[-1:-1] = ["--tag", building]
    try:
        host.follow(argv, BuildLog(host.progress.note), timeout_s=BUILD_S)
    except ComposeError as error:
        if "no space left" in str(error).lower():
            error.add_note("free disk space: invoke prune; docker builder prune")
        raise
    # Which id it has, a dry run cannot know.
    found = ("IMAGE-ID", context.commit) if host.dry else inspect_image(host, building)
    if found is None:
        raise ComposeError(f"the engine has no image after building {target}")
    try:
        return _named(host, context, repository, found)
    finally:
        host.tidy(["docker", "image", "rm", building])


def _named(host: Host, context: BuildContext, repository: str, found: tuple[str, str]) -> Image:
    """See that an image is of the commit it was built from, and name it after its content."""
    image_id, label = found
    if label not in ("", context.commit):
        raise ComposeError(
            f"image {repository} carries the commit {label}, not {context.commit}: "
            "it would be old code in a new release",
            next_step="in its Dockerfile, ARG GIT_COMMIT_SHA belongs before what is copied in",
        )
    if not label:
        host.progress.note(f"{repository} has no label {COMMIT_LABEL}: it cannot prove its code")
    tag = f"{repository}:CONTENT" if host.dry else content_tag(repository, image_id)
    image = Image(tag, image_id)
    host.change(["docker", "image", "tag", image_id, image.reference])
    return image


def inspect_image(host: Host, reference: str) -> tuple[str, str] | None:
    """Return an image's id and the commit it carries; None where there is no such image."""
    fields = "{{.Id}} {{json .Config.Labels}}"
    done = host.look(["docker", "image", "inspect", "--format", fields, reference])
    if done.returncode != 0:
        return None
    image_id, _, labels = done.stdout.strip().partition(" ")
    return image_id, str((json.loads(labels) or {}).get(COMMIT_LABEL, ""))


def see_images(host: Host, images: Mapping[str, Image]) -> None:
    """See that a release's images are there, under their names. Raises ComposeError.

    A dry run has built none to look for.
    """
    if host.dry:
        return
    for service, image in images.items():
        if (inspect_image(host, image.reference) or ("", ""))[0] == image.id:
            continue
        if inspect_image(host, image.id) is None:
            raise ComposeError(
                f"the image of {service} is gone: {image.reference}",
                next_step="somebody removed it; deploy again, or roll back to another release",
            )
        host.change(["docker", "image", "tag", image.id, image.reference])
