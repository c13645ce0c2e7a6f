from pathlib import Path

import pytest

from loadtest.standin.errors import StandinError
from loadtest.standin.ratelimit import RateLimit, Windows, is_exempt
from tests.loadtest.standin.fakes import API_KEY, world


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_window_starts_with_the_first_request_and_then_counts_down() -> None:
    clock = Clock()
    limit = RateLimit(2, 60, "slow down", clock)
    assert limit.admit("a")["RateLimit"] == "limit=2, remaining=1, reset=60"
    clock.now += 10.5
    assert limit.admit("a")["RateLimit"] == "limit=2, remaining=0, reset=50"
    with pytest.raises(StandinError) as refused:
        limit.admit("a")
    assert refused.value.status == 429
    assert refused.value.body == {"error": "slow down"}
    assert refused.value.headers["Retry-After"] == "50"
    clock.now += 49.5
    assert limit.admit("a")["RateLimit"] == "limit=2, remaining=1, reset=60"


def test_clients_are_counted_apart_and_forgotten_when_gone() -> None:
    clock = Clock()
    windows = Windows(60, clock)
    for client in map(str, range(1000)):
        windows.current(client).count += 1
    assert windows.current("7").count == 1
    clock.now += 61
    windows.current("7")
    assert len(windows._windows) == 1


@pytest.mark.parametrize(
    ("path", "exempt"),
    [
        ("/api/health", True),
        ("/api/health/deep", True),
        ("/api/settings/status", True),
        ("/api/setup/anything", True),
        ("/api/healthy", False),
        ("/api/metrics/prometheus", False),
        ("/api/settings/global", False),
    ],
)
def test_health_may_be_polled_without_limit(path: str, exempt: bool) -> None:
    assert is_exempt(path) == exempt


def test_refusals_for_other_reasons_count_but_unreadable_bodies_do_not(tmp_path: Path) -> None:
    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    with world(tmp_path) as server:
        server.client.get("/api/nope")
        broken = server.client.post("/api/features/list", content=b"{", headers=headers)
        assert broken.status_code == 400
        assert "ratelimit" not in broken.headers
        answer = server.get("/api/running-agents")
    assert answer.headers["ratelimit"].startswith("limit=300, remaining=298,")
