"""The stand-in's images, built from this checkout and cached by content."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from compose.run import Run
from loadtest.rig.base_image import ensure_base, has_image

STANDIN = Path(__file__).parent.parent / "standin"
ROOT = STANDIN.parent.parent
BUILD = ROOT / ".build"
IMAGE = "automaker-staging-standin"
_BUILD_S = 600.0
_INSTALL_S = 600.0


def ensure_image(run: Run, build_folder: Path, target: str = "server") -> str:
    """Name of the stand-in's image for `target`; built when the engine does not have it yet.

    Raises ComposeError or RigError, with the last lines of what failed.
    """
    base = ensure_base(run)
    digest = content_digest(base)
    name = f"{IMAGE}-{target}:{digest}"
    if not has_image(run, name):
        context = build_folder / digest
        prepare_context(run, context, build_folder)
        run(build_argv(name, target, base, context), timeout_s=_BUILD_S)
        shutil.rmtree(context)
    return name


def build_argv(name: str, target: str, base: str, context: Path) -> list[str]:
    """The command that builds one target. No network is used and nothing is pulled."""
    return [
        "docker", "build", "--quiet", "--target", target, "--tag", name,
        "--build-arg", f"BASE={base}", "--label", "automaker-staging.image=standin",
        "--file", str(context / "Dockerfile"), str(context),
    ]  # fmt: skip


def content_digest(base: str) -> str:
    """Digest of all that goes into the image."""
    digest = hashlib.sha256(base.encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    yield ROOT / "constraints.txt"
    yield STANDIN / "Dockerfile"
    yield from sorted(STANDIN.glob("*.py"))


def prepare_context(run: Run, context: Path, cache: Path) -> None:
    """Fill the build context: sources and libraries. Libraries are fetched once into `cache`."""
    shutil.rmtree(context, ignore_errors=True)
    (context / "standin").mkdir(parents=True)
    shutil.copy(STANDIN / "Dockerfile", context / "Dockerfile")
    for path in STANDIN.glob("*.py"):
        shutil.copy(path, context / "standin" / path.name)
    shutil.copytree(site_packages(run, cache), context / "site-packages")


def site_packages(run: Run, cache: Path) -> Path:
    """Return the folder with the libraries, as the host's pip fetches them.

    Fetching on the host needs no certificate of a proxy inside the image; the wheels are pure
    Python, so the host's own version and platform do not matter.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    group = " ".join(project["dependency-groups"]["standin"])
    wanted = f"{group}\n{(ROOT / 'constraints.txt').read_text(encoding='utf-8')}"
    folder = cache / f"site-packages-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    # Half a folder must never pass for a whole one, and two runs may fetch at once.
    fetched = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache))
    argv = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-compile", "--only-binary=:all:", "--implementation=py", "--abi=none",
        "--platform=any", "--python-version=3.11", f"--target={fetched}",
        f"--constraint={ROOT / 'constraints.txt'}", "--group", f"{ROOT / 'pyproject.toml'}:standin",
    ]  # fmt: skip
    try:
        run(argv, timeout_s=_INSTALL_S)
        for old in cache.glob("site-packages-*"):
            shutil.rmtree(old, ignore_errors=True)
        fetched.chmod(0o755)
        with contextlib.suppress(FileExistsError):
            fetched.rename(folder)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    return folder
