"""Traffic spreads rows over event time without changing their order or, over weeks, their rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import IntArray
from flows.scenarios.base import MAX_TIME_MS, START_MS, ScenarioError, ScenarioOptions
from flows.scenarios.lines import row_times_ms
from flows.scenarios.registry import scenario
from flows.scenarios.traffic import EVEN, OFFICE_HOURS, Traffic

HOUR_MS, WEEK_MS = 3_600_000, 7 * 86_400_000
# 20,160 steps of half a minute are one week.
WEEK_ROWS, STEP_MS = 20_160, 30_000


def offsets(traffic: Traffic, start: int, stop: int, rows: int = 10 * WEEK_ROWS) -> IntArray:
    return traffic.offsets_ms(np.arange(start, stop, dtype=np.int64), rows=rows, step_ms=STEP_MS)


def test_even_traffic_is_one_row_each_step() -> None:
    assert offsets(EVEN, -2, 3).tolist() == [-60_000, -30_000, 0, 30_000, 60_000]


def test_a_week_keeps_its_rows_and_an_hour_has_its_share() -> None:
    found = offsets(OFFICE_HOURS, -WEEK_ROWS, WEEK_ROWS + 1)
    assert found[[0, WEEK_ROWS, -1]].tolist() == [-WEEK_MS, 0, WEEK_MS]
    counts = np.bincount(found[WEEK_ROWS:-1] // HOUR_MS, minlength=168)
    weights = np.outer(OFFICE_HOURS.days, OFFICE_HOURS.hours).ravel()
    # Rows are spread evenly within their hour: counts are the exact shares, rounded.
    assert np.abs(counts - WEEK_ROWS * weights / weights.sum()).max() <= 1


def test_bursts_and_lulls_change_the_rate_of_their_rows_only() -> None:
    steps = np.diff(offsets(Traffic(paces=((0.2, 0.4, 4.0), (0.5, 0.6, 0.25))), 0, 101, rows=100))
    assert steps.tolist() == [30_000] * 20 + [7_500] * 20 + [30_000] * 10 + [120_000] * 10 + [30_000] * 40


@given(start=st.integers(-50_000, 50_000), count=st.integers(1, 300), rows=st.integers(1, 60_000))
def test_time_does_not_run_backwards_and_does_not_depend_on_the_cut(
    start: int, count: int, rows: int
) -> None:
    traffic = scenario("house-prices").traffic
    found = offsets(traffic, start, start + count, rows=rows)
    assert np.all(np.diff(found) >= 0)
    assert offsets(traffic, start + count - 1, start + count, rows=rows)[0] == found[-1]


@pytest.mark.parametrize(
    "change", [{"hours": (1.0,)}, {"days": (1.0,)}, {"paces": ((0.5, 0.4, 2.0),)}], ids=str
)
def test_what_is_no_traffic_is_refused(change: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="wanted 24 hours, 7 days"):
        Traffic(**change)  # type: ignore[arg-type]  # one of the three at a time


def test_rows_after_the_last_year_are_refused() -> None:
    # The lull stretches a stream that ends just within the year 9999 beyond it.
    step_ms = (MAX_TIME_MS - START_MS) // 1000 - 1
    options = ScenarioOptions(rows=1000, step_ms=step_ms, disorder_ms=0, reference_rows=1)
    last = np.array([999], dtype=np.int64)
    assert row_times_ms(scenario("demo"), options, last)[0] < MAX_TIME_MS
    with pytest.raises(ScenarioError, match="row 999 happens after the year 9999"):
        row_times_ms(scenario("house-prices"), options, last)
