"""What the engine says of a container that ends at once: is a port free, a directory there?"""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.deploy.engine_probe import PROBE_LABEL, missing_mounts, probe_image, taken_ports
from compose.deploy.tiny_program import archive, program
from compose.errors import ComposeError
from compose.run import Completed
from settings.owner import Owner
from tests.compose.deploy.fakes import Engine, host, refusal

IMAGE = "automaker-staging-probe:x86_64"
FORMAT = "OCI runtime create failed: exec /end: exec format error: unknown"
FREE: list[tuple[str | Completed, str]] = [
    ("name\n", "it ran"),
    (refusal(f"Error response from daemon: {FORMAT}"), "a reason not to run that is no port"),
    (refusal("Error response from daemon: No command specified"), "another one"),
]
TAKEN = [
    (
        "Error response from daemon: driver failed programming external connectivity on endpoint "
        "p1 (ad57...): Bind for 0.0.0.0:3999 failed: port is already allocated",
        "by another container",
    ),
    (
        "Error response from daemon: driver failed programming external connectivity on endpoint "
        "p1 (ad57...): Error starting userland proxy: listen tcp4 0.0.0.0:3999: bind: address "
        "already in use",
        "by a process of the host",
    ),
    (
        "Error response from daemon: failed to set up container networking: driver failed "
        "programming external connectivity on endpoint p1 (ad57...): failed to bind host port for "
        "0.0.0.0:3999:172.17.0.2:1/tcp: address already in use",
        "as newer engines say it",
    ),
    (
        "Error response from daemon: Ports are not available: exposing port TCP 0.0.0.0:3999 -> "
        "0.0.0.0:0: listen tcp 0.0.0.0:3999: bind: address already in use",
        "as desktop engines say it",
    ),
]
MISSING = (
    'Error response from daemon: invalid mount config for type "bind": bind source path does not '
    "exist: /nope"
)


def starting(said: str | Completed) -> Engine:
    """An engine that makes every container and says this when it is started."""
    return Engine({"docker create": "id\n", "docker start": said, "docker rm": ""})


def creating(text: str) -> Engine:
    """An engine that refuses to make a container."""
    return Engine({"docker create": refusal(text)})


@pytest.mark.parametrize(("text", "why"), TAKEN)
def test_a_port_is_taken(text: str, why: str) -> None:
    assert taken_ports(host(starting(refusal(text))), IMAGE, [3999]) == [3999], why


@pytest.mark.parametrize(("said", "why"), FREE)
def test_a_port_is_free(said: str | Completed, why: str) -> None:
    assert taken_ports(host(starting(said)), IMAGE, [3999]) == [], why


def test_a_port_that_may_not_be_bound_is_not_free() -> None:
    text = (
        "Error response from daemon: driver failed programming external connectivity on endpoint "
        "p1 (ad57...): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: permission "
        "denied"
    )
    assert taken_ports(host(starting(refusal(text))), IMAGE, [80]) == [80]


def test_a_directory_is_missing() -> None:
    assert missing_mounts(host(creating(MISSING)), IMAGE, ["/nope"]) == ["/nope"]


@pytest.mark.parametrize(("said", "why"), FREE)
def test_a_directory_is_there(said: str | Completed, why: str) -> None:
    assert missing_mounts(host(starting(said)), IMAGE, ["/srv"]) == [], why


def test_a_taken_port_is_no_missing_directory_nor_the_other_way_round() -> None:
    assert missing_mounts(host(starting(refusal(TAKEN[0][0]))), IMAGE, ["/srv"]) == []
    assert taken_ports(host(creating(MISSING)), IMAGE, [3999]) == []


def test_every_port_is_tried_with_a_container_of_its_own_that_is_removed() -> None:
    engine = starting(FREE[0][0])
    taken_ports(host(engine), IMAGE, [3007, 3008])
    made = [argv[argv.index("--name") + 1] for argv in engine.argvs if argv[1] == "create"]
    gone = [argv[-1] for argv in engine.argvs if argv[:3] == ["docker", "rm", "--force"]]
    assert len(set(made)) == 2
    assert gone == made
    first = engine.argvs[0]
    assert first[-4:] == ["--publish", "3007:1", IMAGE, "/end"]
    assert "--restart=no" in first


def test_a_directory_is_tried_as_a_mount_that_makes_nothing() -> None:
    engine = starting(FREE[0][0])
    missing_mounts(host(engine), IMAGE, ["/srv/a b"])
    options = engine.argvs[0][-4:-2]
    assert options == ["--mount", "type=bind,source=/srv/a b,target=/probe"]


def test_a_container_that_was_not_made_need_not_be_removed() -> None:
    engine = creating(MISSING)
    missing_mounts(host(engine), IMAGE, ["/nope"])
    assert [argv[1] for argv in engine.argvs] == ["create"]


def test_the_container_goes_even_when_the_engine_hangs_at_its_start() -> None:
    class Hanging(Engine):
        def _answer(self, argv: list[str]) -> Completed:
            if argv[1] == "start":
                raise ComposeError("no end after 60 s")
            return super()._answer(argv)

    engine = Hanging({"docker create": "id\n", "docker rm": ""})
    with pytest.raises(ComposeError, match="no end"):
        taken_ports(host(engine), IMAGE, [3999])
    assert engine.argvs[-1][1] == "rm"


def test_a_container_that_stays_is_said() -> None:
    engine = Engine({"docker create": "id\n", "docker start": ""})
    with pytest.raises(ComposeError, match=r"automaker-staging-probe-\w+ could not be removed"):
        taken_ports(host(engine), IMAGE, [3999])


class Importing(Engine):
    """An engine that reads the archive it is handed while it is there."""

    archives: list[tuple[str, bytes]]

    def _answer(self, argv: list[str]) -> Completed:
        if argv[1] == "import":
            self.archives = [(argv[2], Path(argv[2]).read_bytes())]
        return super()._answer(argv)


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_image_is_made_once_without_a_registry(architecture: str) -> None:
    name = f"automaker-staging-probe:{architecture}"
    engine = Importing({"docker import": "sha256:x\n", "docker ps": ""})
    assert probe_image(host(engine), architecture) == name
    ((path, content),) = engine.archives
    assert engine.argvs[-1] == ["docker", "import", path, name]
    made = program(architecture)
    assert made is not None
    assert content == archive(made)
    assert not Path(path).exists(), "the file goes as soon as the engine has it"
    there = Engine({f"docker image inspect {name}": "[]", "docker ps": ""})
    assert probe_image(host(there), architecture) == name
    assert not any("import" in argv for argv in there.argvs)


def test_an_image_that_the_engine_does_not_take_leaves_no_file() -> None:
    engine = Importing({"docker ps": ""})
    with pytest.raises(ComposeError, match="docker import"):
        probe_image(host(engine), "x86_64")
    assert not Path(engine.archives[0][0]).exists()


def test_an_engine_with_a_processor_that_is_not_known_is_not_probed() -> None:
    engine = Engine()
    assert probe_image(host(engine), "riscv64") is None
    assert engine.argvs == []


def test_probes_of_verbs_that_were_killed_are_removed_and_no_others() -> None:
    mine = Owner.this_process()
    gone = Owner(mine.pid, 1)
    printed = f"id1 {gone}\nid2 {mine}\nid3 nonsense\n"
    engine = Engine({"docker image inspect": "[]", "docker ps": printed, "docker rm": ""})
    probe_image(host(engine), "x86_64")
    removed = [argv[-1] for argv in engine.argvs if argv[:3] == ["docker", "rm", "--force"]]
    assert removed == ["id1", "id3"]
    assert f"label={PROBE_LABEL}" in engine.argvs[0]
