"""The watcher counts what runs, by two witnesses, and forgets no maximum."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from loadtest.scenarios.watch import Look, Most, Watcher


class Looks:
    """Answers one after another, and then None for ever."""

    def __init__(self, *answers: list[str] | None) -> None:
        self._answers: Iterator[list[str] | None] = iter(answers)
        self.over = threading.Event()

    def __call__(self) -> list[str] | None:
        for answer in self._answers:
            return answer
        self.over.set()
        return None


def nobody() -> None:
    return None


def watched(reported: Look, live: Look, **projects: str) -> Watcher:
    watcher = Watcher(reported, live, hz=500)
    for feature, project in projects.items():
        watcher.know(feature, project)
    with watcher:
        for look in (reported, live):
            if isinstance(look, Looks):
                assert look.over.wait(5)
    return watcher


def test_the_most_at_once_is_remembered_in_all_and_by_project() -> None:
    looks = Looks(["a"], ["a", "b", "c"], ["c"], [])
    watcher = watched(looks, nobody, a="/p", b="/p", c="/q")
    assert watcher.most() == Most(reported=3, live=0)
    assert watcher.most("/p").either == 2
    assert watcher.most("/q").either == 1
    assert watcher.most("/elsewhere").either == 0
    assert not watcher.sees_processes


@pytest.mark.parametrize(
    ("looks", "most"),
    [
        (Looks(["a"], ["a", "b"], ["b"]), 1),
        (Looks(["a", "b"], ["a", "b"], []), 2),
        (Looks(["", ""], ["", ""]), 2),
        (Looks(["a", "b", "c"]), 0),
    ],
)
def test_a_process_counts_when_it_is_there_in_two_looks_in_a_row(looks: Looks, most: int) -> None:
    watcher = watched(nobody, looks)
    assert watcher.most().live == most
    assert watcher.sees_processes


def test_two_processes_of_one_feature_are_noticed() -> None:
    assert watched(nobody, Looks(["a", "a"], ["a", "a"])).twice == {"a"}
    assert watched(nobody, Looks(["a", "a"], ["a"])).twice == set()
    assert watched(nobody, Looks(["", ""], ["", ""])).twice == set()


def test_a_server_that_does_not_answer_is_no_look() -> None:
    watcher = watched(Looks(None, ["a"], None), nobody)
    assert (watcher.looks, watcher.most().reported) == (1, 1)


def test_what_was_before_can_be_forgotten() -> None:
    watcher = watched(Looks(["a", "b"]), Looks(["a", "a"], ["a", "a"]))
    watcher.forget()
    assert (watcher.most(), watcher.twice, watcher.looks) == (Most(0, 0), set(), 0)


def test_features_are_told_apart_by_their_projects() -> None:
    watcher = watched(nobody, nobody, a="/p", b="/q")
    assert watcher.of("/p", ["b", "a", "unknown"]) == ["a"]
