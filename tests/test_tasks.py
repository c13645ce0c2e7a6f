"""The edge of the command line: errors become one message and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from compose.errors import ComposeError
from verbs import Verb

TOP = Path(__file__).parent.parent


def failing_with(error: BaseException) -> Exit:
    """What a verb makes of `error`."""

    def body(c: Context) -> None:
        raise error

    with pytest.raises(Exit) as caught:
        Verb(body)(Context())
    return caught.value


def test_an_error_of_ours_becomes_its_message_and_what_to_do_next() -> None:
    end = failing_with(ComposeError("no engine", next_step="install one", exit_code=2))
    assert (end.message, end.code) == ("no engine\n  -> install one", 2)


def test_an_error_of_ours_without_a_code_ends_with_1() -> None:
    end = failing_with(ComposeError("it broke"))
    assert (end.message, end.code) == ("it broke", 1)


def test_an_interrupt_ends_with_130() -> None:
    assert failing_with(KeyboardInterrupt()).code == 130


def test_an_error_nobody_expected_stays_what_it_is() -> None:
    def body(c: Context) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Verb(body)(Context())


def invoke(*words: str, docker_host: str = "tcp://127.0.0.1:1") -> subprocess.CompletedProcess[str]:
    """Run the real tasks against an address where no engine answers, so that nothing can change."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=TOP,
        env={"PATH": "/usr/bin:/bin", "DOCKER_HOST": docker_host},
        capture_output=True,
        text=True,
        check=False,
    )


def test_listing_names_every_verb_with_its_first_line() -> None:
    done = invoke("--list")
    assert "provision Install and start" in " ".join(done.stdout.split())


def test_listing_imports_none_of_our_packages() -> None:
    code = "import sys, tasks; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"compose", "settings", "loadtest", "docker", "pydantic", "rich"}


def test_a_person_sees_what_happened_and_no_traceback() -> None:
    done = invoke("provision", "--dry-run")
    assert done.returncode == 2
    assert "the Docker engine at tcp://127.0.0.1:1 does not answer" in done.stderr
    assert "-> start it, or use one on this host" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.docker
def test_a_dry_run_beside_a_running_engine_has_nothing_to_do() -> None:
    done = invoke("provision", "--dry-run", "--json", docker_host="")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["changed"], result["steps"]) == (False, [])
    assert "nothing to do" in done.stderr


@pytest.mark.parametrize("verb", ["env", "config", "diff", "doctor"])
def test_every_verb_is_listed_and_explains_its_options(verb: str) -> None:
    assert f"\n  {verb} " in invoke("--list").stdout
    assert "--path" in invoke("--help", verb).stdout


def test_env_writes_a_file_that_config_then_explains(tmp_path: Path) -> None:
    path = str(tmp_path / ".env.staging")
    written = json.loads(invoke("env", "--path", path, "--json").stdout)
    assert written["missing"] == ["ANTHROPIC_API_KEY"]
    assert Path(path).stat().st_mode & 0o777 == 0o600
    shown = {one["key"]: one for one in json.loads(invoke("config", "-p", path, "-j").stdout)}
    assert shown["AUTOMAKER_API_KEY"]["value"] == "**********"
    assert shown["AUTOMAKER_API_KEY"]["source"].startswith(".env.staging:")
    assert shown["UI_PORT"]["source"] == "default in docker-compose.staging.yml"


def test_mistakes_of_an_env_file_end_with_1_and_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("CPU_LIMIT=many\nTYPO=sk-ant-1\n", encoding="utf-8")
    done = invoke("config", "--path", str(path))
    assert done.returncode == 1
    assert f"{path}:1: CPU_LIMIT: " in done.stderr
    assert f"{path}:2: TYPO: unknown key" in done.stderr
    assert "sk-ant-1" not in done.stderr
    assert "Traceback" not in done.stderr


def test_several_settings_files_are_checked_in_one_call(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"maxConcurrency": 4}', encoding="utf-8")
    (tmp_path / "b.json").write_text('{"autoMode": {"maxConcurrency": 4}}', encoding="utf-8")
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    done = invoke("config", "--settings", files[0], "--settings", files[1])
    assert done.returncode == 0, done.stderr
    assert f"ok    {files[0]}" in done.stdout
    assert f'{files[1]}: autoMode.maxConcurrency: ignored by the server; write "max' in done.stdout


def test_a_settings_file_is_changed_key_by_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark", "maxConcurrency": 1}', encoding="utf-8")
    none = str(tmp_path / "none")  # and not this checkout's, whose cap may be lower
    words = ("--path", none, "--settings", str(path), "--set", "maxConcurrency=6")
    also = ("--set", "gitWorkflow.autoPush=false")
    dry = invoke("config", *words, *also, "--dry-run")
    assert dry.stdout.splitlines() == [
        "maxConcurrency: 1 -> 6",
        "gitWorkflow.autoPush: not set -> false",
        f"{path}: dry run, not written",
    ]
    assert "1}" in path.read_text(encoding="utf-8")
    assert "dry run" in invoke("--dry", "config", *words).stdout
    done = json.loads(invoke("config", *words, *also, "--json").stdout)
    assert (done["written"], len(done["changes"])) == (True, 2)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "theme": "dark",
        "maxConcurrency": 6,
        "gitWorkflow": {"autoPush": False},
    }
    assert invoke("config", *words).stdout == f"{path}: nothing to change\n"


def test_changes_that_cannot_be_made_are_all_named_and_none_is(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}", encoding="utf-8")
    words = ("--set", "sk-ant-1", "--set", "autoMode.wings=2", "--set", "theme=dark")
    done = invoke("config", "--settings", str(path), *words)
    assert done.returncode == 1
    assert "change 1: not like KEY=VALUE" in done.stderr
    assert "change 2: autoMode.wings: the server reads nothing" in done.stderr
    assert "sk-ant-1" not in done.stderr + done.stdout
    assert path.read_text(encoding="utf-8") == "{}"


def test_a_change_without_its_file_ends_with_2() -> None:
    done = invoke("config", "--set", "maxConcurrency=6")
    assert done.returncode == 2
    assert "-> invoke config --settings FILE --set KEY=VALUE" in done.stderr


def test_without_an_engine_doctor_still_answers(tmp_path: Path) -> None:
    done = invoke("doctor", "--path", str(tmp_path / "absent"))
    assert done.returncode == 1
    assert "FAIL  engine" in done.stdout
    assert "-> invoke provision" in done.stdout
    assert "Traceback" not in done.stderr
