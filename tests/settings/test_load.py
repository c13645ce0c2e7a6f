"""The settings files: the shipped ones load, and broken ones say everything that is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from settings.errors import SettingsError
from settings.load import FOLDER, load_settings
from settings.models import AgentClass, Agents, BoundaryClaim, MemoryClaim

FILES = ("agents.toml", "claims.toml", "loadtest.toml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files, to be spoiled."""
    for name in FILES:
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} no longer says {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(folder)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def test_the_shipped_files_load_and_say_what_the_guide_says() -> None:
    settings = load_settings()
    memory = {name: row.memory for name, row in settings.agents.classes.items()}
    assert memory == {
        "small": 2 * 10**9,
        "medium": 4 * 10**9,
        "large": 5 * 10**9,
        "architectural": 6 * 10**9,
    }
    turns = [row.turns for row in settings.agents.classes.values()]
    assert turns == [200, 500, 750, 1000]
    crash = settings.claims["crash-at-13"]
    assert isinstance(crash, BoundaryClaim)
    assert (crash.holds, crash.fails_at, crash.gating) == (12, 13, True)
    assert set(settings.loadtest.plans) == {"quick", "release", "boundary", "regression"}
    assert settings.loadtest.small_scale == 1 / 16


def test_memory_claims_and_agent_classes_agree() -> None:
    settings = load_settings()
    for claim in settings.claims.values():
        if isinstance(claim, MemoryClaim):
            assert claim.expected == settings.agents.classes[claim.workload].memory


def test_a_copy_elsewhere_loads_too(folder: Path) -> None:
    assert load_settings(folder) == load_settings()


def test_a_workload_is_a_mix_or_a_class_with_all_the_weight() -> None:
    agents = load_settings().agents
    assert agents.weights("medium-large") == {"medium": 50, "large": 50}
    assert agents.weights("large") == {"large": 100}
    assert agents.workloads()[:4] == list(agents.classes)
    with pytest.raises(KeyError):
        agents.weights("gigantic")


ROWS = [
    ("agents.toml", 'model = "haiku"', 'model = "haiku"\ncolour = "red"',
     "classes.small.colour: unknown key", "a key that nobody reads is a mistake"),
    ("agents.toml", "turns = 200", 'turns = "200"',
     "classes.small.turns: Input should be a valid integer", "text is no number"),
    ("agents.toml", "turns = 200", "turns = 0",
     "classes.small.turns: Input should be greater than or equal to 1", "no session without turns"),
    ("agents.toml", "turns = 200\n", "",
     "classes.small.turns: Field required", "a key that was forgotten"),
    ("agents.toml", 'memory = "2 GB"', 'memory = "2"',
     "classes.small.memory: '2' needs a unit, such as '2 GB' or '2 GiB'", "GB or GiB?"),
    ("agents.toml", 'memory = "2 GB"', "memory = 2000000000",
     "classes.small.memory: 2000000000 needs a unit", "a bare number of bytes"),
    ("agents.toml", 'model = "haiku"', 'model = "gpt"',
     "classes.small.model: Input should be 'haiku', 'sonnet' or 'opus'", "no such model"),
    ("agents.toml", "small = 25", "small = 24",
     "mixes.mixed: weights sum to 99, not to 100", "one percent is lost"),
    ("agents.toml", "small = 25", "small = -25",
     "mixes.mixed.weights.small: Input should be greater than or equal to 0", "a negative share"),
    ("agents.toml", "small = 25", "tiny = 25",
     "mix 'mixed' names the unknown class 'tiny'", "a mix of nobody knows whom"),
    ("agents.toml", "[mixes.medium-large.weights]", "[mixes.medium.weights]",
     "'medium' is both a class and a mix", "which of the two would be meant?"),
    ("agents.toml", "[classes.small]", "[classes.small",
     "not valid TOML: ", "a bracket is missing"),
    ("claims.toml", 'workload = "small"', 'workload = "tiny"',
     "claim 'memory-small' names the unknown workload 'tiny'", "nobody could run it"),
    ("claims.toml", 'kind = "memory"', 'kind = "memories"',
     "claims.memory-small: Input tag 'memories' found using 'kind'", "no such kind of claim"),
    ("claims.toml", "tolerance = 0.01", "tolerance = 1.01",
     "claims.memory-small.memory.tolerance: Input should be less than or equal to 1", "a share"),
    ("claims.toml", "holds = 20", "holds = 20\nfails = 21",
     "claims.concurrent-small-low.boundary.fails: unknown key", "it is called fails_at"),
    ("claims.toml", "max_concurrency = 10", "max_concurrency = 21",
     "claims.cap-10-small.cap.max_concurrency: Input should be less than or equal to 20",
     "the server's own ceiling"),
    ("loadtest.toml", "small_scale = 0.0625", "small_scale = 0",
     "small_scale: Input should be greater than 0", "nothing is no scale"),
    ("loadtest.toml", 'huge_pages = "auto"', 'huge_pages = "yes"',
     "swarm.huge_pages: Input should be 'auto'", "no such choice"),
    ("loadtest.toml", 'host_reserve = "1 GiB"', "host_reserve = 1",
     "thresholds.host_reserve: 1 needs a unit", "one what?"),
    ("loadtest.toml", "runs = 3\n", "runs = 0\n",
     "plans.quick.runs: Input should be greater than or equal to 1", "no ramp at all"),
    ("claims.toml", "holds = 20\n", "",
     "claims.concurrent-small-low.boundary: needs holds, fails_at or fails_by", "says nothing"),
    ("claims.toml", 'section = "Overview"\n', "",
     "claims.simultaneous-6.boundary.section: Field required", "the guide's order needs it"),
    ("claims.toml", 'reading = "GiB"', 'reading = "GO"',
     "reading: Input should be 'GB' or 'GiB'", "no such unit"),
    ("loadtest.toml", "variation = 0.02", "variation = 2",
     "plans.release.spread.variation: Input should be less than 1", "2 is not 2 %"),
    ("loadtest.toml", "level = 0.95", "level = 95",
     "confidence.level: Input should be less than 1", "nor is 95"),
    ("loadtest.toml", "agent-memory = { relative = 0.01 }", "agent-memory = { percent = 1 }",
     "tolerances.agent-memory.percent: unknown key", "it is called relative"),
    ("loadtest.toml", "busy_memory = 0.6", "busy_memory = 60",
     "schedule.busy_memory: Input should be less than or equal to 1", "a share"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "says", "why"), ROWS)
def test_a_broken_setting_is_named_with_file_and_key_path(
    folder: Path, file: str, old: str, new: str, says: str, why: str
) -> None:
    spoil(folder / file, old, new)
    [problem] = problems_of(folder)
    assert problem.startswith(f"{folder / file}: "), why
    assert says in problem, why


def test_all_problems_of_all_files_come_at_once(folder: Path) -> None:
    spoil(folder / "agents.toml", 'memory = "2 GB"', 'memory = "2"')
    spoil(folder / "agents.toml", "turns = 500", 'turns = "many"')
    spoil(folder / "agents.toml", "small = 25", "small = 26")
    spoil(folder / "claims.toml", "holds = 20", "hold = 20")
    (folder / "loadtest.toml").write_text("small_scale = = 1", encoding="utf-8")
    problems = problems_of(folder)
    assert [problem.removeprefix(f"{folder}/").split(": ")[:2] for problem in problems] == [
        ["agents.toml", "classes.small.memory"],
        ["agents.toml", "classes.medium.turns"],
        ["agents.toml", "mixes.mixed"],
        ["claims.toml", "claims.concurrent-small-low.boundary.hold"],
        ["loadtest.toml", "not valid TOML"],
    ]


def test_missing_files_are_named_one_and_all(folder: Path) -> None:
    for name in FILES:
        (folder / name).unlink()
    assert problems_of(folder) == [
        f"{folder / name}: cannot be read: No such file or directory" for name in FILES
    ]


def test_a_folder_in_place_of_a_file_cannot_be_read(folder: Path) -> None:
    (folder / "claims.toml").unlink()
    (folder / "claims.toml").mkdir()
    assert problems_of(folder) == [f"{folder / 'claims.toml'}: cannot be read: Is a directory"]


def test_a_file_that_is_not_text_is_not_valid_toml(folder: Path) -> None:
    (folder / "claims.toml").write_bytes(b"\xff\xfe\x00claims")
    [problem] = problems_of(folder)
    assert problem.startswith(f"{folder / 'claims.toml'}: not valid TOML: ")


def test_an_empty_file_lacks_its_keys(folder: Path) -> None:
    (folder / "agents.toml").write_text("", encoding="utf-8")
    assert problems_of(folder) == [
        f"{folder / 'agents.toml'}: classes: Field required",
        f"{folder / 'agents.toml'}: mixes: Field required",
    ]


def test_settings_do_not_change_after_loading() -> None:
    row: AgentClass = load_settings().agents.classes["small"]
    with pytest.raises(ValueError, match="frozen"):
        row.turns = 1  # type: ignore[misc]


def test_a_mix_may_leave_a_class_out_and_give_another_nothing() -> None:
    small = load_settings().agents.classes["small"].model_dump(mode="python")
    small = {**small, "memory": "2 GB", "start": "1 MB", "burst": 0, "leak_per_turn": 0}
    agents = Agents.model_validate(
        {"classes": {"a": small, "b": small}, "mixes": {"m": {"weights": {"a": 100, "b": 0}}}}
    )
    assert agents.weights("m") == {"a": 100, "b": 0}
