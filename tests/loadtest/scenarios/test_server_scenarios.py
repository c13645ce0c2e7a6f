"""Each scenario holds on the stand-in as it is, and is broken by breaking what it looks at."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.standin import (
    app,
    automode,
    config,
    execution,
    ratelimit,
    scheduler,
    server,
    server_settings,
    store,
)
from loadtest.standin.call import Call
from loadtest.standin.features import status_change
from loadtest.standin.leases import Lease, Leases
from loadtest.standin.server import Answer, Endpoint, Server
from tests.loadtest.scenarios.fake_world import play
from tests.loadtest.standin.fakes import FakeAgent

HELD = (
    "settings-global",
    "settings-project",
    "precedence",
    "system-cap",
    "change-while-running",
    "simultaneous-starts",
    "simultaneous-runs",
    "run-while-full",
    "uses-all-slots",
    "agent-killed",
    "queue-goes-on",
    "stop-feature",
    "stop-under-loop",
    "done-by-hand",
    "done-not-again",
    "dependencies",
    "stop-and-start",
    "drain",
    "restart-amid-work",
    "crash-amid-work",
    "always-on",
    "calm-after-crash",
    "same-basename",
    "many-projects",
    "no-starvation",
)
BROKEN_AT_THE_REFERENCE = (
    "sample-settings-global",
    "sample-settings-project",
    "trailing-slash",
    "cap-across-projects",
    "same-feature-id",
)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """More requests a minute than a server answers, since these stories run ten times as fast."""
    limit = ratelimit.RateLimit(100_000, 60, "too many")
    monkeypatch.setattr(server, "api_limit", lambda: limit)


@pytest.mark.parametrize("name", HELD)
def test_the_stand_in_does_what_the_guide_and_the_contract_say(name: str, tmp_path: Path) -> None:
    seen = play(name, tmp_path)
    assert seen.verdict == "held", seen


@pytest.mark.parametrize("name", BROKEN_AT_THE_REFERENCE)
def test_what_the_reference_server_does_not_do_is_said(name: str, tmp_path: Path) -> None:
    seen = play(name, tmp_path)
    assert seen.verdict == "broken", seen


# --- sabotage: what is broken in the stand-in -------------------------------------------------

Break = Callable[[pytest.MonkeyPatch], None]
real_resolve = server_settings.resolve_max_concurrency


def resolved(change: Callable[..., Any]) -> Break:
    """The limit of a loop is worked out otherwise."""
    return lambda patch: patch.setattr(automode, "resolve_max_concurrency", change)


def one_above(*arguments: Any) -> float:
    return real_resolve(*arguments) + 1


def uncapped(settings: Any, project: str, branch: Any, requested: Any, cap: int) -> float:
    return real_resolve(settings, project, branch, requested, 1000)


def request_ignored(settings: Any, project: str, branch: Any, requested: Any, cap: int) -> float:
    return real_resolve(settings, project, branch, None, cap)


def as_the_guide_has_it(settings: Any, project: str, *_: Any) -> float:
    own = Path(project, ".automaker", "settings.json")
    found = json.loads(own.read_text()) if own.exists() else settings
    return float(found["autoMode"]["maxConcurrency"])


def frozen_for_ever(patch: pytest.MonkeyPatch) -> None:
    first: dict[str, float] = {}

    def resolve(settings: Any, project: str, *rest: Any) -> float:
        return first.setdefault(project, real_resolve(settings, project, *rest))

    patch.setattr(automode, "resolve_max_concurrency", resolve)


def no_project_setting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(server_settings, "_worktree_concurrency", lambda *_: None)


def no_upper_clamp(patch: pytest.MonkeyPatch) -> None:
    def clamp(value: str | None) -> int:
        found = server_settings.parse_int(value or "")
        return 2 if found is None else max(1, found)

    patch.setattr(config, "clamp_system_concurrency", clamp)


def a_loop_for_every_start(patch: pytest.MonkeyPatch) -> None:
    async def start(known: Server, call: Call) -> Answer:
        body = call.fields()
        known.auto_mode.start(body["projectPath"], None, body.get("maxConcurrency"))
        return {"success": True, "message": "started"}

    patch.setitem(app.ROUTES, ("POST", "/api/auto-mode/start"), Endpoint(start))


def no_limit_by_hand(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(automode.AutoMode, "limit_of", lambda *_: math.inf)


def slot_kept_at_stop(patch: pytest.MonkeyPatch) -> None:
    def take_away(self: Leases, feature_id: str) -> Lease | None:
        lease = self._held.get(feature_id)
        if lease:
            lease.stopped = True
        return lease

    async def never(*_: Any) -> None:
        return None

    patch.setattr(Leases, "take_away", take_away)
    patch.setattr(execution.Executor, "stop", never)


def deaf_agents(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FakeAgent, "stop", lambda self: None)


def runs_what_failed_again(patch: pytest.MonkeyPatch) -> None:
    def change(feature: Any) -> Mapping[str, Any]:
        return status_change(feature, "backlog", "again")

    patch.setattr(execution, "_blocked", lambda reason: change)


def resumes_what_is_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(automode, "is_transient", lambda status: status != "backlog")


def ignores_dependencies(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scheduler, "blocking_dependencies", lambda feature, done: [])


def forgets_agents_at_stop(patch: pytest.MonkeyPatch) -> None:
    real = automode.AutoMode.stop

    def stop(self: automode.AutoMode, project: str, branch: str | None) -> int:
        count = real(self, project, branch)
        for lease in self.leases.of(project):
            self.leases.release(lease)
        return count

    patch.setattr(automode.AutoMode, "stop", stop)


def loses_a_feature_at_start(patch: pytest.MonkeyPatch) -> None:
    real = store.FeatureStore.all_of
    started = store.FeatureStore.__init__
    born: list[int] = []

    def init(self: store.FeatureStore) -> None:
        born.append(1)
        started(self)

    def all_of(self: store.FeatureStore, project: str) -> Any:
        found = real(self, project)
        return found[1:] if len(born) > 1 else found

    patch.setattr(store.FeatureStore, "__init__", init)
    patch.setattr(store.FeatureStore, "all_of", all_of)


def never_always_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(server, "always_on_projects", lambda settings: [])


def counts_all_projects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Leases, "count", lambda self, project: len(self.all()))


def reads_paths_alike(patch: pytest.MonkeyPatch) -> None:
    def count(self: Leases, project: str) -> int:
        return sum(one.project_path.rstrip("/") == project.rstrip("/") for one in self.all())

    patch.setattr(Leases, "count", count)


def boards_by_name(patch: pytest.MonkeyPatch) -> None:
    def folder(project: str) -> Path:
        return Path(project).parents[1] / Path(project).name / "features"

    def key(project: str, feature_id: str) -> str:
        return str(folder(project) / feature_id / "feature.json")

    patch.setattr(store, "_features_folder", folder)
    patch.setattr(store, "_cache_key", key)


@dataclass
class Case:
    """A scenario against a stand-in with something broken."""

    name: str
    broken: Break = lambda patch: None
    extra: Mapping[str, str] = field(default_factory=dict)
    says: str = ""

    def __str__(self) -> str:
        how = next(iter(self.extra.values()), getattr(self.broken, "__name__", "?"))
        return f"{self.name}: {how}"


def fault(name: str, value: str, says: str = "") -> Case:
    return Case(name, extra={"STANDIN_FAULT": value}, says=says)


CASES = [
    Case("settings-global", resolved(one_above), says="the loop says 4"),
    fault("settings-global", "one-more", "1 over the cap"),
    Case("settings-project", no_project_setting),
    fault("settings-project", "one-more"),
    Case("precedence", resolved(uncapped), says="20 instead of 6"),
    Case("precedence", resolved(request_ignored), says="request 2 over project 3: 3"),
    Case("system-cap", no_upper_clamp, says='"50": 22 at once'),
    Case("change-while-running", frozen_for_ever),
    Case("simultaneous-starts", a_loop_for_every_start, says="20 of 20 started"),
    fault("simultaneous-starts", "one-more", "over the cap"),
    Case("simultaneous-runs", no_limit_by_hand, says="over the limit"),
    fault("simultaneous-runs", "one-more", "over the limit"),
    Case("run-while-full", no_limit_by_hand),
    fault("run-while-full", "one-more"),
    fault("uses-all-slots", "leak-slot", "a slot stays empty"),
    fault("uses-all-slots", "one-more", "over the cap"),
    fault("agent-killed", "lost-slot", "it is listed as running"),
    fault("agent-killed", "one-more", "over the cap"),
    Case("agent-killed", runs_what_failed_again, says="run again"),
    fault("queue-goes-on", "lost-slot", "the queue stands still"),
    Case("stop-feature", slot_kept_at_stop),
    Case("stop-feature", deaf_agents, says="still lives"),
    Case("stop-under-loop", deaf_agents, says="two agents at the same time"),
    Case("done-by-hand", deaf_agents, says="still works"),
    Case("done-by-hand", slot_kept_at_stop),
    Case("done-not-again", resumes_what_is_done),
    Case("dependencies", ignores_dependencies, says="it began at"),
    Case("stop-and-start", forgets_agents_at_stop),
    Case("drain", extra={"DRAIN_TIMEOUT_MS": "0"}),
    Case("restart-amid-work", no_limit_by_hand, says="over the cap"),
    Case("restart-amid-work", loses_a_feature_at_start, says="gone from the board"),
    Case("restart-amid-work", resumes_what_is_done, says="run again"),
    fault("crash-amid-work", "one-more", "over the cap"),
    Case("crash-amid-work", loses_a_feature_at_start, says="gone from the board"),
    Case("always-on", never_always_on, says="the loop is off"),
    fault("always-on", "one-more", "over the cap"),
    Case("calm-after-crash", extra={"AUTO_MODE_CRASH_DELAY_MS": "0"}),
    Case("same-basename", boards_by_name, says="features of another"),
    fault("same-basename", "one-more", "limits 1 and 2"),
    fault("many-projects", "one-more", "each may run 2"),
    Case("no-starvation", counts_all_projects, says="a project waited"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_scenario_guards_is_missed_when_it_is_broken(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.broken(monkeypatch)
    seen = play(case.name, tmp_path, case.extra)
    assert seen.verdict == "broken", seen
    assert case.says in seen.reason


MENDED = [
    Case("sample-settings-global", resolved(as_the_guide_has_it)),
    Case("sample-settings-project", resolved(as_the_guide_has_it)),
    Case("trailing-slash", reads_paths_alike),
    Case("cap-across-projects", counts_all_projects),
]


@pytest.mark.parametrize("case", MENDED, ids=str)
def test_a_server_that_did_it_would_be_seen_to(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.broken(monkeypatch)
    seen = play(case.name, tmp_path)
    assert seen.verdict == "held", seen


@pytest.mark.parametrize("name", ["stop-and-start", "agent-killed", "change-while-running"])
def test_a_situation_that_does_not_come_about_is_never_held(name: str, tmp_path: Path) -> None:
    seen = play(name, tmp_path, {"STANDIN_FAULT": "no-agents"})
    assert seen.verdict == "unclear", seen
    assert "in vain" in seen.reason


def test_every_scenario_is_played_somewhere() -> None:
    elsewhere = {one.name for one in SCENARIOS.values() if one.story.__module__ in CONTAINERS}
    assert {*HELD, *BROKEN_AT_THE_REFERENCE} | elsewhere == set(SCENARIOS)


CONTAINERS = {"loadtest.scenarios.container", "loadtest.scenarios.memory"}
