"""What exactly was tested: the checkout's commit, the image, the engine."""

from __future__ import annotations

from pathlib import Path

import docker

from compose.errors import ComposeError
from compose.run import Run


def origin_of(run: Run, client: docker.DockerClient, image: str, root: Path) -> dict[str, str]:
    """Names of what a campaign rests on; `commit` is missing outside of a checkout."""
    found = {
        "image": client.images.get(image).id or image,
        "engine": str(client.version()["Version"]),
    }
    try:
        found["commit"] = run(["git", "-C", str(root), "rev-parse", "HEAD"]).stdout.strip()
        changed = run(["git", "-C", str(root), "status", "--porcelain"]).stdout.strip()
    except ComposeError:
        return found  # an unpacked archive is as good to run from
    found["dirty"] = "yes" if changed else "no"
    return found
