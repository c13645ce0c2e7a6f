"""How a campaign says what its agents were like."""

from __future__ import annotations

import pytest

from loadtest.measure import Measured, spread_words
from loadtest.rig.errors import RigError
from settings.models import Spread
from tests.loadtest.examples import outcome


@pytest.mark.parametrize(
    ("spread", "words"),
    [
        (Spread(), "alike"),
        (Spread(variation=0.02), "differ by 2 %"),
        (Spread(variation=0.125, runaway_share=0.01, runaway_factor=3.0),
         "differ by 12.5 %, 1 % need 3 times as much"),
        (Spread.model_validate({"burst": "500 MB"}), "tools of 0.50 GB"),
    ],
)  # fmt: skip
def test_how_agents_differ_stands_in_words(spread: Spread, words: str) -> None:
    assert spread_words(spread) == words


def test_a_campaign_that_was_stopped_before_its_first_outcome_has_measured_nothing() -> None:
    assert Measured(stopped=RigError("lost")).nothing
    assert not Measured(stopped=KeyboardInterrupt()).nothing, "what is there is reported"
    assert not Measured(outcomes=[outcome()], stopped=RigError("lost")).nothing
