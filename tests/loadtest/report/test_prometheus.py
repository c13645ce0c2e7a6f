"""Metrics of a campaign as a collector reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.history.verdicts import Comparison, Finding
from loadtest.outcome import Health, Outcome
from loadtest.report.prometheus import write_textfile
from loadtest.summary import ClaimResult, Summary

Read = dict[tuple[str, tuple[str, ...]], float]


def read(path: Path) -> Read:
    """Every sample: name without its prefix, values of its labels in the order of their names."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    samples = [one for family in families for one in family.samples]
    return {
        (
            one.name.removeprefix("automaker_capacity_"),
            tuple(value for _, value in sorted(one.labels.items())),
        ): one.value
        for one in samples
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "textfile" / "capacity.prom"


def test_every_figure_of_a_campaign_is_there(
    path: Path,
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    outcome: Outcome,
) -> None:
    claims = (
        make_claim(),
        make_claim(),
        make_claim(verdict="refuted"),
        make_claim(verdict="refuted", gating=False),
        make_claim(verdict="not-run", selected=False),
    )
    origin = {"commit": "ab12cd34"}
    write_textfile(path, make_summary(claims=claims, origin=origin), None, (outcome,))
    found = read(path)
    assert found["run_timestamp_seconds", ()] == 1795466472
    assert found["run_duration_seconds", ()] == 125
    assert found["exit_code", ()] == 1
    assert found["claims", ("confirmed",)] == 2
    assert found["claims", ("refuted",)] == 1, "one does not gate"
    assert found["claims", ("inconclusive",)] == 0
    assert found["claims", ("not-run",)] == 0, "it was not asked for"
    assert found["boundary_holds_agents", ("GB", "medium")] == 12
    assert found["boundary_fails_agents", ("GB", "medium")] == 13
    assert ("boundary_holds_agents", ("GB", "mixed")) not in found, "nothing is known of it"
    assert found["agent_memory_bytes", ("medium", "claimed")] == 4e9
    assert found["agent_memory_bytes", ("medium", "measured")] == 4.01e9
    assert ("agent_memory_bytes", ("large", "measured")) not in found
    assert found["base_memory_bytes", ()] == 60_000_000
    assert found["health_p50_seconds", ()] == 0.002
    assert found["run_info", ("ab12cd34", "scaled", "quick", "0.0625", "standin")] == 1
    assert not any(name == "regressed" for name, _ in found), "there was no baseline"


def test_server_figures_are_medians_of_the_trials_that_count(
    path: Path, summary: Summary, make_outcome: Callable[..., Outcome]
) -> None:
    outcomes = [
        make_outcome(base_bytes=base, health=Health(p50_ms=p50), status=status, reason="missed")
        for base, p50, status in [
            (50_000_000, 1.0, "measured"),
            (60_000_000, 3.0, "measured"),
            (90_000_000, 4.0, "measured"),
            (1, 99.0, "invalid"),
        ]
    ]
    write_textfile(path, summary, None, outcomes)
    assert read(path)["base_memory_bytes", ()] == 60_000_000
    assert read(path)["health_p50_seconds", ()] == 0.003


def test_without_outcomes_nothing_is_said_of_the_server(path: Path, summary: Summary) -> None:
    write_textfile(path, summary)
    assert not {"base_memory_bytes", "health_p50_seconds"} & {name for name, _ in read(path)}


def test_each_metric_says_whether_it_got_worse(path: Path, summary: Summary) -> None:
    findings = (
        Finding("agent-memory:small", "regressed", "+20 %"),
        Finding("boundary:medium", "improved", "12 -> 13"),
        Finding("base-memory", "unclear", "one sample"),
    )
    write_textfile(path, summary, Comparison("a", "last", ("b",), "a kind", findings))
    found = read(path)
    assert found["regressed", ("agent-memory:small",)] == 1
    assert found["regressed", ("boundary:medium",)] == 0
    assert found["regressed", ("base-memory",)] == 0


def test_names_that_would_break_a_line_are_escaped(
    path: Path, make_summary: Callable[..., Summary]
) -> None:
    odd = 'quo"te\\ back\nslash'
    write_textfile(path, make_summary(agents={odd: {"claimed_bytes": 1.0}}, plan=odd))
    assert read(path)["agent_memory_bytes", (odd, "claimed")] == 1


def test_every_metric_is_explained_and_typed(path: Path, summary: Summary) -> None:
    write_textfile(path, summary)
    lines = path.read_text(encoding="utf-8").splitlines()
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    for name in names:
        assert name.startswith("automaker_capacity_")
        assert any(line.startswith(f"# HELP {name} ") and len(line.split()) > 4 for line in lines)
        assert f"# TYPE {name} gauge" in lines


def test_the_file_is_replaced_in_one_step_and_readable_for_the_collector(
    path: Path, summary: Summary
) -> None:
    write_textfile(path, summary)
    first = path.stat()
    write_textfile(path, summary)
    assert path.stat().st_ino != first.st_ino
    assert path.stat().st_mode & 0o444 == 0o444
    assert [one.name for one in path.parent.iterdir()] == ["capacity.prom"]


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(
    tmp_path: Path, summary: Summary
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        write_textfile(tmp_path / "file" / "a.prom", summary)
