"""Options as values; those that cannot be understood are one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.advise.options import Request, parse


def test_without_options_the_default_mix_is_asked_about_at_one_percent() -> None:
    assert parse([]) == Request(mix="mixed", risk=0.01)


def test_every_option_becomes_a_value() -> None:
    words = (
        "--memory 64GiB --mix small=60,large=40 --risk 5% --spread 20% "
        "--runaways 2%:3 --base 1GB --from reports/latest --json"
    )
    assert parse(words.split()) == Request(
        mix="small=60,large=40",
        memory=64 * 2**30,
        risk=0.05,
        spread=0.2,
        runaways=(0.02, 3.0),
        base=10**9,
        folder=Path("reports/latest"),
        as_json=True,
    )


@pytest.mark.parametrize(("text", "risk"), [("1%", 0.01), ("0.01", 0.01), (" 2.5% ", 0.025)])
def test_a_risk_is_a_percentage_or_a_share(text: str, risk: float) -> None:
    assert parse(["--risk", text]).risk == pytest.approx(risk)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--risk", "0"], "above 0 and at most 50%"),
        (["--risk", "-1%"], "expected one argument"),
        (["--risk=-1%"], "above 0 and at most 50%"),
        (["--risk", "2"], "did you mean 2%?"),
        (["--risk", "60%"], "above 0 and at most 50%"),
        (["--risk", "nan"], "is no share"),
        (["--risk", "little"], "is no share; write for example 1% or 0.01"),
        (["--spread", "20"], "did you mean 20%?"),
        (["--spread", "100%"], "below 100%"),
        (["--memory", "64"], "needs a unit"),
        (["--memory", "0 GB"], "no memory at all"),
        (["--base", "much"], "is not a size"),
        (["--runaways", "2%"], "is not SHARE:FACTOR"),
        (["--runaways", "2%:x"], "is not SHARE:FACTOR"),
        (["--runaways", "200%:2"], "the share is at most 100%"),
        (["--runaways", "2%:0.5"], "the factor at least 1"),
        (["--mem", "64GiB"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_understood_is_explained(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(words)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
