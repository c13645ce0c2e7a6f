from collections.abc import Callable

import pytest

from loadtest.claims import expectation
from loadtest.outcome import Outcome
from loadtest.report.guide import guide_pairs
from loadtest.summary import ClaimResult, Summary
from settings.models import BoundaryClaim


@pytest.mark.parametrize(("holds", "fails_at"), [(12, 13), (20, None)])
def test_the_pair_is_read_back_as_the_judge_words_it(
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    outcome: Outcome,
    holds: int,
    fails_at: int | None,
) -> None:
    claim = BoundaryClaim(
        kind="boundary", statement="-", basis="assumed", workload="medium", holds=holds,
        fails_at=fails_at,
    )  # fmt: skip
    summary = make_summary(claims=(make_claim(expected=expectation(claim)),))
    assert guide_pairs(summary, [outcome]) == {"medium": [(holds, fails_at)]}


def test_other_claims_and_claims_without_a_ramp_have_no_pair(
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    outcomes: tuple[Outcome, ...],
) -> None:
    claims = (
        make_claim(expected="4.00 GB within 1%"),
        make_claim(expected="8 run, none lost", trials=("stable-8",)),
        make_claim(trials=()),
    )
    assert guide_pairs(make_summary(claims=claims), outcomes) == {}
