"""What is under way, on disk before it begins: after a kill it says where to go on from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from compose.deploy.store import Attempt, Loop, Store
from compose.errors import ComposeError
from settings.environment import operator

STOPPED, LEFT_OFF = "stopped", "auto-mode left off"


class Journal:
    """Writes down one attempt to change a stack. A dry run writes nothing."""

    def __init__(self, store: Store, note: Callable[[str], None], *, dry: bool) -> None:
        self._store = store
        self._note = note
        self._dry = dry
        self.attempt: Attempt | None = None
        self.inherited: Attempt | None = None
        """What a run that was killed left unfinished."""
        self.must_write = True
        """Whether a failure to write ends the attempt; never so on the way back."""

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Auto-mode loops that were stopped and have to be started again."""
        return self.attempt.loops if self.attempt else ()

    @property
    def was_switching(self) -> bool:
        """Whether a run before this one was killed while it changed containers."""
        return self.inherited is not None and self.inherited.switching

    def begin(self, verb: str, release: str = "") -> Attempt | None:
        """Write down that something has begun; returns what an earlier run left undone."""
        before = self.inherited = self._store.attempt()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fresh = Attempt(verb, release, "", operator(), os.getpid(), now)
        if before is not None:
            fresh = replace(fresh, switching=before.switching, loops=before.loops)
        self._put(fresh)
        return before

    def step(self, name: str, *, switching: bool | None) -> None:
        """Write down which step comes now; `switching` once containers may be touched."""
        if self.attempt is not None:
            touched = self.attempt.switching if switching is None else switching
            self._put(replace(self.attempt, step=name, switching=touched))

    def name(self, release: str) -> None:
        """Write down which release this is about, once that is known."""
        if self.attempt is not None:
            self._put(replace(self.attempt, release=release))

    def keep_loops(self, found: Sequence[Loop]) -> None:
        """Write down loops that are about to be stopped, beside those of an earlier run."""
        if self.attempt is not None:
            known = {(one.project, one.branch) for one in found}
            kept = [one for one in self.loops if (one.project, one.branch) not in known]
            self._put(replace(self.attempt, loops=(*found, *kept)))

    def left_off(self, loops: Sequence[Loop]) -> None:
        """Write down which loops could not be started again; the others run."""
        if self.attempt is not None:
            self._put(replace(self.attempt, loops=tuple(loops)))

    def switched(self) -> None:
        """Write down that the switch is over. From here on nothing that fails undoes it."""
        self.must_write = False
        if self.attempt is not None:
            self._put(replace(self.attempt, switching=False))

    def finish(self) -> None:
        """Write down that all is over, but for loops that could not be started again."""
        if self.attempt is not None and self.loops:
            self._put(replace(self.attempt, step=LEFT_OFF, switching=False))
        elif self.attempt is not None and not self._dry:
            self._store.end_attempt()
        self.attempt = None

    def end_stopped(self) -> None:
        """End with the stack stopped on purpose: `start` finds which loops ran before."""
        if self.attempt is not None:
            self._put(replace(self.attempt, step=STOPPED, switching=False))
        self.attempt = None

    def give_up(self) -> None:
        """End without having changed anything; what was left undone before still is."""
        before, mine = self.inherited, self.attempt
        self.must_write = False
        if mine is None:
            return
        if before is not None and (before.switching or before.loops):
            self._put(replace(before, loops=mine.loops))
            self.attempt = None
        else:
            self.finish()

    def _put(self, attempt: Attempt) -> None:
        self.attempt = attempt
        if self._dry:
            return
        try:
            self._store.note_attempt(attempt)
        except ComposeError as error:
            if self.must_write:
                raise
            self._note(f"not written down: {error}")


def unfinished(attempt: Attempt | None, *, live: bool = True) -> str:
    """Say what was left half done, and what to do; empty where nothing was.

    Without a `live` release there is nothing to roll back to.
    """
    if attempt is None or attempt.step == STOPPED:
        return ""
    if attempt.step == LEFT_OFF:
        names = ", ".join(one.project for one in attempt.loops)
        return f"auto-mode could not be started again: {names}: invoke start"
    what = f"{attempt.verb} of {attempt.release}" if attempt.release else attempt.verb
    text = f"{what} by {attempt.by} was cut short at {attempt.step!r}"
    if attempt.switching:
        return f"{text}: {'invoke rollback, or deploy again' if live else 'deploy again'}"
    if attempt.loops:
        return f"{text}: auto-mode may be off: invoke start, or deploy again"
    return ""
