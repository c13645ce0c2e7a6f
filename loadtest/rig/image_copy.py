"""The stand-in's image on every engine of a fleet: built once, then carried over."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from compose.run import Completed, Run
from loadtest.rig.base_image import has_image
from loadtest.rig.errors import RigError
from settings.docker_host import child_environment


def on_engine(run: Run, engine: str) -> Run:
    """`run`, for commands that speak to the engine at that address."""

    def run_there(
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        there = {**(env or {}), "DOCKER_HOST": engine}
        return run(argv, env=there, timeout_s=timeout_s, check=check, stdin=stdin)

    return run_there


def carry_image(run: Run, name: str, source: str, engine: str, log: Path) -> bool:
    """Copy an image from one engine to another that lacks it; whether that was necessary.

    Nothing is kept on the disk in between. Raises RigError with the end of what failed.
    """
    if has_image(on_engine(run, engine), name):
        return False
    with (
        log.open("w+b") as said,
        subprocess.Popen(
            ["docker", "save", name],
            env=child_environment({"DOCKER_HOST": source}),
            stdout=subprocess.PIPE,
            stderr=said,
        ) as save,
        subprocess.Popen(
            ["docker", "load", "--quiet"],
            env=child_environment({"DOCKER_HOST": engine}),
            stdin=save.stdout,
            stdout=said,
            stderr=said,
        ) as load,
    ):
        if save.stdout:
            save.stdout.close()  # ours: when the other end stops reading, saving ends
        if load.wait() or save.wait():
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            what = lines[-1] if lines else "the copy ended early"
            raise RigError(f"the image cannot be brought to the host: {what}")
    log.unlink()
    return True
