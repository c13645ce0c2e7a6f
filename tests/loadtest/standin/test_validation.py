import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.standin.errors import Refusal
from loadtest.standin.validation import (
    absolute_path,
    filled_list_of,
    integer,
    issues_of,
    optional,
    require_allowed_path,
    require_in_words,
    text,
)
from tests.loadtest.standin.fakes import API_KEY, world

CONCURRENCY = {"maxConcurrency": optional(integer(1, 20))}


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (1, []),
        (20, []),
        (8.0, []),
        (0, ["Number must be greater than or equal to 1"]),
        (21, ["Number must be less than or equal to 20"]),
        (2.5, ["Expected integer, received float"]),
        ("8", ["Expected number, received string"]),
        (True, ["Expected number, received boolean"]),
        (None, ["Expected number, received null"]),
        (0.5, ["Expected integer, received float", "Number must be greater than or equal to 1"]),
    ],
)
def test_a_concurrency_is_a_whole_number_from_1_to_20(value: Any, messages: list[str]) -> None:
    found = issues_of({"maxConcurrency": value}, CONCURRENCY)
    assert [issue["message"] for issue in found] == messages


def test_a_missing_key_is_undefined_and_required() -> None:
    assert issues_of({}, {"projectPath": absolute_path}) == [
        {
            "code": "invalid_type",
            "expected": "string",
            "received": "undefined",
            "path": ["projectPath"],
            "message": "Required",
        }
    ]


def test_an_empty_path_is_neither_filled_nor_absolute() -> None:
    found = issues_of({"projectPath": ""}, {"projectPath": absolute_path})
    assert [issue["code"] for issue in found] == ["too_small", "custom"]


def test_all_issues_are_joined_into_one_sentence_with_their_places() -> None:
    fields = {"projectPath": text(1), "featureIds": filled_list_of(text(1))}
    with pytest.raises(Refusal) as refused:
        require_in_words({"featureIds": ["a", 3]}, fields)
    assert refused.value.body["error"] == (
        "projectPath: Required; featureIds.1: Expected string, received number"
    )


def passes(path: str) -> bool:
    try:
        require_allowed_path(path, "/root", Path("/a/b"))
    except Refusal:
        return False
    return True


segments = st.lists(st.sampled_from(["..", ".", "a", "b", "root", "...x", ""]), max_size=8)


@given(segments)
def test_a_path_that_passes_lies_in_the_root_or_the_data(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    if passes(path):
        resolved = os.path.normpath(path).replace("//", "/")
        assert any(os.path.commonpath([resolved, folder]) == folder for folder in ("/root", "/a/b"))


@pytest.mark.parametrize("path", ["/projects", "/projects/a", "/projects/a/../b", "/projects/"])
def test_paths_in_the_root_pass(path: str) -> None:
    require_allowed_path(path, "/projects", Path("/data"))


@pytest.mark.parametrize("path", ["/", "/projectsX", "/projects/..", "/projects/../etc"])
def test_paths_beside_the_root_are_refused(path: str) -> None:
    with pytest.raises(Refusal, match="Path not allowed"):
        require_allowed_path(path, "/projects", Path("/data"))


def test_without_a_root_every_path_passes() -> None:
    require_allowed_path("/etc", None, Path("/data"))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'"text"', 400),
        (b'{"projectPath": NaN}', 400),
        (b'{"a":' * 100_000, 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"projectPath": "/etc"}', 403),
        (b'{"projectPath": ["/etc"]}', 400),
    ],
)
def test_no_body_gets_a_traceback(tmp_path: Path, content: bytes, status: int) -> None:
    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    with world(tmp_path) as server:
        answer = server.client.post("/api/features/list", content=content, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 5000, "feature.json/x"])
def test_no_path_gets_a_traceback(tmp_path: Path, name: str) -> None:
    escaped = name.encode("ascii", "backslashreplace").decode().replace("\0", "\\u0000")
    content = f'{{"projectPath": "{tmp_path}/{escaped}"}}'.encode()
    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    with world(tmp_path) as server:
        answer = server.client.post("/api/features/list", content=content, headers=headers)
    assert answer.status_code in (200, 500)
    assert answer.json()["success"] is (answer.status_code == 200)


@pytest.mark.parametrize(
    ("request_line", "headers", "status", "why"),
    [
        ("GET /api/nope", {}, 401, "credentials before the route"),
        ("GET /nope", {}, 404, "outside the API there are no credentials"),
        ("POST /api/running-agents", {"X-API-Key": API_KEY}, 415, "the type before the route"),
        ("POST /api/deploy/drain", {}, 415, "the type before credentials"),
        ("GET /api/health", {"Origin": "https://example.com"}, 500, "a foreign page"),
        ("GET /api/health", {"Origin": "http://localhost:3007"}, 200, "a page on this host"),
        ("HEAD /api/health", {}, 200, "HEAD is GET without a body"),
        ("OPTIONS /api/features/list", {"Origin": "http://localhost"}, 204, "a preflight"),
        ("DELETE /api/health", {"X-API-Key": API_KEY}, 404, "a wrong method is no route"),
    ],
)
def test_checks_come_in_the_recorded_order(
    tmp_path: Path, request_line: str, headers: dict[str, str], status: int, why: str
) -> None:
    method, path = request_line.split()
    with world(tmp_path) as server:
        answer = server.client.request(method, path, headers=headers)
    assert answer.status_code == status, why


def test_the_error_page_does_not_repeat_markup(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.client.get("/<script>")
    assert "<script>" not in answer.text
