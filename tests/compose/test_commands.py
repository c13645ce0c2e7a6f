"""Commands for Compose, word by word."""

from __future__ import annotations

from pathlib import Path

from compose.commands import STAGING_FILE, effective_model


def test_the_effective_model_is_asked_for_as_json() -> None:
    assert effective_model(["a.yml"]) == [
        *("docker", "compose", "--file", "a.yml"),
        *("config", "--format", "json"),
    ]


def test_files_keep_their_order_since_later_ones_overlay() -> None:
    words = effective_model(["base.yml", Path("over.yml")], env_file=".env", project_dir="/srv")
    assert words == [
        *("docker", "compose", "--file", "base.yml", "--file", "over.yml"),
        *("--env-file", ".env", "--project-directory", "/srv"),
        *("config", "--format", "json"),
    ]


def test_the_staging_file_is_there() -> None:
    assert STAGING_FILE.is_file()
