"""What tests of scheduled runs share: a job, a host that records, a checkout."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from compose.errors import ComposeError
from compose.schedule.job import Job
from compose.schedule.state import Record
from settings.owner import Owner

TOP = Path(__file__).parent.parent.parent.parent
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=BERLIN)
NAME = "automaker-staging-capacity"


def a_job(**changes: Any) -> Job:
    fields = {"name": NAME, "checkout": "/srv/a", "daily": "03:30", "plan": "regression"}
    return Job(**(fields | changes))


def a_checkout(folder: Path) -> Path:
    """A checkout that `bootstrap` has been run in."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "invoke").write_text("", encoding="utf-8")
    return folder


def copy_of_project(top: Path, nox: str, stack: str) -> Path:
    """A checkout of its own with this project's verbs, and `nox` for a nox."""
    for name in ("settings", "compose", "loadtest", "verbs"):
        shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "tasks.py", top)
    programs = top / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "invoke").symlink_to(Path(sys.executable).parent / "invoke")
    (programs / "nox").write_text(nox, encoding="utf-8")
    (programs / "nox").chmod(0o755)
    env = f"STACK_NAME='{stack}'\nDEPLOY_DIR='{top.parent}/deploys'\n"
    (top / ".env.staging").write_text(env, encoding="utf-8")
    # However busy the machine is that runs this test.
    file = top / "settings" / "loadtest.toml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace("busy_memory = 0.6", "busy_memory = 1.0")
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    return top


def a_record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "plan": "regression",
        "owner": "999999@1",
        "begun": "2026-11-24T03:30:05+01:00",
        "started": "2026-11-24T03:30:06+01:00",
        "ended": "2026-11-24T03:34:16+01:00",
        "code": 0,
        "words": "confirmed",
        "log": "/srv/a/reports/schedule/x.log",
        "report": "reports/20261124T023006Z-1/report.html",
    }
    return Record(**(fields | changes))


def under_way(**changes: Any) -> Record:
    """A run of this very process."""
    mine = {"owner": str(Owner.this_process()), "ended": "", "code": None, "words": ""}
    return a_record(**(mine | changes))


class Called:
    """A kind of schedule in memory; `problem` is what it lacks, `broken` why nothing comes."""

    def __init__(self, word: str = "cron job of root") -> None:
        self.word = word
        self.files: dict[str, str] = {}
        self.problem: ComposeError | None = None
        self.broken: list[str] = []
        self.did: list[str] = []

    def there(self) -> Mapping[str, str]:
        return dict(self.files)

    def wanted(self, job: Job) -> Mapping[str, str]:
        return {f"/etc/{self.word}": f"{job.note}\n{job.daily} {' '.join(job.argv)}\n"}

    def lacks(self) -> ComposeError | None:
        return self.problem

    def trouble(self) -> list[str]:
        return self.broken

    def put(self, job: Job) -> None:
        self.did.append("put")
        self.files = dict(self.wanted(job))

    def take(self) -> None:
        self.did.append("take")
        self.files = {}
