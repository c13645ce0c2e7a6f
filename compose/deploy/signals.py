"""Signals while something has to be brought to its end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def unstoppable(note: Callable[[str], None]) -> Iterator[None]:
    """Answer Ctrl-C and SIGTERM with a word instead of ending: going back has to get there."""

    def wait(_number: int, _frame: FrameType | None) -> None:
        note("going back, which is not to be interrupted; kill -9 would, and then: invoke rollback")

    before = {number: signal.signal(number, wait) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def ignoring_hangup() -> Iterator[None]:
    """Go on when the terminal is gone; the audit log says how it ended."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
