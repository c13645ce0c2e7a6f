"""Where the figures of an advice come from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from loadtest import campaign
from loadtest.advise.figures import DEFAULT_BASE, gather
from loadtest.advise.options import Request
from settings.errors import SettingsError
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.advise.reports import report

SETTINGS = load_settings()
SPREAD = SETTINGS.loadtest.plans["release"].spread


def test_the_settings_give_the_agents_and_their_spread() -> None:
    figures = gather(Request(memory=48 * GIB), SETTINGS)
    medium = figures.model.classes["medium"]
    assert (medium.mean, medium.variation) == (4e9, SPREAD.variation)
    assert figures.model.weights == SETTINGS.agents.mixes["mixed"].weights
    assert figures.model.drawn
    assert (figures.model.limit, figures.model.base) == (48 * GIB, DEFAULT_BASE)
    assert figures.origin["agents"] == "settings/agents.toml: the guide's estimates"


def test_the_limit_is_the_staging_models_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaign, "staging_limits", lambda: SimpleNamespace(memory_bytes=7 * GIB))
    figures = gather(Request(), SETTINGS)
    assert figures.model.limit == 7 * GIB
    assert figures.origin["memory"] == "the staging model: services.server.mem_limit"


def test_options_go_first_and_are_named_as_the_origin() -> None:
    request = Request(memory=GIB, spread=0.3, runaways=(0.02, 3.0), base=10**9)
    figures = gather(request, SETTINGS)
    model = figures.model
    assert (model.limit, model.base) == (GIB, 10**9)
    assert {one.variation for one in model.classes.values()} == {0.3}
    assert (model.runaway_share, model.runaway_factor) == (0.02, 3.0)
    origin = dict(figures.origin)
    del origin["agents"]
    assert origin == {name: f"--{name}" for name in ("memory", "base", "spread", "runaways")}


def test_a_report_gives_what_it_measured_at_true_size(tmp_path: Path) -> None:
    folder = report(tmp_path / "run-1")
    figures = gather(Request(mix="medium", folder=folder), SETTINGS)
    medium = figures.model.classes["medium"]
    assert medium.mean == pytest.approx(5e9, rel=0.05)
    assert medium.variation == pytest.approx(0.1, rel=0.3)
    assert figures.model.limit == 40 * GIB
    assert figures.origin["agents"] == (
        "run-1: synthetic agents measured at scale 0.0625: 60 medium"
    )
    assert figures.origin["memory"] == "run-1: the limit it tested"


def test_the_stand_ins_own_memory_is_not_taken_for_a_real_servers(tmp_path: Path) -> None:
    figures = gather(Request(mix="medium", folder=report(tmp_path / "run-1")), SETTINGS)
    assert figures.model.base == DEFAULT_BASE
    assert "the stand-in's 50.0 MB says nothing" in figures.origin["base"]


def test_a_real_servers_own_memory_is_believed(tmp_path: Path) -> None:
    folder = report(tmp_path / "run-1", target="automaker")
    assert gather(Request(mix="medium", folder=folder), SETTINGS).model.base == 50_000_000


def test_options_go_before_a_report(tmp_path: Path) -> None:
    request = Request(
        mix="medium", folder=report(tmp_path / "run-1"), memory=GIB, spread=0.5, base=1
    )
    model = gather(request, SETTINGS).model
    assert (model.limit, model.base, model.classes["medium"].variation) == (GIB, 1, 0.5)


def test_a_class_that_was_not_measured_is_named(tmp_path: Path) -> None:
    folder = report(tmp_path / "run-1")
    with pytest.raises(SettingsError, match=r"no agent 'small' was measured in run-1.*: medium$"):
        gather(Request(mix="small=50,medium=50", folder=folder), SETTINGS)


def test_a_class_of_no_weight_need_not_be_measured(tmp_path: Path) -> None:
    folder = report(tmp_path / "run-1")
    gather(Request(mix="small=0,medium=100", folder=folder), SETTINGS)


def test_a_folder_that_is_no_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"summary\.json: No such file"):
        gather(Request(folder=tmp_path, memory=GIB), SETTINGS)


@pytest.mark.parametrize("name", ["summary.json", "trials.jsonl"])
def test_a_file_of_another_version_is_named(tmp_path: Path, name: str) -> None:
    folder = report(tmp_path / "run-1")
    (folder / name).write_text('{"schema": 1}\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{name}: not written by this version"):
        gather(Request(mix="medium", folder=folder), SETTINGS)
