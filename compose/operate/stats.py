"""How much the containers use: memory as the kernel counts it, processors, processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compose.deploy.containers import container
from compose.deploy.context import Context
from compose.operate.live import live_state
from compose.operate.memory import Memory, memory_of
from compose.table import table


@dataclass(frozen=True)
class Usage:
    """What one container uses now. `cpu` is in percent of one core, as `docker stats` has it."""

    service: str
    memory: Memory | None
    cpu: str
    processes: str

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        warnings = self.memory.warnings() if self.memory else []
        return asdict(self) | {"warnings": warnings}


def usage(ctx: Context) -> list[Usage]:
    """Return what runs, a line a container."""
    view = live_state(ctx).running.view
    names = {one.container: name for name, one in view.services.items()}
    names[f"{ctx.stack.name}-docs"] = "docs"
    states = {name: container(ctx.host, name) for name in names}
    running = [name for name, state in states.items() if state is not None and state.running]
    if not running:
        return []
    argv = ["docker", "stats", "--no-stream", "--format", "{{json .}}", *running]
    said = {}
    for line in ctx.host.look(argv).stdout.splitlines():
        row = json.loads(line)
        said[row["Name"]] = row
    found = []
    for name in running:
        state, row = states[name], said.get(name, {})
        memory = memory_of(ctx.host, name, state.memory) if state else None
        found.append(Usage(names[name], memory, row.get("CPUPerc", "-"), row.get("PIDs", "-")))
    return found


def show_usage(rows: Sequence[Usage]) -> str:
    """Return it as a person reads it, signs of pressure below."""
    if not rows:
        return "nothing runs: invoke start"
    cells = [
        (one.service, one.memory.text() if one.memory else "not known", one.cpu, one.processes)
        for one in rows
    ]
    warnings = [
        f"! {one.service}: {text}"
        for one in rows
        for text in (one.memory.warnings() if one.memory else [])
    ]
    return "\n".join([table(cells, ("Service", "Memory", "CPU", "Processes")), *warnings])
