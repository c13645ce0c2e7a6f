"""Who gets which users in a fleet; in a process of its own, since Locust replaces its sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
from locust import User
from locust.runners import WorkerNode
from loadtest.swarm.distributed import FleetDispatcher

class Haiku(User): pass
class Opus(User): pass
FleetDispatcher.plan = ["Haiku", "Opus", "Haiku"]
nodes = {name: WorkerNode(name) for name in ("a", "b", "c")}
dispatcher = FleetDispatcher([nodes["a"], nodes["b"]], [Haiku, Opus])
said = []

def dispatch():
    dispatcher.new_dispatch(6, 100.0)
    said.append(list(dispatcher))

STEPS
print(json.dumps(said))
"""
ALL = {"Haiku": 2, "Opus": 1}


def dispatched(*steps: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("STEPS", "\n".join(steps))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("steps", "workers", "why"),
    [
        ((), [["a", "b"]], "all at once, and nothing more"),
        (("dispatcher.remove_worker(nodes['b'])",), [["a", "b"], ["a"]], "a keeps its own"),
        (("dispatcher.add_worker(nodes['c'])",), [["a", "b"], ["a", "b", "c"]], "a late one"),
    ],
)
def test_every_worker_gets_all_users_whoever_comes_and_goes(
    steps: tuple[str, ...], workers: list[list[str]], why: str
) -> None:
    again = [*steps, "dispatch()"] if steps else []
    expected = [[dict.fromkeys(names, ALL)] for names in workers]
    assert dispatched("dispatch()", *again) == expected, why
