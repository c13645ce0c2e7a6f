"""Building: the very words, no secret among them, and images that prove what they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from compose.deploy import host as host_module
from compose.deploy.build import (
    BUILD_S,
    BuildLog,
    build,
    build_argv,
    inspect_image,
    see_images,
)
from compose.deploy.release import Image
from compose.deploy.source import BuildContext
from compose.errors import ComposeError
from compose.run import Completed
from tests.compose.deploy.fakes import Engine, host, image_line, refusal

CONTEXT = BuildContext(Path("/src"), "c0ffee", {"STANDIN_FAULT": "crash"})
ID = "sha256:" + "ab" * 32
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def test_the_command_word_by_word() -> None:
    argv = build_argv("server", CONTEXT, {"UID": "1000"}, "automaker", "")
    assert argv == [
        *("docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"),
        *("--target", "server", "--label", "automaker-staging.stack=automaker"),
        *("--build-arg", "GIT_COMMIT_SHA=c0ffee"),
        *("--build-arg", "STANDIN_FAULT=crash"),
        *("--build-arg", "UID=1000"),
        "/src",
    ]


def test_certificates_are_a_secret_of_the_build_and_no_layer() -> None:
    argv = build_argv("server", CONTEXT, {}, "automaker", "/etc/ca.pem")
    assert argv[-3:] == ["--secret", "id=ca_bundle,src=/etc/ca.pem", "/src"]


def test_a_proxy_is_handed_on_by_its_name_since_it_may_hold_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:s3cret@proxy:3128")
    argv = build_argv("server", CONTEXT, {}, "automaker", "")
    assert argv[-3:] == ["--build-arg", "HTTPS_PROXY", "/src"]
    assert "s3cret" not in " ".join(argv)


def test_the_commit_is_that_of_the_source_whatever_the_model_says() -> None:
    argv = build_argv("ui", CONTEXT, {"GIT_COMMIT_SHA": "unknown"}, "a", "")
    assert [one for one in argv if "GIT_COMMIT_SHA" in one] == ["GIT_COMMIT_SHA=c0ffee"]


LOG = """\
#0 building with "default" instance using docker driver
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 2B done
#1 DONE 0.0s
#5 [server 1/3] FROM node:22
#5 CACHED
#6 [server 2/3] RUN npm ci
#7 [ui 1/2] RUN build
#6 0.3 added 7 packages
#6 0.4 more
#7 DONE 0.2s
#6 DONE 3.1s

#8 exporting to image
#8 DONE 0.1s
"""


def test_of_a_build_only_stages_that_take_time_are_shown() -> None:
    shown: list[str] = []
    log = BuildLog(shown.append)
    for line in LOG.splitlines():
        log(line)
    assert shown == ["[server 2/3] RUN npm ci", "[ui 1/2] RUN build"]


def test_a_stage_is_shown_when_it_begins_to_say_something() -> None:
    shown: list[str] = []
    log = BuildLog(shown.append)
    log("#6 [server 2/3] RUN " + "x" * 500)
    assert shown == []
    log("#6 0.1 hello")
    assert len(shown[0]) == 100


BUILDING = f"automaker-server:building-{os.getpid()}"


def builder(
    monkeypatch: pytest.MonkeyPatch, *, lines: Sequence[str] = (), status: int = 0
) -> list[list[str]]:
    """Have `docker buildx build` print lines; returns what was run."""
    argvs: list[list[str]] = []

    def stream(argv: Sequence[str], on_line: Callable[[str], None], **options: Any) -> int:
        argvs.append(list(argv))
        assert options["timeout_s"] == BUILD_S
        for line in lines:
            on_line(line)
        return status

    monkeypatch.setattr(host_module, "stream", stream)
    return argvs


def build_server(engine: Engine, said: list[str], *, dry: bool = False) -> Image:
    return build(
        host(engine, said, dry=dry),
        "server",
        CONTEXT,
        args={},
        stack="automaker",
        ca_bundle="",
    )


def engine_with(label: str) -> Engine:
    return Engine(
        {
            "docker image inspect": image_line(ID, label),
            "docker image tag": "",
            "docker image rm": "",
        }
    )


def test_an_image_gets_the_name_of_its_content(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    argvs = builder(monkeypatch, lines=LOG.splitlines())
    engine, said = engine_with("c0ffee"), list[str]()
    image = build_server(engine, said)
    assert image == Image("automaker-server:abababababab", ID)
    assert argvs[0][-3:] == ["--tag", BUILDING, "/src"]
    assert engine.argvs[0][-1] == BUILDING, "what was built is found by its name"
    assert engine.commands[1:] == [
        f"docker image tag {ID} automaker-server:abababababab",
        f"docker image rm {BUILDING}",
    ], "it has its own name before it loses the other one"
    assert "RUN npm ci" in "".join(said)


def test_an_image_that_carries_another_commit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder(monkeypatch)
    engine = engine_with("0ldc0de")
    with pytest.raises(ComposeError, match="carries the commit 0ldc0de, not c0ffee") as caught:
        build_server(engine, [])
    assert "ARG GIT_COMMIT_SHA" in caught.value.__notes__[0]
    assert not any("tag" in argv for argv in engine.argvs)
    assert engine.commands[-1] == f"docker image rm {BUILDING}", "nothing of it is left"


def test_an_image_that_cannot_prove_its_code_is_taken_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder(monkeypatch)
    said: list[str] = []
    build_server(engine_with(""), said)
    assert "automaker-server has no label automaker.git.commit.sha" in "".join(said)


def test_an_image_that_the_engine_does_not_have_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder(monkeypatch)
    with pytest.raises(ComposeError, match="no image after building server"):
        build_server(Engine(), [])


@pytest.mark.parametrize(
    "words",
    [
        "ERROR: failed to solve: write /x: no space left on device",
        "cp: error writing 'x': No space left on device",
    ],
)
def test_a_full_disk_says_what_to_remove(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    builder(monkeypatch, lines=["#6 [server 2/3] RUN x", f"#6 0.1 {words}"], status=1)
    with pytest.raises(ComposeError, match=r"(?i)no space left") as caught:
        build_server(Engine(), [])
    assert "invoke prune" in "".join(getattr(caught.value, "__notes__", ()))


def test_a_build_that_fails_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    builder(monkeypatch, lines=["#6 0.1 npm ERR! missing script", "", "  "], status=17)
    with pytest.raises(ComposeError, match=r"exit status 17(.|\n)*npm ERR! missing") as caught:
        build_server(Engine(), [])
    assert not hasattr(caught.value, "__notes__")


def test_a_dry_run_shows_the_command_and_builds_nothing() -> None:
    said: list[str] = []
    engine = Engine()
    assert build_server(engine, said, dry=True).reference == "automaker-server:CONTENT"
    assert "$ docker buildx build --load" in "".join(said)
    built, *named = [line.strip() for line in "".join(said).splitlines()]
    assert built.endswith(f"--tag {BUILDING} /src")
    assert named == [
        "$ docker image tag IMAGE-ID automaker-server:CONTENT",
        f"$ docker image rm {BUILDING}",
    ]
    assert engine.argvs == []


@pytest.mark.parametrize(
    ("printed", "found", "why"),
    [
        (image_line(ID, "c0ffee"), (ID, "c0ffee"), "both"),
        (image_line(ID), (ID, ""), "no labels at all"),
        (f'{ID} {{"other": "label"}}\n', (ID, ""), "another label"),
        (refusal("No such image"), None, "no image"),
    ],
)
def test_what_an_image_is(
    printed: str | Completed, found: tuple[str, str] | None, why: str
) -> None:
    assert inspect_image(host(Engine({"docker image inspect": printed})), "x") == found, why


def images_there(**references: str) -> Engine:
    """An engine that has images under these references (`_` for `:`), by their ids."""

    class Images(Engine):
        def _answer(self, argv: list[str]) -> Completed:
            if argv[:3] != ["docker", "image", "inspect"]:
                return super()._answer(argv)
            found = references.get(argv[-1].replace(":", "_"))
            return Completed(image_line(found), "", 0) if found else refusal("No such image")

    return Images({"docker image tag": ""})


SERVER = {"server": Image("a:1", "sha256:one")}


def test_images_that_are_there_under_their_names_are_left_alone() -> None:
    engine = images_there(a_1="sha256:one")
    see_images(host(engine), SERVER)
    assert not any("tag" in argv for argv in engine.argvs)


@pytest.mark.parametrize("names", [{}, {"a_1": "sha256:other"}])
def test_a_name_that_was_lost_or_means_another_image_is_given_again(names: dict[str, str]) -> None:
    engine = images_there(**names, sha256_one="sha256:one")
    see_images(host(engine), SERVER)
    assert engine.commands[-1] == "docker image tag sha256:one a:1"


def test_an_image_that_is_gone_is_named() -> None:
    with pytest.raises(ComposeError, match="the image of server is gone: a:1") as caught:
        see_images(host(images_there(a_1="sha256:other")), SERVER)
    assert "roll back to another release" in caught.value.__notes__[0]
