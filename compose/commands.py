"""Commands for Docker Compose as lists of words; running them is the business of `run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

COMPOSE = ("docker", "compose")
STAGING_FILE = Path(__file__).parent / "docker-compose.staging.yml"
DOCS_FILE = Path(__file__).parent / "docker-compose.docs.yml"
# Never deployed from here: what staging is compared with.
PRODUCTION_FILE = Path(__file__).parent / "docker-compose.production.yml"


def compose(
    files: Sequence[Path | str],
    env_file: Path | str | None = None,
    project_dir: Path | str | None = None,
) -> list[str]:
    """`docker compose` with its global options: files in order of overlay, then the rest."""
    argv = [*COMPOSE]
    for file in files:
        argv += ["--file", str(file)]
    if env_file is not None:
        argv += ["--env-file", str(env_file)]
    if project_dir is not None:
        argv += ["--project-directory", str(project_dir)]
    return argv


def effective_model(
    files: Sequence[Path | str],
    env_file: Path | str | None = None,
    project_dir: Path | str | None = None,
) -> list[str]:
    """Print the model that these files amount to, as JSON: merged, defaults in, bytes counted."""
    return [*compose(files, env_file, project_dir), "config", "--format", "json"]
