"""The verbs as an operator types them: what they print, how they end, and no secret in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent.parent
IN_FILE = "pa$1wor$D-in-the-file"
IN_ENVIRONMENT = "sk-ant-from-the-environment"
WEBHOOK = "https://discord.example/a-token-nobody-may-see"


def invoke(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb with secrets in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=TOP,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "ANTHROPIC_API_KEY": IN_ENVIRONMENT,
            "DISCORD_ALERTS_WEBHOOK": WEBHOOK,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / ".env.staging"
    path.write_text(f"AUTOMAKER_API_KEY={IN_FILE}\nCPU_LIMIT=1\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("env",),
        ("env", "--dry-run"),
        ("env", "--json"),
        ("config",),
        ("config", "--json"),
        ("config", "--recommend"),
        ("diff",),
        ("diff", "--json"),
        ("doctor",),
        ("doctor", "--json"),
    ],
)
@pytest.mark.parametrize(
    "mistake", ["", "CPU_LIMIT=2\n", "sk-ant-alone\n", "TYPO_KEY=sk-ant-typo\n"]
)
def test_no_verb_ever_prints_a_secret(env_file: Path, words: tuple[str, ...], mistake: str) -> None:
    env_file.write_text(env_file.read_text(encoding="utf-8") + mistake, encoding="utf-8")
    done = invoke(words[0], "--path", str(env_file), *words[1:])
    printed = done.stdout + done.stderr
    assert printed.strip()
    assert "Traceback" not in printed
    for secret in (IN_FILE, "wor$D", IN_ENVIRONMENT, WEBHOOK, "a-token", "sk-ant"):
        assert secret not in printed


def test_diff_prints_the_guides_table(env_file: Path) -> None:
    done = invoke("diff", "--path", str(env_file))
    assert done.returncode == 0, done.stderr
    assert "Memory limit                8G              48G" in done.stdout
    assert "CPU limit: the guide has 2 and 8" in done.stdout
    rows = json.loads(invoke("diff", "--path", str(env_file), "--json").stdout)
    assert rows[1]["staging"] == "1"


def test_doctor_ends_with_1_where_something_fails(tmp_path: Path) -> None:
    done = invoke("doctor", "--path", str(tmp_path / "absent"), "--json")
    assert done.returncode == 1
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found["env file"]["level"] == "fail"
    assert found["env file"]["fix"] == "invoke env"
    assert found["engine"]["level"] == "pass"
