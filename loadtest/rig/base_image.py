"""The base image: pulled when a registry answers, else made from the distribution's packages."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from compose.errors import ComposeError
from compose.run import Run
from loadtest.rig.errors import RigError

REGISTRY_IMAGE = "python:3.12-slim"
LOCAL_IMAGE = "automaker-staging-base"
_PULL_S = 300.0
_BUILD_S = 900.0
# Suites whose python3 is 3.11 or newer.
_SUITES = {"bookworm": "debian", "trixie": "debian", "noble": "ubuntu"}
_MIRRORS = {
    "debian": "http://deb.debian.org/debian",
    "ubuntu": "http://archive.ubuntu.com/ubuntu",
}
# What only fills the disk: nothing reads manuals in a load test.
_LEFT_OUT = ["./var/cache/apt", "./var/lib/apt/lists", "./usr/share/doc", "./usr/share/man",
             "./usr/share/locale", "./var/log"]  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a base image is made here; equal recipes give images that may stand in for another."""

    suite: str
    mirror: str
    packages: tuple[str, ...] = ("python3",)

    @property
    def tag(self) -> str:
        """Image name with the recipe's digest as its tag."""
        digest = hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()
        return f"{LOCAL_IMAGE}:{digest[:12]}"

    def bootstrap(self, folder: str) -> list[str]:
        """The command that fills `folder` with a minimal system."""
        include = ",".join(self.packages)
        return ["debootstrap", "--variant=minbase", f"--include={include}",
                self.suite, folder, self.mirror]  # fmt: skip

    def pack(self, folder: str, archive: str) -> list[str]:
        """The command that packs `folder` for the engine."""
        excluded = [f"--exclude={path}/*" for path in _LEFT_OUT]
        return ["tar", "--create", f"--file={archive}", f"--directory={folder}", *excluded, "."]

    def load(self, archive: str) -> list[str]:
        """The command that makes an image of `archive`."""
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return ["docker", "import", "--change", path, archive, self.tag]


def recipe_for(os_release: Mapping[str, str], mirrors: str) -> Recipe:
    """The recipe on a host: its own suite from its own mirror, else Debian 12.

    `mirrors` is what `apt-get indextargets --format '$(REPO_URI) $(RELEASE)'` prints.
    """
    suite = os_release.get("VERSION_CODENAME", "")
    if suite not in _SUITES:
        suite = "bookworm"
    for line in mirrors.splitlines():
        uri, _, release = line.strip().partition(" ")
        if release == suite and "security" not in uri:
            return Recipe(suite, uri.rstrip("/"))
    return Recipe(suite, _MIRRORS[_SUITES[suite]])


def ensure_base(run: Run) -> str:
    """Name of a base image that the engine has; makes one if need be (about 35 s).

    Raises RigError when there is neither a registry nor a way to make one.
    """
    recipe = recipe_for(_os_release(), _mirrors(run))
    there = _there(run, recipe)
    if there is not None:
        return there
    try:
        if run(["docker", "pull", "--quiet", REGISTRY_IMAGE], timeout_s=_PULL_S,
               check=False).returncode == 0:  # fmt: skip
            return REGISTRY_IMAGE
    except ComposeError:
        pass  # a registry that does not answer in time is as good as none
    _make(recipe, run)
    return recipe.tag


def base_is_there(run: Run) -> bool:
    """Whether the engine has a base image, so that none has to be pulled or made."""
    return _there(run, recipe_for(_os_release(), _mirrors(run))) is not None


def _there(run: Run, recipe: Recipe) -> str | None:
    names = (recipe.tag, REGISTRY_IMAGE)
    return next((name for name in names if has_image(run, name)), None)


def has_image(run: Run, name: str) -> bool:
    """Whether the engine has an image of that name."""
    return run(["docker", "image", "inspect", name], check=False).returncode == 0


def _make(recipe: Recipe, run: Run) -> None:
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        error = RigError(f"no registry has {REGISTRY_IMAGE}, and no base image can be made here")
        error.add_note("as root, with debootstrap: sudo .venv/bin/invoke provision, then run again")
        raise error
    with tempfile.TemporaryDirectory(prefix="automaker-staging-base-") as folder:
        system, archive = str(Path(folder, "system")), str(Path(folder, "system.tar"))
        for argv in (
            recipe.bootstrap(system),
            recipe.pack(system, archive),
            recipe.load(archive),
        ):
            run(argv, timeout_s=_BUILD_S)


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _mirrors(run: Run) -> str:
    if not shutil.which("apt-get"):
        return ""
    argv = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    return run(argv, check=False).stdout
