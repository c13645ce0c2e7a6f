"""The tab "Capacity" in Locust's own page."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.browser.conftest import Open
from tests.loadtest.swarm.locust_web import locust_web


@pytest.mark.parametrize("width", [390, 1440])
def test_the_tab_shows_the_figures_of_the_trial(
    open_page: Open, tmp_path: Path, width: int
) -> None:
    with locust_web(tmp_path) as address:
        begun = requests.post(
            f"{address}/swarm", data={"user_count": 1, "spawn_rate": 1}, timeout=10
        )
        assert begun.json()["success"]
        page = open_page(address, width=width)
        page.get_by_role("tab", name="Capacity").click()
        rows = page.get_by_role("row")
        rows.filter(has_text="Agents waiting").wait_for(timeout=10_000)
        shown = {
            cells[0]: cells[1] for cells in (one.split("\t") for one in rows.all_inner_texts())
        }
        assert list(shown)[:3] == ["Figure", "Phase", "Agents waiting"], "in the order of a trial"
        assert (shown["Agents at peak"], shown["Held at once"], shown["Failed at"]) == (
            "2",
            "2",
            "4",
        )
