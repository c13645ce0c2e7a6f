"""What operators do with the docs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from compose.deploy.audit import entries
from compose.deploy.docs import DocsState
from compose.deploy.release import Image
from compose.deploy.store import write
from compose.errors import ComposeError
from compose.operate.docs import DocsStatus, docs_status, show_docs, stop_docs
from tests.compose.deploy.fakes import Engine, Reply, always, context, inspected, serving

NAME = "automaker-docs"
STATE = DocsState(Image("automaker-docs:1", "sha256:x"), "c0ffee", "https://git.example/a", "2026")


def test_docs_that_are_served_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path / "docs" / "docs.json", json.dumps(asdict(STATE)))
    healthy = inspected(NAME, Health={"Status": "healthy"})
    with serving(always(Reply(text="<h1>docs</h1>"))) as web:
        engine = Engine({"docker port": f"0.0.0.0:{web.port}\n"}, {NAME: healthy})
        found = docs_status(context(tmp_path, engine))
    assert (found.state, found.health, found.commit, found.served) == (
        "running",
        "healthy",
        "c0ffee",
        True,
    )
    found.raise_unless_served()
    assert show_docs(found).splitlines() == [
        "docs: running, healthy",
        "commit c0ffee, from https://git.example/a, since 2026",
        f"{web.base} answers",
    ]


def test_docs_that_were_never_deployed_are_absent(tmp_path: Path) -> None:
    found = docs_status(context(tmp_path, Engine()))
    assert found == DocsStatus("absent", "", "", "", "", "", served=False)
    assert show_docs(found) == "docs: absent"
    with pytest.raises(ComposeError, match="the docs are not served") as caught:
        found.raise_unless_served()
    assert caught.value.__notes__ == ["invoke docs.deploy"]


def test_docs_that_answer_with_an_error_are_not_served(tmp_path: Path) -> None:
    with serving(always(Reply(500, text="oops"))) as web:
        engine = Engine({"docker port": f"0.0.0.0:{web.port}\n"}, {NAME: inspected(NAME)})
        found = docs_status(context(tmp_path, engine))
    assert not found.served
    assert show_docs(found).endswith("does not answer")


def test_stopping_stops_them_and_says_so_in_the_log(tmp_path: Path) -> None:
    engine = Engine({"docker stop": ""}, {NAME: inspected(NAME)})
    stop_docs(context(tmp_path, engine, verb="docs.stop"))
    assert engine.commands[-1] == f"docker stop {NAME}"
    assert [one["what"] for one in entries(tmp_path)] == ["docs.stop"]


def test_stopping_what_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    said: list[str] = []
    engine = Engine()
    stop_docs(context(tmp_path, engine, said))
    assert "not deployed" in "".join(said)
    assert not any("stop" in argv for argv in engine.argvs)
