"""The command as people and programs meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compose.errors import ComposeError
from loadtest import campaign
from loadtest.advise.__main__ import main
from tests.loadtest.advise.reports import report

ASKED = ["--memory", "64GiB", "--mix", "small=60,medium=30,architectural=10"]


@pytest.fixture(autouse=True)
def _no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ComposeError("docker: no such program on this host", next_step="install docker")

    monkeypatch.setattr(campaign, "staging_limits", missing)


def test_advice_names_the_number_its_curve_what_changes_it_and_its_origin(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(ASKED) == 0
    text = capsys.readouterr().out
    assert text.startswith("maxConcurrency: 18, at a risk of 1 %\n")
    assert "<- maxConcurrency" in text
    assert "what changes it most" in text
    assert "settings/agents.toml: the guide's estimates" in text
    assert "The guide's rule of thumb for this mix: 8" in text


def test_away_from_a_terminal_the_text_is_plain_and_100_columns_wide(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(ASKED)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_more_risk_allows_more_agents(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = []
    for risk in ("0.1%", "1%", "20%"):
        main([*ASKED, "--risk", risk, "--json"])
        numbers.append(json.loads(capsys.readouterr().out)["by_memory"])
    assert numbers == sorted(set(numbers))


def test_the_servers_cap_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--memory", "64GiB", "--mix", "small"]) == 0
    assert "maxConcurrency: 20, the server's own cap; 33 by memory" in capsys.readouterr().out


def test_where_no_agent_fits_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--memory", "2GiB", "--mix", "large"]) == 1
    assert "maxConcurrency: none; not even one agent" in capsys.readouterr().out


def test_json_holds_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data) == {
        "schema", "max_concurrency", "by_memory", "cap", "guide", "risk", "memory_bytes",
        "base_bytes", "mix", "agents", "runaways", "curve", "effects", "origin",
    }  # fmt: skip
    assert (data["schema"], data["max_concurrency"], data["cap"], data["guide"]) == (1, 18, 20, 8)
    assert data["memory_bytes"] == 64 * 2**30
    assert data["mix"] == {"small": 60, "medium": 30, "architectural": 10}
    assert data["agents"]["small"] == {"mean": 2e9, "variation": 0.02}
    assert set(data["curve"][0]) == {"agents", "p_failure"}
    assert set(data["effects"][0]) == {"change", "agents", "difference", "p_failure"}
    assert set(data["origin"]) == {"memory", "base", "agents", "spread", "runaways"}


@pytest.mark.parametrize(
    ("mix", "says"),
    [
        ("tiny=100", "'tiny' is no agent class; classes: small, medium"),
        ("small=60,medium=30", "weights sum to 90, not to 100"),
        ("small=60%,medium=40%", "is not of the form class=percent"),
        ("blend", "'blend' is none of: small"),
    ],
)
def test_a_mix_that_cannot_be_used_is_one_line(
    mix: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--memory", "64GiB", "--mix", mix]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: --mix: ")
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_without_docker_the_way_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: docker: no such program on this host",
        "  -> install docker",
        "  -> or give the server's memory limit: --memory 48GiB needs no Docker at all",
    ]


def test_a_report_replaces_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = report(tmp_path / "run-1", mean=8e9)
    assert main(["--from", str(folder), "--mix", "medium"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("maxConcurrency: 4, ")
    assert "run-1: synthetic agents measured" in text
    assert "40.00 GiB" in text


def test_a_folder_without_a_report_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
