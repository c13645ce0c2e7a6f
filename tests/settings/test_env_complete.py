"""What `invoke env` adds to a file, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.env_complete import Completion, complete
from settings.env_file import parse_env
from settings.env_keys import PUBLIC_KEYS, SHORTEST_SECRET
from settings.errors import SettingsError
from settings.tiers import Proposal

PATH = Path(".env.staging")
PROPOSAL = Proposal(memory_gib=48, cpus=8, old_space_mib=32768, max_concurrency=6)
ANTHROPIC = {"ANTHROPIC_API_KEY": "sk-ant-1"}
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=SHORTEST_SECRET
).filter(lambda text: bool(text.strip()) and text not in PUBLIC_KEYS)


def completed(text: str = "", environment: Mapping[str, str] | None = None) -> Completion:
    env = ANTHROPIC if environment is None else environment
    return complete(text, PATH, env, PROPOSAL, (1001, 1002), lambda: "generated-secret")


def test_a_new_file_has_every_key_a_server_needs() -> None:
    done = completed()
    assert parse_env(done.text, PATH).plain() == {
        "ANTHROPIC_API_KEY": "sk-ant-1",
        "AUTOMAKER_API_KEY": "generated-secret",
        "UID": "1001",
        "GID": "1002",
        "PROJECTS_MOUNT": "/srv/automaker/projects",
        "LABS_MOUNT": "/srv/automaker/labs",
        "ALLOWED_ROOT_DIRECTORY": "/srv/automaker",
        "MEMORY_LIMIT": "48G",
        "CPU_LIMIT": "8",
        "NODE_MAX_OLD_SPACE": "32768",
        "AUTOMAKER_MAX_CONCURRENCY": "6",
    }
    assert done.missing == ()


def test_a_key_nobody_knows_is_left_out_and_reported() -> None:
    done = completed(environment={})
    assert done.missing == ("ANTHROPIC_API_KEY",)
    assert "ANTHROPIC_API_KEY" not in done.text


def test_what_is_there_stays_byte_for_byte() -> None:
    there = "# mine\n\nexport MEMORY_LIMIT=20G   # tight\nAUTOMAKER_API_KEY=pa$1wor$D"
    done = completed(there, {**ANTHROPIC, "MEMORY_LIMIT": "64G", "AUTOMAKER_API_KEY": "other"})
    assert done.text.startswith(there + "\n")
    assert done.kept == ("MEMORY_LIMIT", "AUTOMAKER_API_KEY")
    assert parse_env(done.text, PATH).plain()["AUTOMAKER_API_KEY"] == "pa$1wor$D"


def test_a_second_time_nothing_is_added() -> None:
    once = completed().text
    again = completed(once)
    assert again.text == once
    assert again.added == ()


def test_the_environment_goes_before_a_proposal() -> None:
    done = completed(environment={**ANTHROPIC, "CPU_LIMIT": "3", "DOCS_PORT": "4009"})
    plain = parse_env(done.text, PATH).plain()
    assert (plain["CPU_LIMIT"], plain["DOCS_PORT"]) == ("3", "4009")
    sources = {one.key: one.source for one in done.added}
    assert sources["CPU_LIMIT"] == "environment"
    assert sources["MEMORY_LIMIT"] == "this host"
    assert sources["AUTOMAKER_API_KEY"] == "generated"


@given(SECRETS, SECRETS)
def test_any_secret_of_the_environment_gets_into_the_file_unchanged(first: str, other: str) -> None:
    done = completed(environment={"ANTHROPIC_API_KEY": first, "AUTOMAKER_API_KEY": other})
    plain = parse_env(done.text, PATH).plain()
    assert (plain["ANTHROPIC_API_KEY"], plain["AUTOMAKER_API_KEY"]) == (first, other)


@pytest.mark.parametrize(
    ("text", "environment", "problem"),
    [
        ("CPU_LIMIT=many\n", ANTHROPIC, ".env.staging:1: CPU_LIMIT: not a number"),
        ("", {**ANTHROPIC, "API_PORT": "http"}, "environment: API_PORT: not a whole number"),
        ("", {"AUTOMAKER_API_KEY": "protoLabs_studio_key"}, "environment: AUTOMAKER_API_KEY: a p"),
    ],
)
def test_what_cannot_be_used_is_refused(
    text: str, environment: Mapping[str, str], problem: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        completed(text, environment)
    assert str(caught.value).startswith(problem)


def test_no_secret_is_shown() -> None:
    done = completed()
    shown = repr(done) + str([one.public() for one in done.added])
    assert "sk-ant-1" not in shown
    assert "generated-secret" not in shown
