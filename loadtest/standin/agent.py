"""The synthetic agent: a process that does what an agent does, at small scale.

Every turn reads the project's context, thinks (latency and processor time), appends to the
conversation, writes to the worktree and now and then runs a child tool; its private memory
follows the profile. Progress lines go to the feature's output file, where the server's API
serves them:

    turn=40/200 uss=61210624 ms=0.21
    peak uss=125042688 target=125000000
    done turns=200
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .memory import HUGE_PAGE, Ballast, private_bytes
from .profile import Profile

PROGRESS_LINES = 20
_PIECE_S = 0.001
_MARGIN = 2 * HUGE_PAGE
COMM = "agent:"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


@dataclass(frozen=True)
class AgentOrder:
    """What the server asks for: one agent of a class, for one feature of one project."""

    feature_id: str
    agent_class: str
    project_path: str
    worktree: str
    output_path: str


def become_agent(agent_class: str, parent: int) -> None:
    """Name this process after its class and bind its life to that of process `parent`."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NAME, f"{COMM}{agent_class}".encode()[:15], 0, 0, 0)
    bind_to_parent(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def bind_to_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def live(order: AgentOrder, profile: Profile, seed: int) -> None:
    """Follow the profile from the first turn to the last, hold the peak, and return."""
    output = os.open(order.output_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    huge = profile.huge_pages is not False
    ballast = Ballast(profile.final_bytes(), profile.content, huge_pages=huge, seed=seed)
    conversation: list[bytes] = []
    spoken = set(_progress_turns(profile.turns))
    held = private_bytes()
    clock = Clock()
    for turn in range(1, profile.turns + 1):
        began = time.perf_counter()
        _take_turn(order, profile, turn, conversation, clock)
        # The curve is followed from below in whole huge pages, since the interpreter grows too;
        # the exact figure is met once, at the peak.
        held += ballast.add(max(0, profile.memory_at(turn) - _MARGIN - held))
        if turn in spoken:
            spent = (time.perf_counter() - began) * 1000
            _say(output, f"turn={turn}/{profile.turns} uss={private_bytes()} ms={spent:.2f}")
    target = profile.final_bytes()
    _say(output, f"peak uss={ballast.grow_to(target)} target={target}")
    time.sleep(profile.hold_s)
    _say(output, f"done turns={profile.turns}")


class Clock:
    """Waits and computes in pieces long enough to be exact: compressed turns take microseconds."""

    def __init__(self) -> None:
        self._waiting = 0.0
        self._computing = 0.0

    def wait(self, seconds: float) -> None:
        """Let the model think for so long."""
        self._waiting += seconds
        if self._waiting >= _PIECE_S:
            time.sleep(self._waiting)
            self._waiting = 0.0

    def compute(self, seconds: float) -> None:
        """Use the processor for so long."""
        self._computing += seconds
        if self._computing >= _PIECE_S:
            end = time.process_time() + self._computing
            while time.process_time() < end:
                pass
            self._computing = 0.0


def _take_turn(
    order: AgentOrder, profile: Profile, turn: int, conversation: list[bytes], clock: Clock
) -> None:
    context = b"".join(path.read_bytes() for path in _context_files(order.project_path))
    clock.wait(profile.latency())
    clock.compute(profile.cpu())
    conversation.append(b"turn %d: %d bytes of context read\n" % (turn, len(context)))
    # One work file an agent, appended to: a real session edits few files many times.
    with Path(order.worktree, "work.txt").open("ab") as file:
        file.write(conversation[-1])
    if profile.uses_tool(turn):
        _run_tool(profile.burst_bytes, order.worktree)


def _context_files(project_path: str) -> Iterator[Path]:
    folder = Path(project_path, ".automaker", "context")
    try:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if entry.is_file())
    except FileNotFoundError:
        return


def _run_tool(burst_bytes: int, worktree: str) -> None:
    # dd holds its block size in memory while it copies: a child of a known size that starts in
    # a millisecond. The standard library starts it with vfork, so the agent's pages stay private.
    block = max(burst_bytes, 4096)
    argv = ["dd", "if=/dev/zero", "of=/dev/null", f"bs={block}", "count=1", "status=none"]
    subprocess.run(argv, check=False, cwd=worktree, stdin=subprocess.DEVNULL)


def _progress_turns(turns: int) -> Iterator[int]:
    lines = min(turns, PROGRESS_LINES)
    return (turns * (index + 1) // lines for index in range(lines))


def _say(output: int, line: str) -> None:
    os.write(output, f"{line}\n".encode())
