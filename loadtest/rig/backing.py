"""Swap behind the target's memory, for true sizes on a host with less RAM: zram, else a file."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from compose.errors import ComposeError
from compose.run import Run
from loadtest.plan import SwapWay
from loadtest.rig.errors import RigError
from settings.owner import Owner

CONTROL = Path("/sys/class/zram-control")
# Lost at a reboot, as the devices are.
STATE = Path("/run/automaker-staging")
# On disk, unlike /tmp, which may be memory.
FILES = Path("/var/tmp")  # noqa: S108 - names of chance, and made exclusively
# Above any other swap: what is there already is not used before ours is full.
_PRIORITY = 32767
_TOOLS_S = 300.0


def way_to_swap(control: Path = CONTROL) -> SwapWay | None:
    """How this user may make swap on this host; None where not at all."""
    tools = all(shutil.which(tool) for tool in ("mkswap", "swapon", "swapoff"))
    if os.geteuid() != 0 or not tools:
        return None
    return "zram" if control.exists() or _load_zram(control) else "file"


def room_for_swap() -> int:
    """Bytes that a swap file may take."""
    return shutil.disk_usage(FILES).free


def _load_zram(control: Path) -> bool:
    if not shutil.which("modprobe"):
        return False
    subprocess.run(["modprobe", "zram"], check=False, capture_output=True, timeout=_TOOLS_S)
    return control.exists()


@contextlib.contextmanager
def swap_of(run: Run, size: int, way: SwapWay = "zram") -> Iterator[str]:
    """A swap device of `size` bytes, gone afterwards; yields its name, such as `/dev/zram1`.

    A device of its own: swap that exists is neither used nor disturbed. Raises RigError where
    none can be made.
    """
    name = _zram() if way == "zram" else str(FILES / f"automaker-{secrets.token_hex(6)}.swap")
    STATE.mkdir(parents=True, exist_ok=True)
    note = STATE / Path(name).name
    note.write_text(f"{Owner.this_process()}\n{name}", encoding="ascii")
    try:
        try:
            _reserve(name, size)
            run(["mkswap", name], timeout_s=_TOOLS_S)
            run(["swapon", "--priority", str(_PRIORITY), name], timeout_s=_TOOLS_S)
        except (OSError, ComposeError) as error:
            raise _impossible(error) from None
        yield name
    finally:
        _remove(run, name)


def _zram() -> str:
    try:
        return f"/dev/zram{int((CONTROL / 'hot_add').read_text(encoding='ascii'))}"
    except (OSError, ValueError) as error:
        raise _impossible(error) from None


def _impossible(error: Exception) -> RigError:
    problem = RigError(f"no swap can be made here: {error}")
    problem.add_note("choose a smaller --scale, or run on a host with the memory")
    return problem


def _reserve(name: str, size: int) -> None:
    if name.startswith("/dev/"):
        Path(f"/sys/block/{Path(name).name}/disksize").write_text(str(size), encoding="ascii")
        return
    descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        # Whole before use: a file with holes is refused, and a full disk shows here.
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def abandoned_swap() -> list[str]:
    """Swap devices of ours whose owner is gone."""
    if not STATE.is_dir():
        return []
    found = []
    for note in STATE.iterdir():
        owner, _, name = note.read_text(encoding="ascii").partition("\n")
        parsed = Owner.parse(owner)
        if parsed is None or not parsed.is_alive():
            found.append(name or f"/dev/{note.name}")
    return sorted(found)


def sweep_swap(run: Run) -> list[str]:
    """Remove swap devices that a killed run left behind; returns their names."""
    found = abandoned_swap()
    for name in found:
        _remove(run, name)
    return found


def _remove(run: Run, name: str) -> None:
    if f"{name} " in Path("/proc/swaps").read_text(encoding="ascii"):
        run(["swapoff", name], timeout_s=_TOOLS_S)
    try:
        if name.startswith("/dev/"):
            _remove_zram(Path(name).name)
        else:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ComposeError(f"the swap {name} cannot be removed: {error}") from None
    (STATE / Path(name).name).unlink(missing_ok=True)


def _remove_zram(name: str) -> None:
    device = Path(f"/sys/block/{name}")
    if device.exists():
        (device / "reset").write_text("1", encoding="ascii")
        (CONTROL / "hot_remove").write_text(name.removeprefix("zram"), encoding="ascii")
