"""Values of `.env.staging` on their way through the real Compose into a real container."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compose.commands import compose
from compose.effective import effective_settings, staging_model, staging_values
from compose.model import load_model, read_limits
from compose.run import run
from settings.env_keys import KEYS
from settings.env_syntax import quoted, read

NASTY = {
    "DOLLAR": "pa$1wor$D",
    "BRACES": "${HOME} $HOME $$ $",
    "QUOTES": """it's "so" `x`""",
    "ENDS": "back\\",
    "BOTH": "\\' \\\" \\$x \\n",
    "HASH": "a #b",
    "SPACES": "  two  ",
    "UNICODE": "größe \u2028 \x85 🔑",
    "LINES": "one\ntwo\r\nthree",
    "EQUALS": "=a=b",
    "EMPTY": "",
}
HEX_OF_ENVIRONMENT = (
    "import json, os; print(json.dumps({k.decode(): v.hex() for k, v in os.environb.items()}))"
)
TEXTS = st.text(
    st.sampled_from("'\"\\$ #\n\r{}=`é\u2028an0:") | st.characters(codec="utf-8"), max_size=20
).map(lambda text: text.replace("\0", ""))


@pytest.fixture(autouse=True)
def _only_the_file_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*KEYS, *NASTY):
        monkeypatch.delenv(key, raising=False)


def as_compose_reads(folder: Path, values: list[str]) -> list[str]:
    """Each value after Compose itself has read it from an env file that was written here."""
    names = [f"V{number}" for number in range(len(values))]
    env_file, model = folder / "env", folder / "model.json"
    lines = [f"{name}={quoted(one)}\n" for name, one in zip(names, values, strict=True)]
    env_file.write_bytes("".join(lines).encode())
    variables = {name: f"${{{name}}}" for name in names}
    service = {"image": "none", "environment": variables}
    model.write_text(json.dumps({"name": "x", "services": {"a": service}}), encoding="utf-8")
    found = load_model(run, [model], env_file=env_file)["services"]["a"]["environment"]
    return [found[name].replace("$$", "$") for name in names]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TEXTS, min_size=30, max_size=60))
def test_compose_reads_from_a_file_what_was_written(tmp_path: Path, values: list[str]) -> None:
    assert as_compose_reads(tmp_path, values) == values


def test_the_nastiest_values_survive_compose(tmp_path: Path) -> None:
    assert as_compose_reads(tmp_path, [*NASTY.values()]) == [*NASTY.values()]


@pytest.mark.parametrize("way", ["by file", "by environment"])
def test_a_value_arrives_in_a_container_byte_for_byte(tmp_path: Path, image: str, way: str) -> None:
    env_file, model = tmp_path / "env", tmp_path / "model.json"
    text = "".join(f"{key}={quoted(value)}\n" for key, value in NASTY.items())
    env_file.write_bytes(text.encode())
    service = {
        "image": image,
        "environment": {key: f"${{{key}}}" for key in NASTY},
        "entrypoint": ["python3", "-c"],
        "command": [HEX_OF_ENVIRONMENT],
        "mem_limit": "64M",
        "network_mode": "none",
    }
    name = f"test-env-{uuid.uuid4().hex[:8]}"
    model.write_text(json.dumps({"name": name, "services": {"a": service}}), encoding="utf-8")
    entries, _ = read(text)
    by_file = way == "by file"
    argv = [*compose([model], env_file if by_file else "/dev/null"), "run", "--rm", "-T", "a"]
    done = run(
        argv, env=None if by_file else {one.key: one.value for one in entries}, timeout_s=120.0
    )
    arrived = json.loads(done.stdout)
    assert {key: bytes.fromhex(arrived[key]).decode() for key in NASTY} == NASTY


def test_what_config_says_is_what_compose_makes_of_it(tmp_path: Path) -> None:
    env_file = tmp_path / ".env.staging"
    env_file.write_text(
        "AUTOMAKER_API_KEY=pa$1wor$D\nANTHROPIC_API_KEY='a #b long'\nUI_PORT=4007\nCPU_LIMIT=3\n",
        encoding="utf-8",
    )
    values = staging_values(env_file, complete=True)
    said = {one.key: one.value for one in effective_settings(values)}
    limits = read_limits(staging_model(run, values))
    for key in ("AUTOMAKER_API_KEY", "ANTHROPIC_API_KEY", "CORS_ORIGIN", "ALLOWED_ROOT_DIRECTORY"):
        assert limits.environment[key] == said[key]
    assert limits.environment["AUTOMAKER_API_KEY"] == "pa$1wor$D"
    assert (limits.cpus, limits.max_concurrency) == (3, int(said["AUTOMAKER_MAX_CONCURRENCY"] or 0))
    assert limits.node_old_space_mib == int(said["NODE_MAX_OLD_SPACE"] or 0)


def test_a_shell_reads_the_same_where_a_value_takes_no_escapes() -> None:
    for key in ("DOLLAR", "BRACES", "HASH", "SPACES", "UNICODE", "EQUALS", "EMPTY"):
        script = f'{key}={quoted(NASTY[key])}; printf %s "${key}"'
        done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
        assert done.stdout.decode() == NASTY[key]
