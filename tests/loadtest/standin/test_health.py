import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from loadtest.standin import health
from loadtest.standin.features import Feature
from loadtest.standin.store import FeatureStore
from tests.loadtest.standin.fakes import wait_until, world


def test_ready_writes_the_data_directory_and_says_so_when_it_cannot(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        good = server.client.get("/api/health/ready")
        probe = tmp_path / "data" / ".readiness-check"
        probe.unlink()
        probe.mkdir()
        bad = server.client.get("/api/health/ready")
    assert (good.status_code, good.json()["status"]) == (200, "ready")
    assert (bad.status_code, bad.json()["status"]) == (503, "not_ready")
    check = bad.json()["checks"]["dataDir"]
    assert (check["accessible"], check["writable"]) == (True, False)
    assert "error" in check


def test_deep_lists_the_board_and_the_running_features_of_all_projects(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        mine = server.create("mine")
        server.project = str(tmp_path / "other")
        theirs = server.create("theirs")
        server.auto_mode("run-feature", featureId=theirs)
        wait_until(lambda: server.runner.live == 1, "an agent")
        answer = server.get("/api/health/deep")
    body = answer.json()
    assert body["board"]["totalFeatures"] == 1
    assert body["board"]["byStatus"] == {"backlog": 1}
    assert body["board"]["features"] == [
        {"id": mine, "title": "mine", "status": "backlog", "branchName": "feature/mine"}
    ]
    assert body["autoMode"] == {
        "enabled": True,
        "queueLength": 1,
        "queue": [{"featureId": theirs, "title": "theirs"}],
    }
    assert body["agents"] == {"running": 0, "total": 0, "sessions": []}
    assert body["performance"]["timedOut"] is False


def test_deep_is_never_rate_limited(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        assert {server.get("/api/health/deep").status_code for _ in range(350)} == {200}


def test_a_board_that_cannot_be_read_is_a_503(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Sequence[Feature]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FeatureStore, "all_of", fail)
    with world(tmp_path) as server:
        standard, deep = server.get("/api/health/standard"), server.get("/api/health/deep")
    assert (standard.status_code, standard.json()["status"]) == (503, "degraded")
    assert (deep.status_code, deep.json()["status"]) == (503, "unhealthy")
    assert set(standard.json()) == {"status", "error", "uptime", "version"}


def test_a_slow_board_degrades_deep_and_then_times_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dawdle(*_: object) -> Sequence[Feature]:
        time.sleep(0.1)
        return []

    monkeypatch.setattr(FeatureStore, "all_of", dawdle)
    monkeypatch.setattr(health, "DEGRADED_AFTER_MS", 10)
    with world(tmp_path) as server:
        slow = server.get("/api/health/deep")
        monkeypatch.setattr(health, "DEEP_TIMEOUT_S", 0.01)
        late = server.get("/api/health/deep")
    assert (slow.status_code, slow.json()["status"]) == (200, "degraded")
    assert (late.status_code, late.json()["status"]) == (503, "unhealthy")
    assert late.json()["error"] == "Health check timed out"
    assert late.json()["performance"]["timedOut"] is True


def test_metrics_are_public_prometheus_text(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.client.get("/api/metrics/prometheus")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "\nactive_agents_count 0\n" in answer.text
