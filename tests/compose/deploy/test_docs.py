"""The docs site: served from an image, with the one before to go back to, and no secret."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from compose.deploy import ready
from compose.deploy.docs import (
    DocsState,
    docs_api,
    docs_are_missing,
    docs_state,
    docs_values,
    start_docs,
)
from compose.deploy.release import Image
from compose.deploy.store import write
from compose.errors import ComposeError
from tests.compose.deploy.fakes import (
    KEY,
    Engine,
    Reply,
    always,
    closed_port,
    context,
    inspected,
    serving,
)

NAME = "automaker-docs"
LABELS = {"com.docker.compose.project": "automaker-docs"}
FIRST, SECOND = (Image(f"automaker-docs:{n}", f"sha256:docs-{n}") for n in (1, 2))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "POLL_S", 0.01)
    monkeypatch.setattr(ready, "INSPECT_S", 0.03)
    monkeypatch.setattr("compose.deploy.docs.READY_S", 0.1)


def an_engine(port: int, **labels: str) -> Engine:
    model = {
        "name": "automaker-docs",
        "services": {
            "docs": {
                "container_name": NAME,
                "image": "automaker-docs:staging",
                "mem_limit": "134217728",
                "ports": [{"published": str(port), "target": 80}],
            }
        },
    }
    prints = {"docker ps": "", "docker compose": "", "docker image tag": "", "docker logs": ""}
    return Engine(prints, {NAME: inspected(NAME, labels=labels or LABELS)}, model)


def serve(engine: Engine, home: Path, image: Image, said: list[str] | None = None) -> None:
    ctx = context(home, engine, said)
    values = {"AUTOMAKER_API_KEY": KEY, "DOCS_PORT": "4009"}
    start_docs(ctx, values, image, commit="c0ffee", source="https://git.example/a")


def test_of_all_values_the_docs_get_what_they_need_and_no_secret() -> None:
    values = {"AUTOMAKER_API_KEY": KEY, "ANTHROPIC_API_KEY": "sk", "DOCS_PORT": "4009"}
    assert docs_values("mine", values, "mine-docs:1") == {
        "STACK_NAME": "mine",
        "DOCS_IMAGE": "mine-docs:1",
        "DOCS_PORT": "4009",
    }
    assert docs_values("mine", {}, "")["DOCS_PORT"] == ""


def test_what_serves_is_recorded_with_the_one_before(tmp_path: Path) -> None:
    with serving(always(Reply(text="<h1>docs</h1>"))) as web:
        engine = an_engine(web.port)
        serve(engine, tmp_path, FIRST)
        found = docs_state(tmp_path)
        assert found is not None
        assert (found.image, found.commit, found.before) == (FIRST, "c0ffee", None)
        serve(engine, tmp_path, SECOND)
        serve(engine, tmp_path, SECOND)
    found = docs_state(tmp_path)
    assert found is not None
    assert (found.image, found.before) == (SECOND, FIRST), "twice the same is no step back"
    assert engine.commands[-1] == "docker image tag automaker-docs:2 automaker-docs:staging"
    ups = [env for argv, env in zip(engine.argvs, engine.environments, strict=True) if "up" in argv]
    assert [env["DOCS_IMAGE"] for env in ups] == [FIRST.reference, *[SECOND.reference] * 2]
    assert not any(KEY in text for env in ups for text in env.values())


def test_docs_that_do_not_serve_leave_those_before(tmp_path: Path) -> None:
    answers: dict[str, Reply] = {"now": Reply(text="<h1>docs</h1>")}
    with serving(lambda _asked: answers["now"]) as web:
        engine = an_engine(web.port)
        serve(engine, tmp_path, FIRST)

        class Flipping(Engine):
            """The second image answers 500; the first one is well again."""

            def __call__(self, argv: Any, **options: Any) -> Any:
                image = (options.get("env") or {}).get("DOCS_IMAGE")
                if "up" in argv:
                    broken = image == SECOND.reference
                    answers["now"] = Reply(500) if broken else Reply(text="<h1>docs</h1>")
                return super().__call__(argv, **options)

        flipping = Flipping(engine.prints, engine.containers, engine.model)
        said: list[str] = []
        with pytest.raises(ComposeError, match="it answers 500") as caught:
            serve(flipping, tmp_path, SECOND, said)
        ups = [
            env["DOCS_IMAGE"]
            for argv, env in zip(flipping.argvs, flipping.environments, strict=True)
            if "up" in argv
        ]
    assert ups == [SECOND.reference, FIRST.reference]
    assert "serve again" in caught.value.__notes__[-1]
    found = docs_state(tmp_path)
    assert found is not None
    assert found.image == FIRST
    assert f"--- {NAME}: running" in "".join(said)


def test_first_docs_that_do_not_serve_are_an_error_and_recorded_nowhere(tmp_path: Path) -> None:
    engine = an_engine(closed_port())
    engine.prints["docker rm"] = ""
    with pytest.raises(ComposeError, match="nothing answers"):
        serve(engine, tmp_path, FIRST)
    assert docs_state(tmp_path) is None
    assert engine.argvs[-1] == ["docker", "rm", "--force", NAME], "the next deploy tries again"


@pytest.mark.parametrize(
    ("owner", "says"), [("someone-else", "someone-else"), ("automaker-staging", "automaker-stag")]
)
def test_a_container_of_that_name_that_is_not_the_docs_is_left_alone(
    tmp_path: Path, owner: str, says: str
) -> None:
    engine = an_engine(3009, **{"com.docker.compose.project": owner})
    with pytest.raises(ComposeError, match=f"{NAME} belongs to {says}"):
        serve(engine, tmp_path, FIRST)
    assert not any("up" in argv for argv in engine.argvs)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"image": {}, "before": null}'])
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "docs.json").write_text(text, encoding="utf-8")
    assert docs_state(tmp_path) is None


@pytest.mark.parametrize("before", [None, FIRST])
def test_a_record_reads_back(tmp_path: Path, before: Image | None) -> None:
    (tmp_path / "docs").mkdir()
    state = DocsState(SECOND, "c", "s", "2026", before)
    write(tmp_path / "docs" / "docs.json", json.dumps(asdict(state)))
    assert docs_state(tmp_path) == state


@pytest.mark.parametrize(
    ("printed", "base", "why"),
    [
        ("0.0.0.0:4009\n[::]:4009\n", "http://127.0.0.1:4009", "both kinds of addresses"),
        ("[::]:4009\n", "http://127.0.0.1:4009", "one"),
        ("", None, "it does not run, so nothing is published"),
    ],
)
def test_the_docs_are_reached_where_they_are_published(
    tmp_path: Path, printed: str, base: str | None, why: str
) -> None:
    ctx = context(tmp_path, Engine({"docker port": printed}, {NAME: inspected(NAME)}))
    api = docs_api(ctx)
    assert (api.base if api else None) == base, why


def test_docs_are_missing_until_there_is_a_container_of_theirs(tmp_path: Path) -> None:
    assert docs_are_missing(context(tmp_path, Engine()))
    stopped = {NAME: inspected(NAME, Status="exited")}
    assert not docs_are_missing(context(tmp_path, Engine({}, stopped)))
    assert docs_api(context(tmp_path, Engine())) is None
