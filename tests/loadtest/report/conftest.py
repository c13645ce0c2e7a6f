"""The example campaign as fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadtest.outcome import Outcome
from loadtest.report.samples import Samples
from loadtest.summary import ClaimResult, Summary
from tests.loadtest.report import example_campaign as example


@pytest.fixture
def make_claim() -> Callable[..., ClaimResult]:
    return example.claim


@pytest.fixture
def make_outcome() -> Callable[..., Outcome]:
    return example.outcome


@pytest.fixture
def make_summary() -> Callable[..., Summary]:
    return example.summary


@pytest.fixture
def outcome() -> Outcome:
    """A ramp whose third agent was killed."""
    return example.outcome()


@pytest.fixture
def outcomes() -> tuple[Outcome, ...]:
    """The ramp, and a stability trial that does not count and has no samples."""
    return (example.outcome(), example.stable())


@pytest.fixture
def summary() -> Summary:
    """Every verdict, every basis."""
    return example.summary()


@pytest.fixture
def samples() -> Samples:
    return example.samples()
