"""Compressed swap behind the target's memory, for true sizes on a host with less RAM."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from compose.errors import ComposeError
from compose.run import Run
from loadtest.rig.errors import RigError
from settings.owner import Owner

CONTROL = Path("/sys/class/zram-control")
# Lost at a reboot, as the devices are.
STATE = Path("/run/automaker-staging")
# Above any other swap: what is there already is not used before ours is full.
_PRIORITY = 32767
_TOOLS_S = 300.0


def can_back(control: Path = CONTROL) -> bool:
    """Whether this user may make compressed swap on this host."""
    tools = all(shutil.which(tool) for tool in ("mkswap", "swapon", "swapoff"))
    return os.geteuid() == 0 and tools and (control.exists() or bool(shutil.which("modprobe")))


@contextlib.contextmanager
def compressed_swap(run: Run, size: int) -> Iterator[str]:
    """A swap device of `size` bytes, gone afterwards; yields its name, such as `zram1`.

    A device of its own: swap that exists is neither used nor disturbed. Raises RigError where
    the kernel gives none.
    """
    if not CONTROL.exists():
        run(["modprobe", "zram"], check=False)
    try:
        name = f"zram{int((CONTROL / 'hot_add').read_text(encoding='ascii'))}"
    except (OSError, ValueError) as error:
        problem = RigError(f"no compressed swap can be made here: {error}")
        problem.add_note("choose a smaller --scale, or run on a host with the memory")
        raise problem from None
    STATE.mkdir(parents=True, exist_ok=True)
    (STATE / name).write_text(str(Owner.this_process()), encoding="ascii")
    try:
        Path(f"/sys/block/{name}/disksize").write_text(str(size), encoding="ascii")
        run(["mkswap", f"/dev/{name}"], timeout_s=_TOOLS_S)
        run(["swapon", "--priority", str(_PRIORITY), f"/dev/{name}"], timeout_s=_TOOLS_S)
        yield name
    finally:
        _remove(run, name)


def abandoned_swap() -> list[str]:
    """Swap devices of ours whose owner is gone."""
    if not STATE.is_dir():
        return []
    owners = {path.name: Owner.parse(path.read_text(encoding="ascii")) for path in STATE.iterdir()}
    return sorted(name for name, owner in owners.items() if owner is None or not owner.is_alive())


def sweep_swap(run: Run) -> list[str]:
    """Remove swap devices that a killed run left behind; returns their names."""
    found = abandoned_swap()
    for name in found:
        _remove(run, name)
    return found


def _remove(run: Run, name: str) -> None:
    device = Path(f"/sys/block/{name}")
    if device.exists():
        if f"/dev/{name} " in Path("/proc/swaps").read_text(encoding="ascii"):
            run(["swapoff", f"/dev/{name}"], timeout_s=_TOOLS_S)
        try:
            (device / "reset").write_text("1", encoding="ascii")
            (CONTROL / "hot_remove").write_text(name.removeprefix("zram"), encoding="ascii")
        except OSError as error:
            raise ComposeError(f"the swap device {name} cannot be removed: {error}") from None
    (STATE / name).unlink(missing_ok=True)
