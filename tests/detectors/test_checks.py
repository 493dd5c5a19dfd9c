"""Checks: their chance of a false alarm, worked out exactly, and their limits, p-values and intervals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom, norm, t

from detectors.base import FloatArray
from detectors.checking import check_estimate, check_given, check_rate, check_share
from detectors.checks import (
    CALM_LEVEL,
    Check,
    CheckStatus,
    Counted,
    Direction,
    Estimate,
    Family,
    Given,
    Sensitivity,
)
from detectors.shares import largest_likely, tail_above, tail_above_rate, wilson

ANY = Sensitivity(level=1e-3, min_excess=0.0, min_rows=1)


def share(
    count: int,
    n: int,
    reference: tuple[int, int],
    sensitivity: Sensitivity = ANY,
    direction: Direction = Direction.UP,
    clump: float = 1.0,
) -> Check:
    return check_share(
        "missing_share",
        Family.QUALITY,
        Counted(count=count, n=n),
        Counted(count=reference[0], n=reference[1]),
        sensitivity,
        direction=direction,
        clump=clump,
    )


@given(st.data(), st.integers(1, 3_000), st.integers(1, 30_000))
def test_the_tail_is_the_hypergeometric_one(data: st.DataObject, n: int, n_reference: int) -> None:
    count, counted = data.draw(st.integers(0, n)), data.draw(st.integers(0, n_reference))
    expected = float(hypergeom.sf(count - 1, n + n_reference, count + counted, n))
    assert tail_above(count, n, counted, n_reference) == pytest.approx(expected, rel=1e-6, abs=1e-290)


def test_the_tail_of_a_known_rate_is_the_binomial_one() -> None:
    for count, n, rate in ((0, 10, 0.05), (10, 100, 0.05), (70, 1_000, 0.05), (1_000, 1_000, 0.5)):
        assert tail_above_rate(count, n, rate) == pytest.approx(float(binom.sf(count - 1, n, rate)), rel=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("rate", [0.0, 1e-4, 1e-3, 0.01, 0.2, 0.5, 0.97])
@pytest.mark.parametrize(("n", "n_reference"), [(60, 200), (200, 200), (500, 20_000), (20_000, 1_000)])
@pytest.mark.parametrize("direction", Direction)
def test_the_chance_of_a_false_alarm_is_at_most_the_level(
    rate: float, n: int, n_reference: int, direction: Direction
) -> None:
    # Summed over all counts that either side can have, not simulated; what is left out is below 1e-12.
    counts = np.arange(n + 1)
    chances = binom.pmf(counts, n, rate)
    low, high = (int(binom.ppf(part, n_reference, rate)) for part in (1e-13, 1 - 1e-13))
    size = 0.0
    for counted in range(max(low, 0), high + 1):
        found = share(0, n, (counted, n_reference), direction=direction)
        above = 0.0 if found.upper is None else chances[counts / n > found.upper].sum()
        below = 0.0 if found.lower is None else chances[counts / n < found.lower].sum()
        size += float(binom.pmf(counted, n_reference, rate)) * float(above + below)
    assert size <= ANY.level * (1 + 1e-9)
    if rate == 0.2 and n_reference > n:
        assert size > ANY.level / 4


def test_a_share_that_the_reference_never_had_has_a_limit_all_the_same() -> None:
    # By the rule of three, 0 of 10,000 leaves .0003 possible at 5 %: 3 in 1,000 more is no proof at 1e-4.
    strict = Sensitivity(level=1e-4, min_excess=0.0, min_rows=1)
    assert share(3, 1_000, (0, 10_000), strict).status is CheckStatus.SUSPECT
    assert share(4, 1_000, (0, 10_000), strict).status is CheckStatus.VIOLATED
    assert share(4, 1_000, (0, 10_000), strict).upper == 0.003
    assert share(0, 1_000, (0, 10_000), strict).p_value == 1.0


@given(
    st.data(),
    st.integers(50, 2_000),
    st.integers(50, 20_000),
    st.sampled_from([0.0, 0.01, 0.2]),
    st.sampled_from([1e-2, 1e-6]),
    st.sampled_from([1.0, 2.7]),
)
@settings(max_examples=300)
def test_limits_p_values_and_status_agree(
    data: st.DataObject, n: int, n_reference: int, min_excess: float, level: float, clump: float
) -> None:
    counted = data.draw(st.integers(0, n_reference))
    near = round(n * counted / n_reference)
    count = data.draw(st.integers(max(0, near - n // 10), min(n, near + n // 10)))
    sensitivity = Sensitivity(level=level, min_excess=min_excess)
    for direction in Direction:
        found = share(count, n, (counted, n_reference), sensitivity, direction, clump)
        assert found.value is not None
        assert found.p_value is not None
        shift = count / n - counted / n_reference
        excess = {Direction.UP: shift, Direction.DOWN: -shift, Direction.BOTH: abs(shift)}[direction]
        outside = (found.upper is not None and found.value > found.upper) or (
            found.lower is not None and found.value < found.lower
        )
        assert (found.status is CheckStatus.VIOLATED) == outside
        if abs(excess - min_excess) > 1e-9 and abs(found.p_value / level - 1) > 1e-6:
            assert outside == (excess > min_excess and found.p_value <= level)
        if found.status is CheckStatus.SUSPECT:
            assert excess > min_excess
            assert found.p_value <= CALM_LEVEL


def test_clumps_count_as_one() -> None:
    # 40 rows in clumps of 10 say as much as 4 rows.
    assert tail_above(4, 100, 0, 1_000) == pytest.approx(
        share(40, 1_000, (0, 10_000), clump=10.0).p_value, rel=1e-12
    )
    assert share(40, 1_000, (0, 10_000)).status is CheckStatus.VIOLATED
    strict = Sensitivity(level=1e-5, min_excess=0.0)
    assert share(40, 1_000, (0, 10_000), strict, clump=10.0).status is CheckStatus.SUSPECT


def test_too_few_rows_on_either_side_say_nothing() -> None:
    for n, n_reference in ((49, 1_000), (1_000, 49), (0, 1_000)):
        found = share(n, n, (0, n_reference), Sensitivity(level=1e-4, min_excess=0.0, min_rows=50))
        assert found.status is CheckStatus.INSUFFICIENT
        assert found.upper is None
    assert share(0, 0, (0, 100)).value is None


def test_an_excess_that_does_not_matter_is_none() -> None:
    tolerant = Sensitivity(level=1e-4, min_excess=0.01)
    found = share(5_000, 1_000_000, (0, 1_000_000), tolerant)
    assert found.status is CheckStatus.OK
    assert found.upper == 0.01
    assert found.p_value is not None
    assert found.p_value < 1e-100
    assert share(10_001, 1_000_000, (0, 1_000_000), tolerant).status is CheckStatus.VIOLATED


def test_a_share_of_ten_points_more_is_found_in_a_thousand_rows() -> None:
    rng = np.random.default_rng(61)
    strict = Sensitivity(level=1e-6, min_excess=0.01)
    counts = rng.binomial(1_000, 0.15, 200)
    found = [share(int(count), 1_000, (500, 10_000), strict).status for count in counts]
    assert sum(status is CheckStatus.VIOLATED for status in found) > 190


@given(st.integers(1, 5_000), st.integers(0, 500), st.integers(500, 50_000))
def test_the_largest_likely_count_is_that_of_a_search_through_all(n: int, counted: int, rows: int) -> None:
    start = n * counted // rows
    found = largest_likely(n, counted, rows, clump=1.0, level=1e-4, start=start)
    if found >= start:
        assert tail_above(found, n, counted, rows) > 1e-4
    if found < n:
        assert tail_above(found + 1, n, counted, rows) <= 1e-4


def test_a_rate_that_is_allowed_is_held_by_the_binomial_law() -> None:
    found = check_rate("error_rate", Family.OPERATIONS, Counted(count=90, n=1_000), 0.05, ANY)
    # The smallest count whose tail is at most .001.
    first = next(k for k in range(50, 1_000) if binom.sf(k - 1, 1_000, 0.05) <= 1e-3)
    assert found.upper == (first - 1) / 1_000
    assert found.status is CheckStatus.VIOLATED
    few = Sensitivity(level=1e-3, min_excess=0.0)
    assert (
        check_rate("error_rate", Family.OPERATIONS, Counted(count=9, n=49), 0.05, few).status
        is CheckStatus.INSUFFICIENT
    )


@pytest.mark.parametrize("direction", Direction)
def test_a_figure_with_an_error_is_held_by_the_normal_law(direction: Direction) -> None:
    current, reference = Estimate(value=3.0, error=0.6, n=100), Estimate(value=1.0, error=0.8, n=100)
    found = check_estimate("mae", Family.PERFORMANCE, current, reference, ANY, direction=direction)
    expected = {Direction.UP: norm.sf(2), Direction.DOWN: norm.cdf(2), Direction.BOTH: 2 * norm.sf(2)}
    assert found.p_value == pytest.approx(float(expected[direction]), rel=1e-12)
    reach = float(norm.isf(1e-3 / (2 if direction is Direction.BOTH else 1)))
    assert found.upper == (None if direction is Direction.DOWN else pytest.approx(1 + reach))
    assert found.lower == (None if direction is Direction.UP else pytest.approx(1 - reach))
    assert (found.low, found.high) == pytest.approx((3 - 1.645 * 0.6, 3 + 1.645 * 0.6), abs=1e-3)


def volume(windows: FloatArray, now: float) -> tuple[Estimate, Check]:
    m = len(windows)
    deviation = float(windows.std(ddof=1)) * math.sqrt(1 + 1 / m)
    expected = Estimate(value=float(windows.mean()), error=deviation, n=m, degrees=m - 1)
    current = Estimate(value=now, error=0.0, n=int(now))
    limits = Sensitivity(level=0.02, min_excess=0.0)
    return expected, check_estimate("row_volume", Family.QUALITY, current, expected, limits)


@pytest.mark.statistical
def test_a_count_beside_a_few_windows_is_held_by_a_prediction_interval() -> None:
    rng = np.random.default_rng(62)
    past, now = rng.normal(1_000, 50, (4_000, 8)), rng.normal(1_000, 50, 4_000)
    expected, found = volume(past[0], float(now[0]))
    assert found.upper == pytest.approx(expected.value + float(t.isf(0.01, 7)) * expected.error)
    alarms = sum(
        volume(windows, count)[1].status is CheckStatus.VIOLATED
        for windows, count in zip(past, now.tolist(), strict=True)
    )
    # Exact under normal windows: 80 expected, standard deviation 8.9.
    assert 50 <= alarms <= 115


@pytest.mark.parametrize("error", [0.0, math.nan, math.inf])
def test_errors_that_are_none(error: float) -> None:
    current, reference = Estimate(value=3.0, error=error, n=100), Estimate(value=1.0, error=0.0, n=100)
    found = check_estimate("mae", Family.PERFORMANCE, current, reference, ANY)
    assert found.status is (CheckStatus.VIOLATED if error == 0 else CheckStatus.INSUFFICIENT)


def test_limits_that_were_given_are_held_as_they_are() -> None:
    limits = Given(lower=0.1, upper=0.2)
    found = [
        check_given("zero_share", Family.QUALITY, value, 100, limits, min_rows=50)
        for value in (0.05, 0.1, 0.2, 0.21)
    ]
    violated, ok = CheckStatus.VIOLATED, CheckStatus.OK
    assert [each.status for each in found] == [violated, ok, ok, violated]
    assert [round(each.excess, 9) for each in found] == [0.05, 0.0, 0.0, 0.01]
    assert check_given("zero_share", Family.QUALITY, None, 0, limits).status is CheckStatus.INSUFFICIENT
    few = check_given("zero_share", Family.QUALITY, 0.5, 49, limits, min_rows=50)
    assert few.status is CheckStatus.INSUFFICIENT


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_the_interval_of_a_share_holds_it(n: int, part: float) -> None:
    count = round(n * part)
    low, high = wilson(count, n)
    assert 0 <= low <= count / n <= high <= 1
