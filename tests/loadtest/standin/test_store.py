import json
import threading
from pathlib import Path
from typing import Any

import pytest

from loadtest.standin.errors import Refusal
from loadtest.standin.features import branch_of, new_feature, normalised, worktree_name
from loadtest.standin.store import FeatureStore, feature_file, is_safe_id
from tests.loadtest.standin.fakes import world


def make(store: FeatureStore, project: str, title: str, **fields: Any) -> str:
    feature = new_feature({"title": title, "description": "d", **fields}, {})
    return str(store.create(project, feature)["id"])


def test_a_feature_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    store = FeatureStore()
    feature_id = make(store, str(tmp_path), "one")
    file = tmp_path / ".automaker" / "features" / feature_id / "feature.json"
    assert json.loads(file.read_text("utf-8"))["title"] == "one"
    assert [child.name for child in file.parent.iterdir()] == ["feature.json"]


def test_updates_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    store, project = FeatureStore(), str(tmp_path)
    feature_id = make(store, project, "one", count=0)

    def count_up() -> None:
        for _ in range(10):
            store.update(project, feature_id, lambda feature: {"count": feature["count"] + 1})

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    feature = store.get(project, feature_id)
    assert feature
    assert feature["count"] == 40


def test_of_two_features_created_at_once_with_one_title_one_is_refused(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        body = {"title": "Same", "description": "d"}
        call = ("/api/features/create", {"projectPath": server.project, "feature": body})
        statuses = sorted(answer.status_code for answer in server.client.many([call] * 8))
    assert statuses == [200] + [409] * 7


def test_three_backups_rotate_and_the_newest_readable_one_comes_back(tmp_path: Path) -> None:
    store, project = FeatureStore(), str(tmp_path)
    feature_id = make(store, project, "one", version=0)
    for version in range(1, 6):
        store.update(project, feature_id, lambda _, v=version: {"version": v})  # type: ignore[misc]
    backups = tmp_path / ".automaker" / ".backups" / "features" / feature_id
    kept = [
        json.loads((backups / f"feature.json.bak{n}").read_text())["version"] for n in (1, 2, 3)
    ]
    assert kept == [4, 3, 2]
    file = feature_file(project, feature_id)
    file.write_text('{"half', "utf-8")
    (backups / "feature.json.bak1").write_text("", "utf-8")
    restored = store.get(project, feature_id)
    assert restored
    assert restored["version"] == 3
    assert json.loads(file.read_text("utf-8"))["version"] == 3


def test_edits_on_disk_are_seen_at_the_next_read(tmp_path: Path) -> None:
    store, project = FeatureStore(), str(tmp_path)
    feature_id = make(store, project, "one")
    file = feature_file(project, feature_id)
    file.write_text(file.read_text("utf-8").replace('"one"', '"another"'), "utf-8")
    feature = store.get(project, feature_id)
    assert feature
    assert feature["title"] == "another"


def test_titles_are_compared_without_case_and_blanks(tmp_path: Path) -> None:
    store, project = FeatureStore(), str(tmp_path)
    feature_id = make(store, project, "Same title")
    with pytest.raises(Refusal) as refused:
        make(store, project, "  same TITLE ")
    assert refused.value.body["duplicateFeatureId"] == feature_id


@pytest.mark.parametrize("feature_id", ["", ".", "..", "../x", "a/b", "a\0", "x" * 201, 7, None])
def test_an_id_that_is_no_folder_name_reaches_no_file(tmp_path: Path, feature_id: Any) -> None:
    assert not is_safe_id(feature_id)
    assert FeatureStore().get(str(tmp_path), feature_id) is None
    assert not FeatureStore().delete(str(tmp_path), feature_id)


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Load run A item 1 (small)", "feature/load-run-a-item-1-small"),
        (
            "Load test harness run 2026-03-14 synthetic feature 0001",
            "feature/load-test-harness-run-2026-03-14",
        ),
        ("x" * 60, "feature/" + "x" * 40),
        ("---", "feature/f1"),
        (None, "feature/f1"),
    ],
)
def test_a_branch_is_the_title_cut_at_a_word(title: str | None, branch: str) -> None:
    assert branch_of(title, "f1") == branch


def test_branches_that_differ_only_in_punctuation_share_a_worktree() -> None:
    assert worktree_name("feature/a-b") == worktree_name("feature/a/b") == "feature-a-b"


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (None, "backlog"),
        ("pending", "backlog"),
        ("running", "in_progress"),
        ("verified", "done"),
        ("failed", "blocked"),
        ("pipeline_review", "pipeline_review"),
        ("nonsense", "backlog"),
        (7, "backlog"),
    ],
)
def test_old_names_of_states_are_read_as_todays(stored: Any, read: str) -> None:
    assert normalised({"id": "f", "status": stored})["status"] == read


def test_the_board_is_edited_over_http(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        first, second = server.create("one"), server.create("two")
        body = {"projectPath": server.project, "featureId": first}
        renamed = server.post("/api/features/update", {**body, "updates": {"title": "1"}})
        clash = server.post("/api/features/update", {**body, "updates": {"title": "Two"}})
        wordless = server.post("/api/features/update", {**body, "updates": {"status": "blocked"}})
        unknown = server.post(
            "/api/features/update", {**body, "featureId": "nope", "updates": {"title": "x"}}
        )
        assert renamed.json()["feature"]["title"] == "1"
        assert [clash.status_code, wordless.status_code, unknown.status_code] == [409, 400, 500]
        assert unknown.json()["error"] == "Feature nope not found"
        deleted = server.post("/api/features/delete", body)
        again = server.post("/api/features/delete", body)
        assert deleted.json() == again.json() == {"success": True}
        assert server.post("/api/features/get", body).status_code == 404
        bulk = {"projectPath": server.project, "featureIds": [second, ".."]}
        answer = server.post("/api/features/bulk-delete", bulk).json()
        assert (answer["success"], answer["deletedCount"], answer["failedCount"]) == (False, 1, 1)


def test_output_is_what_the_agent_wrote_and_null_before(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        feature_id = server.create("one")
        body = {"projectPath": server.project, "featureId": feature_id}
        assert server.post("/api/features/agent-output", body).json()["content"] is None
        output = feature_file(server.project, feature_id).with_name("agent-output.md")
        output.write_bytes(b"turn \xff\n")
        assert server.post("/api/features/agent-output", body).json()["content"] == "turn �\n"


@pytest.mark.parametrize(
    ("feature", "rule"),
    [
        ({"title": "t" * 201, "description": "d"}, "title_length"),
        ({"title": "t", "description": "d" * 10_001}, "description_length"),
        ({"title": "t\0", "description": "d"}, "null_byte"),
        ({"title": "t", "description": "\x1b[31m"}, "control_characters"),
    ],
)
def test_an_unfit_feature_is_quarantined(
    tmp_path: Path, feature: dict[str, str], rule: str
) -> None:
    with world(tmp_path) as server:
        body = {"projectPath": server.project, "feature": feature}
        answer = server.post("/api/features/create", body)
        trusted = server.post("/api/features/create", body, x_automaker_client="mcp")
    assert answer.status_code == 422
    assert answer.json()["error"] == "quarantine_failed"
    assert [one["rule"] for one in answer.json()["violations"]] == [rule]
    entry = Path(server.project, ".automaker/quarantine", f"{answer.json()['quarantineId']}.json")
    assert json.loads(entry.read_text("utf-8"))["result"] == "failed"
    assert trusted.json()["feature"]["quarantineStatus"] == "bypassed"
