"""The reports of an earlier run, made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest import outcome as record
from loadtest.rerender import RerenderError, of_version_1, rerender
from loadtest.summary import Summary
from tests.loadtest.report import example_campaign as example

PAGE, JUNIT = "report.html", "junit.xml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run whose reports were lost."""
    (tmp_path / "summary.json").write_text(example.summary().to_json(), encoding="utf-8")
    for outcome in (example.outcome(), example.scenario()):
        record.append(tmp_path / "trials.jsonl", outcome)
    samples = tmp_path / example.outcome().samples_file
    samples.parent.mkdir()
    samples.write_text(
        "t_s,usage,anon,file,swap,agents,oom_kills,health_ms\n0.1,9,9,0,0,1,0,\n0.2,9,9,0,0,1,0,\n"
    )
    return tmp_path


def rewrite(folder: Path, **changes: Any) -> dict[str, Any]:
    """The summary with other values in it."""
    path = folder / "summary.json"
    written: dict[str, Any] = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(written))
    return written


def as_version_1(folder: Path) -> None:
    """Take out of the summary what schema 1 did not know."""
    path = folder / "summary.json"
    written = json.loads(path.read_text()) | {"schema": 1}
    for record_, names in (
        (written, ("chances", "origin")),
        *((c, ("section", "kind", "workload", "holds", "fails_at", "reading"))
          for c in written["claims"]),
        *((b, ("reading",)) for b in written["boundaries"]),
    ):  # fmt: skip
        for name in names:
            del record_[name]
    path.write_text(json.dumps(written))


def test_page_and_junit_are_made_again_with_trials_and_samples(folder: Path) -> None:
    before = (folder / "summary.json").read_bytes()
    assert rerender(folder) == folder / PAGE
    html = (folder / PAGE).read_text(encoding="utf-8")
    assert "no samples" not in html
    assert "Situation, restart resumes" in html
    assert (folder / JUNIT).exists()
    assert (folder / "summary.json").read_bytes() == before, "the result is not touched"


def test_a_run_of_schema_1_can_still_be_read(folder: Path) -> None:
    as_version_1(folder)
    rerender(folder)
    html = (folder / PAGE).read_text(encoding="utf-8")
    assert "Medium agents: 10-12 at once" in html
    assert "claimed: 12 hold" in html, "the guide's numbers are read from the words"


@pytest.mark.parametrize(
    ("expected", "unit", "kind"),
    [
        ("4.00 GB within 1%", "GB (1e9 bytes)", "memory"),
        ("12 hold, 13 fail", "agents", "boundary"),
        ("8 run, none lost", "agents", "stable"),
        ("never more than 7", "agents", "cap"),
        ("server-oom", "agents", "failure-mode"),
    ],
)
def test_the_kind_of_a_claim_of_schema_1_is_read_from_its_words(
    expected: str, unit: str, kind: str
) -> None:
    claim = {"expected": expected, "unit": unit, "trials": ["ramp-large-1"]}
    [read] = of_version_1({"claims": [claim]}, {"ramp-large-1": "large"})["claims"]
    assert (read["kind"], read["workload"]) == (kind, "large")


def test_a_run_that_ended_before_its_first_trial_has_a_page(folder: Path) -> None:
    (folder / "trials.jsonl").unlink()
    rerender(folder)
    assert "No trial was run." in (folder / PAGE).read_text(encoding="utf-8")


def test_a_folder_that_is_no_run_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RerenderError, match=r"summary\.json: missing: name the folder of a run"):
        rerender(tmp_path / "nowhere")


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_another_version_is_named(folder: Path, version: object) -> None:
    rewrite(folder, schema=version)
    with pytest.raises(RerenderError, match=rf"schema {version!r}; this version reads 1 and 2"):
        rerender(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\x00"])
def test_a_broken_summary_is_one_line(folder: Path, text: str) -> None:
    (folder / "summary.json").write_text(text)
    with pytest.raises(RerenderError, match=r"summary\.json: [^\n]+$"):
        rerender(folder)


def test_a_summary_of_schema_2_that_lacks_something_says_what(folder: Path) -> None:
    rewrite(folder, claims=[{}])
    with pytest.raises(RerenderError, match=r"not a summary: claims\.0\.id: Field required"):
        rerender(folder)


def test_trials_of_another_version_say_where(folder: Path) -> None:
    (folder / "trials.jsonl").write_text('{"strange": 1}\n')
    with pytest.raises(RerenderError, match=r"trials\.jsonl: not the trials of this version"):
        rerender(folder)


def test_broken_samples_are_named_with_their_line(folder: Path) -> None:
    path = folder / example.outcome().samples_file
    path.write_text(path.read_text().replace("0.1,9", "soon,9"))
    with pytest.raises(RerenderError, match=r"ramp-medium-1\.csv:2: not a sample"):
        rerender(folder)


def test_what_is_written_is_a_summary_of_this_version(folder: Path) -> None:
    assert Summary.read(folder / "summary.json").schema_version == 2
