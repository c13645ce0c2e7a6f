"""`.env.staging` as typed values, and everything that is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from settings.env_file import check_values, load_env, parse_env
from settings.env_keys import KEYS, MASK, SECRET_KEYS, StagingEnv, shown
from settings.errors import SettingsError

PATH = Path("x.env")
KEYS_TEXT = "ANTHROPIC_API_KEY=sk-ant-1\nAUTOMAKER_API_KEY='pa$1wor$D'\n"
GUIDE = (
    KEYS_TEXT
    + """UID=1000
GID=1000
PROJECTS_MOUNT=/home/youruser/dev
LABS_MOUNT=/home/youruser/labs
ALLOWED_ROOT_DIRECTORY=/home/youruser/dev
MEMORY_LIMIT=48G
CPU_LIMIT=8
NODE_MAX_OLD_SPACE=32768
AUTOMAKER_MAX_CONCURRENCY=6
"""
)


def problems_of(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_env(text, PATH)
    return caught.value.problems


def values_refused(values: dict[str, str]) -> list[str]:
    try:
        check_values(values, "here")
    except SettingsError as error:
        return error.problems
    return []


def test_the_guides_file_is_valid() -> None:
    env = parse_env(GUIDE, PATH).env
    assert env.memory_limit == 48 * 2**30
    assert (env.cpu_limit, env.node_max_old_space, env.automaker_max_concurrency) == (8, 32768, 6)
    assert (env.uid, env.gid, env.labs_mount) == (1000, 1000, "/home/youruser/labs")
    assert env.automaker_api_key == SecretStr("pa$1wor$D")


def test_plain_values_are_what_containers_get() -> None:
    plain = parse_env(GUIDE, PATH).plain()
    assert plain["AUTOMAKER_API_KEY"] == "pa$1wor$D"
    assert plain["MEMORY_LIMIT"] == "48G", "as it is written, not as it is counted"


def test_every_problem_is_reported_at_once_with_its_line() -> None:
    text = (
        "FOO=1\nUI_PORT=0\nUI_PORT=3\nMEMORY_LIMIT=48GB\nANTHROPIC_API_KEY=\nsk-ant-9\n"
        "CPU_LIMIT=0\nUID=1_0\nLABS_MOUNT=labs\nAUTOMAKER_MAX_CONCURRENCY=21\n"
    )
    assert problems_of(text) == [
        "x.env:1: FOO: unknown key",
        "x.env:2: UI_PORT: not a whole number from 1 to 65535",
        "x.env:3: UI_PORT: set already on line 2",
        "x.env:4: MEMORY_LIMIT: not a size such as 48G, which is 48 GiB",
        "x.env:5: ANTHROPIC_API_KEY: empty: a secret has to be set, or its line left out",
        "x.env:6: not of the form KEY=value",
        "x.env:7: CPU_LIMIT: not a number of processors above 0, such as 8",
        "x.env:8: UID: not a whole number from 0 to 2147483647",
        "x.env:9: LABS_MOUNT: not an absolute path without colons",
        "x.env:10: AUTOMAKER_MAX_CONCURRENCY: not a whole number from 1 to 20",
        "x.env: AUTOMAKER_API_KEY: missing",
    ]


@pytest.mark.parametrize(
    ("key", "value", "valid", "why"),
    [
        ("MEMORY_LIMIT", "512m", True, "a letter of either size"),
        ("MEMORY_LIMIT", "48 G", False, "Compose takes no space"),
        ("MEMORY_LIMIT", "48", False, "48 bytes is not what was meant"),
        ("MEMORY_LIMIT", "0G", False, "no limit at all"),
        ("CPU_LIMIT", "1.5", True, "Docker takes parts of a processor"),
        ("CPU_LIMIT", "-1", False, "a sign"),
        ("CPU_LIMIT", "nan", False, "a number that is none"),
        ("NODE_MAX_OLD_SPACE", "32G", False, "it is counted in MiB"),
        ("AUTOMAKER_MAX_CONCURRENCY", "0", False, "the server would take it for 1"),
        ("AUTOMAKER_MAX_CONCURRENCY", "20", True, "the most the server runs"),
        ("AUTOMAKER_MAX_CONCURRENCY", "8x", False, "the server would take it for 8"),
        ("AUTOMAKER_MAX_CONCURRENCY", "٣", False, "a digit, but of another script"),
        ("API_PORT", "65536", False, "one too many"),
        ("PROJECTS_MOUNT", "/a:/b", False, "a colon divides mounts"),
        ("PROJECTS_MOUNT", "~/dev", False, "nobody expands it"),
        ("CORS_ORIGIN", "https://a.example,http://localhost:3007", True, "several"),
        ("CORS_ORIGIN", "http://a.example/path", False, "an origin has no path"),
        ("DISCORD_DEPLOY_WEBHOOK", "http://discord.example/x", False, "in the clear"),
        ("DISCORD_ALERTS_WEBHOOK", "https://discord.example/x", True, "as it should be"),
        ("DISCORD_DEPLOY_WEBHOOK", "http://127.0.0.1:8000/x", True, "a relay on this host"),
        ("DISCORD_DEPLOY_WEBHOOK", "http://127.0.0.1.example/x", False, "only looks like one"),
        ("STACK_NAME", "automaker-2", True, "a second stack on this host"),
        ("STACK_NAME", "-x", False, "would read like an option"),
        ("STACK_NAME", "A", False, "Docker wants lower case"),
        ("DEPLOY_DIR", "deploys", False, "relative to what?"),
        ("AUTOMAKER_API_KEY", "   ", False, "blank is empty"),
        ("AUTOMAKER_API_KEY", "         ", False, "however long"),
        ("AUTOMAKER_API_KEY", "1234567", False, "it can be guessed"),
        ("AUTOMAKER_API_KEY", "12345678", True, "the shortest"),
        ("ANTHROPIC_API_KEY", "sk-ant1", False, "also of the model"),
        ("AUTOMAKER_API_KEY", "protoLabs_studio_key", False, "compiled into the server"),
        ("AUTOMAKER_API_KEY", "automaker-staging-key-2026", False, "printed in the guide"),
        ("BUILD_CONTEXT", "../../automaker", True, "a path beside this checkout"),
    ],
)
def test_a_value_is_checked(key: str, value: str, valid: bool, why: str) -> None:
    problems = values_refused({key: value})
    assert (problems == []) is valid, why
    assert all(one.startswith(f"here: {key}: ") for one in problems)


@given(st.sampled_from(KEYS), st.text(min_size=6, max_size=40))
def test_no_problem_ever_quotes_a_value(key: str, value: str) -> None:
    problems = values_refused({key: f"zq{value}zq"})
    assert not any(f"zq{value}zq" in one for one in problems)


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_a_secret_prints_as_stars(key: str) -> None:
    text = KEYS_TEXT if key in KEYS_TEXT else f"{KEYS_TEXT}{key}=https://zq.example\n"
    file = parse_env(text, PATH)
    everything = repr(file) + str(file.env) + json.dumps(file.env.model_dump(mode="json"))
    for secret in ("sk-ant-1", "pa$1wor$D", "zq.example"):
        assert secret not in everything
    assert MASK in everything
    assert shown(key, "sk-ant-1") == MASK


def test_every_key_that_holds_a_secret_is_typed_as_one() -> None:
    typed = {
        str(one.alias)
        for one in StagingEnv.model_fields.values()
        if "SecretStr" in str(one.annotation)
    }
    assert typed == SECRET_KEYS


def test_a_file_that_is_not_there_is_answered_with_the_verb_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="missing") as caught:
        load_env(tmp_path / ".env.staging")
    assert caught.value.__notes__ == ["invoke env"]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"A=\xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_env(tmp_path / "x")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_env(tmp_path)


def test_what_compose_would_expand_is_remarked() -> None:
    (remark,) = parse_env(
        "AUTOMAKER_API_KEY=pa$1wor$D\nANTHROPIC_API_KEY=sk-ant-1\n", PATH
    ).remarks()
    assert remark.startswith("x.env:1: AUTOMAKER_API_KEY: ")
    assert "single quotes" in remark
    assert "wor" not in remark


def test_a_file_may_be_incomplete_where_that_is_asked_for() -> None:
    assert parse_env("", PATH, complete=False).plain() == {}
    assert problems_of("") == [
        "x.env: ANTHROPIC_API_KEY: missing",
        "x.env: AUTOMAKER_API_KEY: missing",
    ]


def test_not_even_the_librarys_own_error_quotes_a_value() -> None:
    with pytest.raises(ValidationError) as caught:
        StagingEnv.model_validate({"AUTOMAKER_API_KEY": "", "TYPO": "sk-ant-1"})
    assert "sk-ant-1" not in str(caught.value)
