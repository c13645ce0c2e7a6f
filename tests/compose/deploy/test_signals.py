"""Going back is not interrupted, and afterwards signals mean what they meant."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from compose.deploy.signals import ignoring_hangup, unstoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_with_a_word(number: signal.Signals) -> None:
    said: list[str] = []
    before = signal.getsignal(number)
    with unstoppable(said.append):
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 0)
        said.append("still there")
    assert said[0].startswith("going back, which is not to be interrupted")
    assert said[-1] == "still there"
    assert signal.getsignal(number) == before


def test_signals_are_given_back_also_when_going_back_fails() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), unstoppable(print):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("fails", [False, True])
def test_a_terminal_that_goes_away_ends_nothing_until_that_is_over(fails: bool) -> None:
    heard: list[int] = []
    mine = signal.signal(signal.SIGHUP, lambda number, _frame: heard.append(number))
    try:
        with contextlib.suppress(ZeroDivisionError), ignoring_hangup():
            os.kill(os.getpid(), signal.SIGHUP)
            if fails:
                raise ZeroDivisionError
        assert heard == []
        os.kill(os.getpid(), signal.SIGHUP)
        signal.sigtimedwait([], 0)
        assert heard == [signal.SIGHUP], "afterwards it means what it meant"
    finally:
        signal.signal(signal.SIGHUP, mine)
