"""The import rules between the rooms, kept true by reading every source file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("settings", "compose", "loadtest", "verbs")
LOCUST = frozenset({"locust", "gevent"})
DOCKER = frozenset({"docker", "testcontainers"})
LOCUST_FREE = frozenset({"__init__", "result", "conductor", "progress", "allowance", "status"})
STANDIN_NEEDS = frozenset({"starlette", "uvicorn"})
# The stand-in's processes hand their environment to code that takes it as a value.
ENVIRONMENT_DOORS = (
    "settings/",
    "loadtest/standin/config.py",
    "loadtest/standin/__main__.py",
    "loadtest/standin/web.py",
    "noxfile.py",
)


def sources(root: Path) -> Iterator[tuple[PurePosixPath, ast.Module]]:
    """Every source file of the project, tests aside, with its syntax tree."""
    files = [*root.glob("*.py"), *(path for room in ROOMS for path in root.glob(f"{room}/**/*.py"))]
    for path in sorted(files):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        yield PurePosixPath(path.relative_to(root)), tree


def imported(path: PurePosixPath, tree: ast.Module) -> set[str]:
    """Full names of all that a file imports, wherever in it, as `package.module.name`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(path.parts[: -node.level]) if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def reads_environment(tree: ast.Module) -> bool:
    """Whether a file uses os.environ or os.getenv, under whatever name."""
    words = {"environ", "environb", "getenv", "getenvb", "putenv"}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in words:
                return True
            case ast.ImportFrom(module="os", names=names) if words & {one.name for one in names}:
                return True
    return False


def breaches(root: Path) -> list[str]:
    """Every import that the rules forbid, as `file: what`."""
    found = []
    for path, tree in sources(root):
        names = imported(path, tree)
        tops = {name.partition(".")[0] for name in names}
        found += [f"{path}: imports {name}" for name in sorted(_forbidden(path, names, tops))]
        if reads_environment(tree) and not str(path).startswith(ENVIRONMENT_DOORS):
            found.append(f"{path}: reads the environment")
    return found


def _forbidden(path: PurePosixPath, names: set[str], tops: set[str]) -> set[str]:
    room = path.parts[0]
    bad = set()
    if str(path) != "tasks.py" and room != "verbs":
        bad |= tops & {"invoke", "tasks", "verbs"}
    if path.parts[:2] != ("loadtest", "rig"):
        bad |= tops & DOCKER
    if path.parts[:2] != ("loadtest", "swarm") or path.stem in LOCUST_FREE:
        bad |= tops & LOCUST
        bad |= {name for name in names if _needs_locust(name)}
    if room == "settings":
        bad |= tops & {"compose", "loadtest"}
    if room == "compose":
        bad |= tops & {"loadtest"}
    if path.parts[:2] == ("loadtest", "standin"):
        inside = {name for name in names if name.startswith("loadtest.standin.")}
        others = {name for name in names - inside if not _is_standard(name)}
        bad |= {name for name in others if name.partition(".")[0] not in STANDIN_NEEDS}
    if str(path) == "noxfile.py":
        bad |= {name for name in names if not (_is_standard(name) or name.startswith("nox"))}
    return bad


def _needs_locust(name: str) -> bool:
    parts = name.split(".")
    return parts[:2] == ["loadtest", "swarm"] and len(parts) > 2 and parts[2] not in LOCUST_FREE


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def test_the_rooms_import_only_what_they_may() -> None:
    assert breaches(ROOT) == []


def test_every_room_was_looked_at() -> None:
    seen = {path.parts[0] for path, _ in sources(ROOT)}
    assert seen >= {"settings", "compose", "loadtest", "tasks.py", "noxfile.py"}
    assert (ROOT / "loadtest" / "swarm" / "result.py").exists()


ROWS = [
    ("settings/a.py", "import compose.run", "imports compose", "settings stand below compose"),
    ("settings/a.py", "from loadtest import plan", "imports loadtest", "and below loadtest"),
    ("settings/a.py", "import docker", "imports docker", "no engine in settings"),
    ("settings/a.py", "def f():\n    import locust", "imports locust", "inside a function too"),
    ("compose/a.py", "from loadtest.plan import Plan", "imports loadtest", "one way only"),
    ("compose/a.py", "import docker.errors", "imports docker", "compose runs commands"),
    ("compose/a.py", "from invoke import Exit", "imports invoke", "only verbs"),
    ("compose/a.py", "from verbs import task", "imports verbs", "verbs stand on top"),
    ("loadtest/a.py", "import tasks", "imports tasks", "verbs stand on top"),
    ("loadtest/a.py", "import invoke", "imports invoke", "Invoke fails beside Locust"),
    ("loadtest/a.py", "from docker.errors import X", "imports docker", "only the rig"),
    ("loadtest/report/a.py", "import testcontainers", "imports testcontainers", "only the rig"),
    ("loadtest/rig/a.py", "import gevent", "imports gevent", "only the swarm"),
    ("loadtest/rig/a.py", "from loadtest.swarm.board import Board",
     "imports loadtest.swarm.board.Board", "it brings Locust along"),
    ("loadtest/rig/a.py", "from loadtest.swarm import api", "imports loadtest.swarm.api",
     "by another spelling"),
    ("loadtest/swarm/result.py", "from locust import events", "imports locust", "the contract"),
    ("loadtest/swarm/conductor.py", "from loadtest.swarm.api import Api",
     "imports loadtest.swarm.api.Api", "by way of a neighbour"),
    ("loadtest/swarm/conductor.py", "from .api import Api",
     "imports loadtest.swarm.api.Api", "relative"),
    ("loadtest/swarm/__init__.py", "import gevent", "imports gevent", "every import passes it"),
    ("loadtest/standin/a.py", "from settings.sizes import Size",
     "imports settings.sizes.Size", "the image holds no settings"),
    ("loadtest/standin/a.py", "from ..plan import Plan", "imports loadtest.plan.Plan",
     "nor the rest"),
    ("loadtest/standin/a.py", "import pydantic", "imports pydantic", "nor other libraries"),
    ("noxfile.py", "import settings.load", "imports settings.load", "sessions have no libraries"),
    ("loadtest/a.py", "import os\nos.environ['X']", "reads the environment", "by its name"),
    ("compose/a.py", "import os\nx = os.getenv('X')", "reads the environment", "by its function"),
    ("tasks.py", "from os import environ as e", "reads the environment", "under another name"),
    ("loadtest/standin/a.py", "import os\nos.environ", "reads the environment", "not its door"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "says", "why"), ROWS)
def test_a_breach_of_a_rule_is_found(
    tmp_path: Path, file: str, text: str, says: str, why: str
) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(f"{text}\n", encoding="utf-8")
    assert breaches(tmp_path) == [f"{file}: {says}"], why


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tasks.py", "import invoke\nfrom verbs import host"),
        ("verbs/a.py", "import invoke\nfrom loadtest.plan import Plan"),
        ("loadtest/rig/a.py", "import docker\nfrom loadtest.swarm.result import SwarmTask"),
        ("loadtest/swarm/a.py", "import locust\nfrom loadtest.swarm.board import Board"),
        ("loadtest/a.py", "from compose.model import read_limits\nimport settings.load"),
        ("loadtest/standin/a.py", "import os\nimport uvicorn\nfrom .app import create_app"),
        ("settings/a.py", "import os\nos.environ"),
        ("noxfile.py", "import os\nfrom nox.command import CommandFailed"),
        ("loadtest/a.py", "import os\nos.environment_of_mine = self.environ"),
    ],
)
def test_what_is_allowed_is_no_breach(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(f"{text}\n", encoding="utf-8")
    assert breaches(tmp_path) == []
