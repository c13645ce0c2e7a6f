"""The verbs of a stack as they are typed: what they explain, and how they end without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
NOWHERE = "tcp://127.0.0.1:1"
KEY, MODEL_KEY, TOKEN = "pa$1wor$D-of-the-test", "sk-ant-of-the-test", "t0ken-of-the-test"
HOOK = "https://discord.example/api/webhooks/1/hook-of-the-test"

OPTIONS = {
    "deploy": ("--source", "--ref", "--dry-run", "--no-drain", "--keep", "--lock-wait",
               "--ready-timeout", "--min-free", "--why", "--json"),
    "rollback": ("--release", "--dry-run", "--no-drain", "--no-agent",
                 "--if-unfinished", "--lock-wait", "--ready-timeout", "--why", "--json"),
    "build": ("--source", "--ref", "--dry-run", "--json"),
    "releases": ("--audit", "--json"),
    "prune": ("--keep", "--dry-run", "--json"),
    "status": ("--json",),
    "health": ("--json",),
    "smoke": ("--no-agent", "--json"),
    "logs": ("--service", "--follow", "--tail", "--since"),
    "stats": ("--watch", "--json"),
    "drain": ("--json", "--why"),
    "start": ("--dry-run", "--lock-wait", "--ready-timeout", "--why"),
    "stop": ("--dry-run", "--no-drain", "--lock-wait", "--why"),
    "restart": ("--dry-run", "--no-drain", "--lock-wait", "--ready-timeout", "--why"),
    "teardown": ("--yes", "--keep-data", "--dry-run", "--why"),
    "docs.build": ("--source", "--ref", "--dry-run"),
    "docs.deploy": ("--source", "--ref", "--dry-run", "--lock-wait", "--why", "--json"),
    "docs.stop": ("--dry-run",),
    "docs.status": ("--json",),
    "docs.logs": ("--follow", "--tail"),
    "schedule.install": ("--daily", "--plan", "--prometheus", "--dry-run", "--json"),
    "schedule.status": ("--json",),
    "schedule.remove": ("--dry-run", "--json"),
    "schedule.run": ("--plan", "--[no-]wait", "--prometheus"),
}  # fmt: skip


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run Python where no engine answers, so that nothing can change."""
    return subprocess.run(
        [sys.executable, *argv],
        cwd=TOP,
        env={"PATH": "/usr/bin:/bin", "DOCKER_HOST": NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )


def invoke(*words: str) -> subprocess.CompletedProcess[str]:
    """Type a verb."""
    return run("-m", "invoke", *words)


# One process for all: starting one takes longer than what it says.
HELP = """
import sys
from invoke.main import program
for verb in sys.argv[1:]:
    print(f"=== {verb}")
    program.run(["invoke", "--help", verb], exit=False)
print("===")
program.run(["invoke", "--list"], exit=False)
"""


@pytest.fixture(scope="module")
def explained() -> dict[str, str]:
    """What `invoke --help VERB` prints of every verb, and `invoke --list` under no name."""
    done = run("-c", HELP, *OPTIONS)
    assert done.returncode == 0, done.stderr
    parts = [part.partition("\n") for part in done.stdout.split("===")[1:]]
    return {name.strip(): text for name, _, text in parts}


@pytest.fixture
def env_file(tmp_path: Path) -> str:
    """A stack of its own, with secrets."""
    path = tmp_path / ".env.staging"
    lines = {
        "ANTHROPIC_API_KEY": MODEL_KEY,
        "AUTOMAKER_API_KEY": KEY,
        "DISCORD_ALERTS_WEBHOOK": HOOK,
        "DEPLOY_DIR": str(tmp_path / "home"),
    }
    text = "".join(f"{key}='{value}'\n" for key, value in lines.items())
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def whole(done: subprocess.CompletedProcess[str]) -> str:
    """All that was printed, once it is sure that no secret and no traceback is among it."""
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    for secret in (KEY, MODEL_KEY, TOKEN, HOOK, "hook-of-the-test"):
        assert secret not in text
    return text


@pytest.mark.parametrize("verb", OPTIONS)
def test_every_verb_is_listed_and_explains_its_options(
    verb: str, explained: dict[str, str]
) -> None:
    assert f"\n  {verb} " in explained[""]
    for option in (*OPTIONS[verb], "--path"):
        assert f"{option} " in explained[verb].replace("=", " "), option


def test_every_verb_of_a_stack_is_looked_at_here(explained: dict[str, str]) -> None:
    listed = set(re.findall(r"^  ([a-z.]+) ", explained[""], re.MULTILINE))
    assert listed == {
        *OPTIONS, "provision", "env", "diff", "config", "doctor", "clean", "baseline"
    }  # fmt: skip


@pytest.mark.parametrize("verb", ["releases", "health", "logs", "drain", "teardown"])
def test_without_an_engine_or_a_release_a_verb_ends_with_a_line(verb: str, env_file: str) -> None:
    done = invoke(verb, "--path", env_file)
    assert 1 <= len(whole(done).splitlines()) <= 3
    assert done.returncode == {"releases": 0, "teardown": 2}.get(verb, 1)


def test_a_rollback_without_an_engine_ends_with_2(env_file: str, tmp_path: Path) -> None:
    done = invoke("rollback", "--path", env_file)
    assert done.returncode == 2
    assert whole(done) == "no Docker engine answers\n  -> invoke provision\n"
    assert not (tmp_path / "home").exists()


def test_the_status_of_a_stack_that_was_never_deployed_is_no_success(env_file: str) -> None:
    done = invoke("status", "--path", env_file)
    assert done.returncode == 1
    assert "nothing is live" in whole(done)


@pytest.mark.parametrize("verb", ["deploy", "build", "docs.deploy", "docs.build"])
def test_a_source_that_is_not_there_ends_with_2(verb: str, env_file: str, tmp_path: Path) -> None:
    done = invoke(verb, "--source", "/nope", "--path", env_file)
    assert done.returncode == 2
    assert "--source /nope: no such directory" in whole(done)
    assert not (tmp_path / "home").exists(), "nothing was even begun"


@pytest.mark.parametrize("verb", ["deploy", "docs.deploy"])
def test_without_a_source_it_says_what_one_is(verb: str, env_file: str) -> None:
    done = invoke(verb, "--path", env_file)
    assert done.returncode == 2
    assert "nothing to build from" in whole(done)


@pytest.mark.parametrize("source", ["standin:fire", "ext::sh -c id"])
def test_a_source_that_is_none_ends_with_2(source: str, env_file: str) -> None:
    done = invoke("deploy", f"--source={source}", "--path", env_file)
    assert done.returncode == 2
    assert whole(done)


def test_a_token_in_an_address_is_not_repeated(env_file: str) -> None:
    source = f"http://ada:{TOKEN}@git.example/a"
    done = invoke("deploy", "--source", source, "--path", env_file)
    assert done.returncode == 2
    assert "git.example" in whole(done)


def test_a_stack_name_that_cannot_be_used_ends_with_a_line(env_file: str) -> None:
    with open(env_file, "a", encoding="utf-8") as file:
        file.write("STACK_NAME=No Name\n")
    done = invoke("status", "--path", env_file)
    assert done.returncode == 1
    assert "STACK_NAME: not a name of lower-case letters" in whole(done)
