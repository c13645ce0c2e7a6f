"""Before anything is changed: every problem is found, and all are told at once."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compose.checks import Check
from compose.deploy import preflight as module
from compose.deploy.containers import HOME_LABEL, PROJECT_LABEL
from compose.deploy.preflight import (
    EngineFacts,
    engine_facts,
    make_our_directories,
    preflight,
)
from compose.deploy.view import StackView
from compose.errors import ComposeError
from compose.run import Completed
from tests.compose.deploy.fakes import GIB, Engine, context, inspected, refusal, view

SERVER, UI = "automaker-server-staging", "automaker-ui-staging"
ALLOCATED = "Bind for 0.0.0.0:3999 failed: port is already allocated"
NOT_THERE = "bind source path does not exist: /srv"


ROOMY = EngineFacts(48 * GIB, 8, (Path("/"),), True, "x86_64")


@dataclass
class Case:
    """A host on which all is well, until a test changes something."""

    home: Path
    view: StackView = field(default_factory=view)
    facts: EngineFacts = ROOMY
    min_free: int = 10**9
    dry: bool = False
    prints: dict[str, str | Completed] = field(default_factory=dict)
    containers: dict[str, str] = field(default_factory=dict)
    engine: Engine = field(default_factory=Engine)

    def look(self) -> list[Check]:
        """What preflight finds; raises where something fails."""
        self.engine = Engine(
            {
                "docker ps --filter publish=": "",
                "docker ps --all --filter label=automaker-staging.probe": "",
                "docker image inspect automaker-staging-probe:x86_64": "[]",
                "docker create": "id\n",
                "docker start": "",
                "docker rm": "",
                **self.prints,
            },
            self.containers,
        )
        ctx = context(self.home, self.engine, dry=self.dry, local=self.facts.local)
        return preflight(ctx, self.view, self.facts, self.min_free)

    def labelled(self, name: str, **labels: str) -> None:
        """Have a container of that name, with these labels."""
        project = labels.pop("project", "automaker-staging")
        home = labels.pop("home", "")
        both = {PROJECT_LABEL: project, HOME_LABEL: home}
        self.containers[name] = inspected(name, labels={k: v for k, v in both.items() if v})


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setattr("psutil.net_connections", lambda _kind: [])
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: SimpleNamespace(free=20 * 10**9, total=0, used=0)
    )
    return Case(tmp_path / "home")


def test_where_all_is_well_nothing_fails(case: Case) -> None:
    assert [(one.name, one.level) for one in case.look()] == [("disk", "pass"), ("memory", "pass")]


def limits(case: Case, **changes: Any) -> None:
    server = case.view["server"]
    changed = replace(server, limits=replace(server.limits, **changes))
    case.view = replace(case.view, services={**case.view.services, "server": changed})


def taken(port: int) -> dict[str, str | Completed]:
    return {f"docker ps --filter publish={port} ": "somebody\n"}


Change = Callable[[Case], object]
PROBLEMS: list[tuple[Change, str, str, str]] = [
    (
        lambda case: setattr(case, "min_free", 30 * 10**9),
        "disk: 20.0 GB free where Docker keeps its data, below 30.0 GB",
        "invoke prune",
        "a full disk",
    ),
    (
        lambda case: limits(case, memory_bytes=49 * GIB),
        "memory: MEMORY_LIMIT is 49.0 GiB, and the host has 48.0 GiB",
        "a lower MEMORY_LIMIT",
        "more memory than there is",
    ),
    (
        lambda case: limits(case, cpus=8.5),
        "cpus: CPU_LIMIT is 8.5, and the host has 8",
        "CPU_LIMIT=7",
        "more processors than there are",
    ),
    (
        lambda case: limits(case, memory_bytes=GIB, node_old_space_mib=1024),
        r"heap: NODE_MAX_OLD_SPACE \(1024 MiB\) reaches MEMORY_LIMIT \(1.0 GiB\)",
        "NODE_MAX_OLD_SPACE=512",
        "a heap that is never collected before the kernel comes",
    ),
    (
        lambda case: case.labelled(SERVER, project="someone-else"),
        f"names: {SERVER} belongs to someone-else, not to automaker-staging",
        f"docker rm -f {SERVER}",
        "a container of another project",
    ),
    (
        lambda case: case.labelled(SERVER, project=""),
        f"names: {SERVER} belongs to nobody, not to automaker-staging",
        "another STACK_NAME",
        "a container that somebody made by hand",
    ),
    (
        lambda case: case.prints.update(taken(3008)),
        "ports: port 3008 of server is held by somebody",
        "another API_PORT",
        "a container has the port",
    ),
    (
        lambda case: case.prints.update(taken(3007)),
        "ports: port 3007 of ui is held by somebody",
        "another UI_PORT",
        "the other port",
    ),
]


@pytest.mark.parametrize(("change", "found", "fix", "why"), PROBLEMS)
def test_a_problem_is_found_and_says_what_to_do(
    case: Case, change: Change, found: str, fix: str, why: str
) -> None:
    change(case)
    with pytest.raises(ComposeError, match=found) as caught:
        case.look()
    assert len(str(caught.value).splitlines()) == 1, why
    (note,) = caught.value.__notes__
    assert fix in note


def test_every_problem_is_told_at_once(case: Case) -> None:
    case.min_free = 30 * 10**9
    limits(case, memory_bytes=49 * GIB, cpus=9.0, node_old_space_mib=60000)
    case.labelled(SERVER, project="someone-else")
    case.prints |= {"docker start": refusal(ALLOCATED), "docker create": "id\n"}
    with pytest.raises(ComposeError) as caught:
        case.look()
    names = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert names == ["disk", "memory", "cpus", "heap", "names", "ports", "ports"]
    assert [note.partition(":")[0] for note in caught.value.__notes__] == names


def test_a_process_of_the_engines_host_that_cannot_be_seen_is_found_by_the_engine(
    case: Case,
) -> None:
    case.prints["docker start"] = refusal(ALLOCATED)
    with pytest.raises(ComposeError, match="port 3008 of server is held by something on the eng"):
        case.look()


def test_a_process_of_this_host_is_named(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = SimpleNamespace(status="LISTEN", laddr=SimpleNamespace(port=3008), pid=None)
    monkeypatch.setattr("psutil.net_connections", lambda _kind: [listening])
    with pytest.raises(ComposeError, match="3008 of server is held by a process of another user"):
        case.look()


def test_ports_that_our_own_containers_hold_are_not_asked_for(case: Case) -> None:
    case.prints |= {
        "docker ps --filter publish=3008 ": f"{SERVER}\n",
        "docker ps --filter publish=3007 ": f"{UI}\n",
        "docker start": refusal(ALLOCATED),
    }
    case.view = replace(case.view, mounts=())
    case.look()
    assert not any("create" in argv for argv in case.engine.argvs)


def test_containers_of_ours_are_no_problem(case: Case) -> None:
    case.labelled(SERVER, home=str(case.home))
    case.labelled(UI, home="/moved/since")
    assert all(one.level == "pass" for one in case.look())


def test_directories_that_are_missing_are_named_in_one_line_with_their_owner(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "staging_owner", lambda: (1234, 1235))
    case.prints["docker create"] = refusal(NOT_THERE)
    with pytest.raises(ComposeError) as no:
        case.look()
    assert str(no.value) == "mounts: missing: /srv/projects, /srv/labs"
    assert no.value.__notes__ == ["mounts: sudo install -d -o 1234 -g 1235 /srv/projects /srv/labs"]


def test_of_an_engine_elsewhere_the_disk_is_not_known(case: Case) -> None:
    case.facts = replace(case.facts, local=False)
    case.min_free = 10**15
    disk = case.look()[0]
    assert (disk.level, disk.found) == (
        "warn",
        "not known: the engine's disk cannot be seen from here",
    )


def test_directories_of_an_engine_elsewhere_are_to_be_made_there(case: Case) -> None:
    case.facts = replace(case.facts, local=False)
    case.prints["docker create"] = refusal(NOT_THERE)
    with pytest.raises(ComposeError, match="mounts: missing") as caught:
        case.look()
    assert "mounts: on the engine's host: sudo install" in caught.value.__notes__[0]


def test_a_dry_run_makes_no_container_to_find_out(case: Case, tmp_path: Path) -> None:
    case.dry = True
    case.view = replace(case.view, mounts=(str(tmp_path), "/srv/automaker/projects"))
    case.look()
    assert not any(argv[1] in ("create", "start", "import") for argv in case.engine.argvs)
    case.view = replace(case.view, mounts=(str(tmp_path / "absent"),))
    with pytest.raises(ComposeError, match=r"missing: .*/absent"):
        case.look()


def test_two_services_on_one_port_are_found(case: Case) -> None:
    case.view = view(server=3007)
    with pytest.raises(ComposeError, match="3007"):
        case.look()


INFO = {
    "MemTotal": 48 * GIB,
    "NCPU": 8,
    "DockerRootDir": "/data/docker",
    "Architecture": "x86_64",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
}
SNAPSHOTTER = [["driver-type", "io.containerd.snapshotter.v1"]]


def test_the_engine_says_what_its_host_has(tmp_path: Path) -> None:
    engine = Engine({"docker info": json.dumps(INFO)})
    facts = engine_facts(context(tmp_path, engine))
    assert facts == EngineFacts(48 * GIB, 8, (Path("/data/docker"),), True, "x86_64")


def test_what_an_engine_leaves_out_is_not_made_up(tmp_path: Path) -> None:
    engine = Engine({"docker info": json.dumps({"MemTotal": GIB, "NCPU": 1})})
    facts = engine_facts(context(tmp_path, engine, local=False))
    assert facts == EngineFacts(GIB, 1, (Path("/"),), False, "")


def test_where_containerd_keeps_the_images_its_disk_counts_too(tmp_path: Path) -> None:
    engine = Engine({"docker info": json.dumps(INFO | {"DriverStatus": SNAPSHOTTER})})
    facts = engine_facts(context(tmp_path, engine))
    assert facts.data == (Path("/data/docker"), Path("/var/lib/containerd"))


def test_of_several_disks_the_fullest_counts_and_what_is_not_there_does_not(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {tmp_path: 20 * 10**9, tmp_path / "containerd": 2 * 10**9}
    (tmp_path / "containerd").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free[path]))
    case.facts = replace(case.facts, data=(*free, tmp_path / "absent"))
    assert case.look()[0].found == "2.0 GB free where Docker keeps its data"
    case.min_free = 3 * 10**9
    with pytest.raises(ComposeError, match=r"disk: 2\.0 GB free"):
        case.look()


def test_a_disk_that_is_not_seen_is_not_known(case: Case, tmp_path: Path) -> None:
    case.facts = replace(case.facts, data=(tmp_path / "absent",))
    case.min_free = 10**15
    assert (case.look()[0].level, case.look()[0].name) == ("warn", "disk")


def test_an_engine_that_cannot_be_probed_is_looked_at_from_here(case: Case, tmp_path: Path) -> None:
    case.facts = replace(case.facts, architecture="riscv64")
    case.view = replace(case.view, mounts=(str(tmp_path),))
    assert all(one.level == "pass" for one in case.look())
    assert not any(argv[1] in ("create", "start", "import") for argv in case.engine.argvs)
    case.view = replace(case.view, mounts=(str(tmp_path / "absent"),))
    with pytest.raises(ComposeError, match=r"missing: .*/absent"):
        case.look()
    case.facts = replace(case.facts, local=False)
    case.look()


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "{",
        "[]",
        "null",
        '{"ID": "", "ServerErrors": ["Cannot connect"]}',
        '{"MemTotal": null, "NCPU": 1}',
        refusal("Cannot connect to the Docker daemon"),
    ],
)
def test_without_an_engine_there_is_one_sentence_and_exit_code_2(
    tmp_path: Path, printed: str | Completed
) -> None:
    ctx = context(tmp_path, Engine({"docker info": printed}))
    with pytest.raises(ComposeError) as caught:
        engine_facts(ctx)
    assert str(caught.value) == "no Docker engine answers"
    assert caught.value.exit_code == 2
    assert caught.value.__notes__ == ["invoke provision"]


@pytest.mark.parametrize(
    ("local", "dry", "makes", "why"),
    [
        (True, False, True, "the directories that nobody chose"),
        (True, True, False, "a dry run makes none"),
        (False, False, False, "here they would be of no use to an engine elsewhere"),
    ],
)
def test_only_our_own_directories_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool, dry: bool, makes: bool, why: str
) -> None:
    ours, chosen = tmp_path / "a" / "ours", tmp_path / "a" / "chosen"
    monkeypatch.setattr(module, "OUR_DIRECTORIES", frozenset({str(ours)}))
    ctx = context(tmp_path, Engine(), dry=dry, local=local)
    facts = EngineFacts(GIB, 1, (Path("/"),), local, "x86_64")
    make_our_directories(ctx, replace(view(), mounts=(str(ours), str(chosen))), facts)
    assert ours.is_dir() is makes, why
    assert not chosen.exists(), "a mistyped one would become an empty directory"


def test_a_directory_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ours = str(tmp_path / "file" / "ours")
    monkeypatch.setattr(module, "OUR_DIRECTORIES", frozenset({ours}))
    facts = EngineFacts(GIB, 1, (Path("/"),), True, "x86_64")
    with pytest.raises(ComposeError, match=f"{ours}: cannot be made: Not a directory"):
        make_our_directories(context(tmp_path, Engine()), replace(view(), mounts=(ours,)), facts)


def test_a_directory_that_needs_root_is_left_to_the_check_of_the_mounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = str(tmp_path / "ours")
    monkeypatch.setattr(module, "OUR_DIRECTORIES", frozenset({ours}))

    def denied(*_anything: Any, **_options: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", denied)
    make_our_directories(
        context(tmp_path, Engine()), replace(view(), mounts=(ours,)), replace(ROOMY, memory=GIB)
    )
    assert not Path(ours).exists()
