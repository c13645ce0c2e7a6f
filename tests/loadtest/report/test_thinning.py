import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report.charts.thinning import envelope

SERIES = st.lists(
    st.tuples(st.floats(0, 1e4), st.integers(0, 2**40)), min_size=1, max_size=300
).map(sorted)


@given(SERIES, st.integers(1, 40))
def test_no_spike_vanishes_and_order_stays(series: list[tuple[float, int]], columns: int) -> None:
    times, values = [t for t, _ in series], [v for _, v in series]
    thin = envelope(times, values, columns)
    assert max(v for _, v in thin) == max(values)
    assert min(v for _, v in thin) == min(values)
    assert [t for t, _ in thin] == sorted(t for t, _ in thin)
    assert set(thin) <= set(series)
    assert len(thin) <= 2 * columns + 2


@given(SERIES, st.integers(1, 40))
def test_a_line_starts_and_ends_where_its_series_does(
    series: list[tuple[float, int]], columns: int
) -> None:
    thin = envelope([t for t, _ in series], [v for _, v in series], columns)
    assert (thin[0], thin[-1]) == (series[0], series[-1])


def test_a_spike_and_a_dip_of_one_sample_stay_in_a_long_series() -> None:
    values = [500.0] * 20_000
    values[7_321], values[7_322] = 900.0, 100.0
    thin = envelope([number / 20 for number in range(20_000)], values, 300)
    assert (7_321 / 20, 900.0) in thin
    assert (7_322 / 20, 100.0) in thin
    assert len(thin) <= 602


def test_a_short_series_stays_as_it_is() -> None:
    assert envelope([0.0, 1.0], [5.0, 5.0], 10) == [(0.0, 5.0), (1.0, 5.0)]


def test_an_empty_series_stays_empty() -> None:
    assert envelope([], [], 10) == []


def test_no_column_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        envelope([0.0], [0.0], 0)
