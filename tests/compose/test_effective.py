"""Which value counts, and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from compose.commands import DOCS_FILE, PRODUCTION_FILE, STAGING_FILE
from compose.effective import (
    Setting,
    StagingValues,
    defaults_in,
    effective_settings,
    staging_model,
    staging_values,
)
from compose.run import Completed
from settings.env_file import parse_env
from settings.env_keys import KEYS, MASK, PINS
from settings.errors import SettingsError

TEXT = "AUTOMAKER_API_KEY='pa$1wor$D'\nCPU_LIMIT=4\nUI_PORT=4007\n"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


def values(text: str = TEXT, **overrides: str) -> StagingValues:
    return StagingValues(parse_env(text, Path("/x/.env.staging"), complete=False), overrides)


def found(given: StagingValues) -> dict[str, Setting]:
    return {one.key: one for one in effective_settings(given)}


def test_every_known_key_is_there_once_and_in_order() -> None:
    assert [one.key for one in effective_settings(values())] == list(KEYS)


@pytest.mark.parametrize(
    ("key", "value", "source"),
    [
        ("CPU_LIMIT", "4", ".env.staging:2"),
        ("API_PORT", "5008", "environment"),
        ("MEMORY_LIMIT", "48G", "default in docker-compose.staging.yml"),
        ("DOCS_PORT", "3009", "default in docker-compose.docs.yml"),
        ("CORS_ORIGIN", "http://localhost:4007", "default in docker-compose.staging.yml"),
        ("ANTHROPIC_API_KEY", None, "missing"),
        ("DISCORD_DEPLOY_WEBHOOK", None, "not set"),
    ],
)
def test_a_value_has_a_source(key: str, value: str | None, source: str) -> None:
    one = found(values(API_PORT="5008"))[key]
    assert (one.value, one.source) == (value, source)


def test_the_environment_goes_before_the_file() -> None:
    one = found(values(CPU_LIMIT="2"))["CPU_LIMIT"]
    assert (one.value, one.source) == ("2", "environment")


def test_a_secret_is_masked_in_all_that_may_be_printed() -> None:
    one = found(values())["AUTOMAKER_API_KEY"]
    assert one.public()["value"] == MASK
    assert "wor" not in repr(one) + repr(values())


def test_defaults_are_found_and_may_be_nested() -> None:
    text = "a: ${A:-1}\nb: ${B:-http://h:${A:-2}/x}\nc: ${C:?needed}\nd: ${D}\ne: $${E:-no}"
    assert defaults_in(text) | {"E": ""} == {"A": "1", "B": "http://h:${A:-2}/x", "E": ""}


@pytest.mark.parametrize("file", [STAGING_FILE, DOCS_FILE, PRODUCTION_FILE])
def test_every_variable_of_the_compose_files_is_a_key_of_the_env_file(file: Path) -> None:
    named = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", file.read_text(encoding="utf-8")))
    assert named - set(PINS) <= set(KEYS)


class Recording:
    """Answers with an empty model and keeps what it was asked."""

    def __init__(self) -> None:
        self.argv: list[str] = []
        self.env: Mapping[str, str] = {}

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        self.argv, self.env = list(argv), env or {}
        return Completed("{}", "", 0)


def test_secrets_reach_compose_by_environment_and_never_by_command_line() -> None:
    run = Recording()
    staging_model(run, values())
    assert run.env["AUTOMAKER_API_KEY"] == "pa$1wor$D"
    assert "pa$1" not in " ".join(run.argv)


def test_a_stray_env_file_beside_the_compose_files_is_not_read() -> None:
    run = Recording()
    staging_model(run, values())
    assert run.argv[run.argv.index("--env-file") + 1] == os.devnull


def test_keys_that_are_missing_get_a_placeholder() -> None:
    run = Recording()
    staging_model(run, StagingValues(None, {}))
    assert run.env["ANTHROPIC_API_KEY"]


def test_without_a_file_defaults_and_environment_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPU_LIMIT", "3")
    given = staging_values(tmp_path / "absent")
    assert given.plain() == {"CPU_LIMIT": "3"}


def test_an_environment_that_makes_no_sense_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPU_LIMIT", "many")
    with pytest.raises(SettingsError, match="environment: CPU_LIMIT"):
        staging_values(tmp_path / "absent")


def test_a_file_has_to_be_there_where_it_has_to_be_complete(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="missing"):
        staging_values(tmp_path / "absent", complete=True)
