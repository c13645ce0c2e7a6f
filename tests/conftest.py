"""What all tests share: container tests need an engine, and say so where there is none."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest


def _engine_problem() -> str | None:
    try:
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let what tests start hear it: a shell's background ignores it, for all."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip container tests where no engine answers, except under CI, where they must run."""
    wanting = [item for item in items if item.get_closest_marker("docker")]
    if not wanting or (problem := _engine_problem()) is None:
        return
    if os.environ.get("CI"):
        raise pytest.UsageError(f"CI must run the container tests, but: {problem}")
    skip = pytest.mark.skip(reason=f"no Docker engine ({problem}); .venv/bin/invoke provision")
    for item in wanting:
        item.add_marker(skip)
