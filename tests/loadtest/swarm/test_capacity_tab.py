"""The tab "Capacity" in a real Locust process, over HTTP."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.loadtest.swarm.locust_web import ROOT, locust_web


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with locust_web(tmp_path_factory.mktemp("locust")) as found:
        yield found


def get(address: str) -> requests.Response:
    response = requests.get(address, timeout=10)
    response.raise_for_status()
    return response


def arguments(address: str) -> dict[str, Any]:
    """What the page is told when it loads."""
    found = re.search(r"window\.templateArgs = (.*)", get(address).text)
    assert found
    arguments: dict[str, Any] = json.loads(found[1])
    return arguments


def shown(address: str) -> dict[str, str]:
    """The figures of the tab: what the page asks for every two seconds."""
    [table] = get(f"{address}/stats/requests").json()["extended_stats"]
    assert table["key"] == "capacity"
    return {row["figure"]: row["value"] for row in table["data"]}


def test_the_page_itself_has_the_tab_its_table_and_its_download(address: str) -> None:
    told = arguments(address)
    assert told["extended_tabs"] == [{"title": "Capacity", "key": "capacity"}]
    [table] = told["extended_tables"]
    assert table["key"] == "capacity"
    assert [column["key"] for column in table["structure"]] == ["figure", "value", "note"]
    assert told["extended_csv_files"][0]["href"] == "./capacity/csv"


def test_it_is_still_there_when_the_page_is_loaded_again(address: str) -> None:
    assert arguments(address)["extended_tabs"] == arguments(address)["extended_tabs"] != []


def test_the_figures_come_with_the_statistics_and_leave_them_as_they_are(address: str) -> None:
    figures = shown(address)
    assert [figures[f"Agents {state}"] for state in ("waiting", "starting", "at peak", "lost")] == [
        "1", "1", "2", "1"
    ]  # fmt: skip
    assert (figures["Held at once"], figures["Failed at"]) == ("2", "4")
    assert figures["Memory of agents at peak"] == "8.00 GB"
    assert {"stats", "errors", "state", "user_count"} <= set(
        get(f"{address}/stats/requests").json()
    )


def test_the_figures_are_of_now_not_of_the_first_look(address: str) -> None:
    before = shown(address)["Server's answers"]
    time.sleep(2.2)  # Locust answers from its memory for two seconds
    assert shown(address)["Server's answers"] != before


def test_other_answers_are_left_alone(address: str) -> None:
    assert "extended_stats" not in get(f"{address}/exceptions").json()


def test_the_download_is_a_csv_with_every_figure(address: str) -> None:
    response = get(f"{address}/capacity/csv")
    assert response.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(response.text.splitlines()))
    assert {row["figure"] for row in rows} == set(shown(address))


def test_it_works_under_another_base_path(tmp_path: Path) -> None:
    with locust_web(tmp_path, "--web-base-path", "/swarm-ui") as address:
        assert shown(f"{address}/swarm-ui")["Held at once"] == "2"
        assert get(f"{address}/swarm-ui/capacity/csv").text.startswith("figure,value,note\n")


def test_the_locustfile_of_the_load_test_has_the_tab(tmp_path: Path) -> None:
    locustfile = ROOT / "loadtest" / "swarm" / "locustfile.py"
    with locust_web(tmp_path, locustfile=locustfile) as address:
        assert shown(address)["Agents at peak"] == "0"
