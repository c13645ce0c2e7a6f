"""The command as an operator runs it: a process with options, files and an exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import docker
import jsonschema
import psutil
import pytest

from compose.errors import ComposeError
from loadtest import campaign
from loadtest.rig.labels import RUN
from loadtest.summary import SCHEMA_FILE

ROOT = Path(__file__).parent.parent.parent
SMALL = ["--scale", "1/64", "--workload", "medium", "--runs", "1"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for locks and reports: campaigns of other checkouts stay undisturbed."""
    (tmp_path / "tmp").mkdir()
    return tmp_path


def start(place: Path, *options: str, uid: int | None = None) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "loadtest", "--out", str(place / "reports"), *options]
    return subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        user=uid,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], budget_s: float = 120) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=budget_s)
    return process.returncode, out, err


def containers_of_runs(client: docker.DockerClient) -> list[str]:
    found = client.containers.list(all=True, filters={"label": RUN})
    return [container.name or "" for container in found]


def wait_for_agents(client: docker.DockerClient, process: subprocess.Popen[str]) -> None:
    """Until a container of the campaign runs agents."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        for container in client.containers.list(filters={"label": RUN}):
            with contextlib.suppress(docker.errors.APIError):
                names = container.top(ps_args="-o pid,comm")["Processes"]
                if any(name.startswith("agent:") for _, name in names):
                    return
        time.sleep(0.1)
    raise AssertionError(f"no agent ran: {process.poll()}")


def processes_below(folder: Path) -> list[str]:
    """Command lines of our swarm processes that work on files of a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if any(str(folder) in word for word in words) and "locust" in words:
                found.append(" ".join(words))
    return found


def summary_of(place: Path) -> dict[str, object]:
    text = (place / "reports" / "latest" / "summary.json").read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def assert_one_clear_error(err: str) -> None:
    assert "Traceback" not in err
    assert err.startswith("error: ")


@pytest.fixture
def running(place: Path, client: docker.DockerClient) -> Iterator[subprocess.Popen[str]]:
    process = start(place, *SMALL)
    wait_for_agents(client, process)
    yield process
    if process.poll() is None:
        process.kill()
        process.communicate()


def test_a_campaign_confirms_the_claims_and_writes_every_report(
    place: Path, client: docker.DockerClient
) -> None:
    code, out, err = finish(start(place, *SMALL))
    assert code == 0, out + err
    folder = place / "reports" / "latest"
    summary = summary_of(place)
    jsonschema.validate(summary, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert summary["exit_code"] == 0
    assert summary["grade"] == "scaled"
    boundaries = summary["boundaries"]
    assert isinstance(boundaries, list)
    assert [(b["workload"], b["holds"], b["fails_at"], b["predicted"]) for b in boundaries] == [
        ("medium", 12, 13, 12)
    ]
    assert (
        (folder / "report.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    )
    assert ET.parse(folder / "junit.xml").getroot().tag == "testsuites"
    assert len((folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert "13 are the first to fail" in out
    assert containers_of_runs(client) == []


def test_a_run_is_recorded_compared_with_the_next_and_shown_again(place: Path) -> None:
    history = [*SMALL, "--baseline", "last"]
    code, out, err = finish(start(place, *history))
    assert code == 0, out + err
    assert "no baseline yet" in out
    metrics = place / "capacity.prom"
    code, out, err = finish(start(place, *history, "--prometheus", str(metrics)))
    assert code in (0, 1), out + err  # latencies of two runs alone may differ
    assert "against last good run" in out
    assert "boundary:medium" in out
    text = metrics.read_text(encoding="utf-8")
    held = 'automaker_capacity_boundary_holds_agents{reading="GB",workload="medium"} 12.0'
    assert held in text
    first, second = sorted(one.name for one in (place / "reports").glob("2*"))
    assert (place / "reports" / second / "comparison.json").exists()
    assert second in (place / "reports" / "history.html").read_text(encoding="utf-8")
    code, out, _ = finish(start(place, "--compare", first, second))
    assert code in (0, 1)
    assert f"run {second}" in out
    page = place / "reports" / first / "report.html"
    page.unlink()
    code, out, err = finish(start(place, "--report-only", str(page.parent)))
    assert code == 0, err
    assert page.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--baseline", "nonsense"], "nothing was recorded yet"),
        (["--baseline", "none/summary.json"], "No such file or directory"),
        (["--compare", "a", "b"], "nothing was recorded yet"),
        (["--report-only", "nowhere"], "nowhere"),
    ],
)
def test_a_run_that_is_not_there_is_found_out_before_anything_is_measured(
    options: list[str], words: str, place: Path
) -> None:
    code, out, err = finish(start(place, *SMALL, *options))
    assert code == 2
    assert_one_clear_error(err)
    assert words in " ".join(err.split())
    assert "trial" not in out


def test_a_limit_of_half_the_size_refutes_the_guide_with_exit_code_1(place: Path) -> None:
    code, out, err = finish(start(place, *SMALL, "--limit", "24G"))
    assert code == 1, out + err
    assert "refuted" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_campaign_keeps_what_it_has_and_leaves_nothing_running(
    number: signal.Signals,
    running: subprocess.Popen[str],
    place: Path,
    client: docker.DockerClient,
) -> None:
    running.send_signal(number)
    code, _, err = finish(running, 30)
    assert code == 130
    assert "Traceback" not in err
    [summary] = (place / "reports").glob("2*/summary.json")
    assert json.loads(summary.read_text(encoding="utf-8"))["exit_code"] == 130
    assert not (place / "reports" / "latest").exists(), "nothing was measured that is worth it"
    assert containers_of_runs(client) == []
    assert processes_below(place) == []


def test_the_next_run_removes_what_a_killed_one_left_behind(
    running: subprocess.Popen[str], place: Path, client: docker.DockerClient
) -> None:
    running.send_signal(signal.SIGKILL)
    finish(running)
    assert containers_of_runs(client), "a killed process cannot clean up: nothing was tested"
    code, out, err = finish(start(place, *SMALL))
    assert code == 0, out + err
    assert "removed what an earlier run left behind" in out
    assert containers_of_runs(client) == []
    assert processes_below(place) == []


def test_invoke_clean_removes_what_a_killed_run_left_behind(
    running: subprocess.Popen[str], client: docker.DockerClient
) -> None:
    running.send_signal(signal.SIGKILL)
    finish(running)
    left = containers_of_runs(client)
    invoke = [sys.executable, "-m", "invoke", "clean"]
    dry = subprocess.run(
        [*invoke, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert f"would remove container {left[0]}" in dry.stdout
    assert containers_of_runs(client) == left
    done = subprocess.run(
        [*invoke, "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout)["removed"] == [f"container {name}" for name in left]
    assert containers_of_runs(client) == []


def test_a_second_campaign_at_the_same_time_is_refused_and_harms_nothing(
    running: subprocess.Popen[str], place: Path
) -> None:
    code, _, err = finish(start(place, *SMALL))
    assert code == 2
    assert_one_clear_error(err)
    assert f"process {running.pid}" in err
    first_code, out, first_err = finish(running)
    assert first_code == 0, out + first_err


@pytest.fixture
def full_disk(place: Path) -> Iterator[Path]:
    folder = place / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_one_clear_error_and_earlier_reports_stay(
    place: Path, full_disk: Path, client: docker.DockerClient
) -> None:
    earlier = full_disk / "earlier" / "summary.json"
    earlier.parent.mkdir()
    earlier.write_text("{}", encoding="utf-8")
    with contextlib.suppress(OSError), (full_disk / "filler").open("wb") as filler:
        for _ in range(64):
            filler.write(b"\0" * 1024)
            filler.flush()
    code, _, err = finish(start(place, *SMALL, "--out", str(full_disk)))
    assert code == 2
    assert_one_clear_error(err)
    assert "No space left on device" in err
    assert earlier.read_text(encoding="utf-8") == "{}"
    assert containers_of_runs(client) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission_on_the_docker_socket_says_what_to_do() -> None:
    code = (
        "import os; os.setgid(65534); os.setgroups([]); os.setuid(65534)\n"
        "from loadtest.rig.engine import connect\n"
        "from loadtest.rig.errors import RigError\n"
        "try:\n    connect().__enter__()\n"
        "except RigError as error:\n    print(error, *error.__notes__)"
    )
    # Modules are loaded before the change of user, who may not read this checkout.
    prelude = "import loadtest.rig.engine, loadtest.rig.errors\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no permission on the Docker socket" in done.stdout, done.stderr
    assert "usermod -aG docker" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workload", "huge"], "unknown workload 'huge': choose from small, medium"),
        (["--plan", "slow"], "unknown plan 'slow': choose from quick, release"),
        (["--runs", "0"], "at least one ramp"),
        (["--limit", "4000G", "--scale", "1"], "choose a smaller --scale"),
    ],
)
def test_options_that_make_no_sense_are_one_line_and_exit_code_2(
    options: list[str], words: str, place: Path
) -> None:
    code, _, err = finish(start(place, *options))
    assert code == 2
    assert_one_clear_error(err)
    assert words in " ".join(err.split())
    assert not (place / "reports").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scale", "0"], "must be above 0"),
        (["--scale", "2"], "at most 1"),
        (["--scale", "1/0"], "is not auto, 1 or a fraction"),
        (["--limit", "48"], "needs a unit"),
        (["--limit", "48 Gigs"], "unknown unit"),
    ],
)
def test_values_that_cannot_be_read_are_usage_errors(
    options: list[str], words: str, place: Path
) -> None:
    code, _, err = finish(start(place, *options))
    assert code == 2
    assert "Traceback" not in err
    assert words in err


def test_no_engine_is_one_line_with_the_command_that_helps(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loadtest", "--out", str(place / "reports"), *SMALL],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": f"unix://{place}/nothing.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert_one_clear_error(done.stderr)
    assert "invoke provision" in done.stderr
    assert not (place / "reports").exists()


def test_a_missing_compose_file_says_how_to_bring_it_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "STAGING_FILE", tmp_path / "gone.yml")
    with pytest.raises(ComposeError, match=r"gone\.yml: missing") as caught:
        campaign.staging_limits()
    assert caught.value.__notes__ == ["bring it back: git checkout -- compose/"]


def test_a_dry_run_prints_plan_memory_and_time_and_starts_nothing(
    place: Path, client: docker.DockerClient
) -> None:
    code, out, err = finish(start(place, "--dry-run"))
    assert code == 0, err
    for words in ("ramp small", "stable mixed", "cap medium-large", "memory: a limit of", "time:"):
        assert words in out
    assert containers_of_runs(client) == []
    assert not (place / "reports").exists()
