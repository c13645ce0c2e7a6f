"""Releases as values: names, records, what to forget and what to go back to."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.deploy.release import (
    Image,
    Release,
    content_tag,
    digest,
    env_text,
    parse_release,
    pruning,
    release_before,
    release_id,
    short_commit,
)
from compose.errors import ComposeError
from settings.env_syntax import read
from tests.compose.deploy.fakes import release

NOON = datetime(2026, 3, 14, 12)
COMMIT = "0123456789abcdef" * 2 + "01234567"
commits = st.one_of(
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.just("unknown"),
    st.just("standin-0011aabb"),
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2999, 12, 31))


@given(moments, st.timedeltas(timedelta(seconds=1), timedelta(days=9999)), commits, commits)
def test_names_sort_as_the_releases_were_made(
    earlier: datetime, between: timedelta, first: str, second: str
) -> None:
    assert release_id(earlier, first) < release_id(earlier + between, second)


@given(st.integers(1, 9), commits)
def test_names_of_one_second_differ_and_keep_their_order(count: int, commit: str) -> None:
    taken: list[str] = []
    for _ in range(count):
        taken.append(release_id(NOON, commit, taken))
    assert len(set(taken)) == count
    assert sorted(taken) == taken


def test_a_name_says_when_and_which_commit() -> None:
    assert release_id(NOON, COMMIT) == "20260314-120000-01234567"
    assert release_id(NOON, COMMIT, ["20260314-120000-01234567"]).endswith("01234567-2")


@given(st.text(max_size=60).map(lambda ref: f"standin-0011aabb-{ref}"))
def test_a_name_is_the_name_of_one_folder_whatever_was_asked_for(commit: str) -> None:
    name = release_id(NOON, commit)
    assert re.fullmatch(r"20260314-120000-[A-Za-z0-9._-]*", name)
    assert len(name) < 64
    assert name[-1] not in "-."


@pytest.mark.parametrize(
    ("commit", "shown", "why"),
    [
        (COMMIT, "01234567", "as git abbreviates"),
        (f"{COMMIT}-dirty", "01234567-dirty", "files that differ from the commit are no secret"),
        ("unknown", "unknown", "a folder that is no repository"),
        ("standin-0011aabbccdd", "standin-0011aabb", "the stand-in's content"),
        ("standin-0011aabbccdd-crash", "standin-crash", "its fault tells it apart"),
        ("standin-0011aabbccdd-v2", "standin-v2", "and so does what was asked for"),
        ("standin-0011aabbccdd-crash-v2", "standin-crash-v2", "both"),
    ],
)
def test_a_commit_is_shortened_to_what_tells_it_apart(commit: str, shown: str, why: str) -> None:
    assert short_commit(commit) == shown, why


def test_an_image_is_named_after_its_content() -> None:
    image_id = "sha256:" + "ab" * 32
    assert content_tag("automaker-server", image_id) == "automaker-server:abababababab"
    assert content_tag("a", "sha256:" + "cd" * 32) != content_tag("a", image_id)
    assert Image("here:5000/a-server:abc", image_id).staging_name == "here:5000/a-server:staging"


@pytest.mark.parametrize(
    ("changes", "same", "why"),
    [
        (
            {"id": "other", "by": "bob", "why": "x", "source": "y", "commit": "z"},
            True,
            "words only",
        ),
        ({"live_at": (), "failed": "it broke"}, True, "nor does what became of it matter"),
        ({"env_hash": digest("other")}, False, "other values"),
        ({"compose_hash": digest("other")}, False, "another compose file"),
        ({"images": release(tag="other").images}, False, "other images"),
        ({"images": {}}, False, "no images"),
    ],
)
def test_content_is_images_values_and_compose_file(
    changes: dict[str, Any], same: bool, why: str
) -> None:
    assert release().same_content(release(**changes)) is same, why


def test_the_same_image_under_another_name_is_the_same_content() -> None:
    images = {name: Image("elsewhere:1", one.id) for name, one in release().images.items()}
    assert release().same_content(release(images=images))


def test_going_live_adds_a_time_and_forgets_the_failure() -> None:
    now = release(failed="it broke").went_live("2026-03-15T00:00:00+00:00", "before")
    assert now.live_at == ("2026-03-14T09:20:00+00:00", "2026-03-15T00:00:00+00:00")
    assert (now.failed, now.was_live) == ("", True)
    assert not release(live=False).was_live


texts = st.text(max_size=20)
images = st.builds(Image, texts, texts)
records = st.builds(
    Release,
    **dict.fromkeys(("id", "created", "by", "why", "source", "commit", "before", "failed"), texts),
    images=st.dictionaries(texts, images, max_size=3),
    env_hash=texts,
    compose_hash=texts,
    live_at=st.lists(texts, max_size=3).map(tuple),
)


@given(records)
def test_a_record_reads_back_as_it_was_written(one: Release) -> None:
    assert parse_release(json.loads(json.dumps(one.data()))) == one


def damaged(**changes: Any) -> dict[str, Any]:
    data = {**release().data(), **changes}
    return {key: value for key, value in data.items() if value is not ...}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "nothing in it"),
        ([], "a list"),
        (None, "null"),
        ("text", "a text"),
        (5, "a number"),
        (damaged(images=...), "no images"),
        (damaged(images=["server"]), "images without names"),
        (damaged(images={"server": "abc"}), "an image without id"),
        (damaged(images={"server": {"reference": "a"}}), "half an image"),
        (damaged(live_at=None), "no times"),
        (damaged(commit=...), "no commit"),
        (damaged(surprise=1), "a key that nobody wrote"),
    ],
)
def test_a_damaged_record_is_refused(data: Any, why: str) -> None:
    with pytest.raises(ComposeError, match="not a release record"):
        parse_release(data)


plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
keys = st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True)


@given(st.dictionaries(keys, plain, max_size=6))
def test_values_read_back_as_they_were_written(values: dict[str, str]) -> None:
    entries, problems = read(env_text(values))
    assert problems == []
    assert {one.key: one.value for one in entries} == values


def test_values_are_written_in_one_order_so_that_their_digest_tells() -> None:
    assert env_text({"A": "1", "B": "2"}) == env_text({"B": "2", "A": "1"})


def named(number: int, *, live: bool = True) -> Release:
    return release(f"2026031{number}-000000-{number:08}", live=live)


@pytest.mark.parametrize(
    ("states", "live", "before", "why"),
    [
        ("gg", 1, 0, "the one before"),
        ("gfg", 2, 0, "one that failed is no place to go back to"),
        ("ggg", 1, 0, "after a rollback the newer one is not before"),
        ("g", 0, None, "the first has none before it"),
        ("f", None, None, "none ever was live"),
        ("gf", None, 0, "without a live one the newest that was"),
        ("", None, None, "nothing at all"),
    ],
)
def test_back_means_the_newest_older_one_that_was_live(
    states: str, live: int | None, before: int | None, why: str
) -> None:
    all_ = [named(number, live=state == "g") for number, state in enumerate(states)]
    found = release_before(all_, None if live is None else all_[live])
    assert found == (None if before is None else all_[before]), why


def test_back_means_what_was_live_before_and_not_what_was_rolled_back_from() -> None:
    good, bad = named(1), named(2)
    fixed = replace(named(3), before=good.id)
    assert release_before([good, bad, fixed], fixed) == good
    assert release_before([bad, fixed], fixed) == bad, "where that has been forgotten"
    odd = replace(fixed, before=fixed.id)
    assert release_before([good, odd], odd) == good, "back is never to where one is"


def test_only_the_first_time_says_what_was_live_before() -> None:
    once = release(live=False).went_live("2026-03-15T00:00:00+00:00", "a")
    assert once.before == "a"
    assert once.went_live("2026-03-16T00:00:00+00:00", "b").before == "a"


histories = st.lists(st.booleans(), max_size=8).map(
    lambda states: [named(number, live=state) for number, state in enumerate(states)]
)


@given(histories, st.data())
def test_back_is_older_was_live_and_has_nothing_such_in_between(
    history: list[Release], data: st.DataObject
) -> None:
    live = data.draw(st.sampled_from([None, *history]))
    found = release_before(data.draw(st.permutations(history)), live)
    older = [one for one in history if one.was_live and (live is None or one.id < live.id)]
    assert found == (older[-1] if older else None)


@given(histories, st.integers(-1, 6), st.data())
def test_pruning_keeps_the_live_one_and_the_newest(
    history: list[Release], keep: int, data: st.DataObject
) -> None:
    live = data.draw(st.sampled_from([None, *(one.id for one in history)]))
    plan = pruning(data.draw(st.permutations(history)), live, keep)
    assert live not in plan.drop
    good = [one for one in history if one.was_live and one.id != live]
    wanted = {one.id for one in good[-max(1, keep) :]} | ({live} if live else set())
    assert not wanted & set(plan.drop)
    gone = {one.id for one in good} - wanted
    assert gone <= set(plan.drop), "what was live and is neither kept nor live is forgotten"
    needed = {image.id for one in history if one.id in wanted for image in one.images.values()}
    assert plan.needed == needed


@given(histories, st.integers(-1, 6))
def test_pruning_again_finds_nothing_more(history: list[Release], keep: int) -> None:
    live = history[-1].id if history else None
    drop = pruning(history, live, keep).drop
    left = [one for one in history if one.id not in drop]
    assert pruning(left, live, keep).drop == ()


@pytest.mark.parametrize(
    ("states", "live", "keep", "kept", "why"),
    [
        ("gggg", 3, 2, "123", "the live one and two to go back to"),
        ("gggg", 0, 2, "023", "after a rollback the live one is old, and stays"),
        ("gggg", 3, 0, "23", "never none to go back to"),
        ("gggf", 2, 1, "123", "the record of a failure is its evidence"),
        ("fggg", 3, 1, "23", "but goes once it is older than all that is kept"),
        ("ffff", None, 2, "0123", "nothing ever worked: all the evidence there is"),
    ],
)
def test_what_is_kept(states: str, live: int | None, keep: int, kept: str, why: str) -> None:
    history = [named(number, live=state == "g") for number, state in enumerate(states)]
    plan = pruning(history, None if live is None else history[live].id, keep)
    left = [str(number) for number, one in enumerate(history) if one.id not in plan.drop]
    assert "".join(left) == kept, why


def test_the_images_of_a_failure_are_not_needed_though_its_record_stays() -> None:
    history = [named(1), named(2, live=False)]
    plan = pruning(history, history[0].id, 5)
    assert plan.drop == ()
    assert plan.needed == {one.id for one in history[0].images.values()}
