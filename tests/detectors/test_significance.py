"""Pooled chi-square and mean shift against scipy, exact enumeration and hand-made examples."""

import dataclasses
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2, chi2_contingency, ttest_ind

from detectors.base import Status
from detectors.means import MeanShift
from detectors.significance import ChiSquare, chi_square_test, pearson_moments, primary_test
from detectors.testing.summaries import categorical, count_pairs, frozen_floats, frozen_ints, numeric


def scipy_chi_square(reference: list[int], current: list[int]) -> tuple[float, int, float]:
    cells = [(r, c) for r, c in zip(reference, current, strict=True) if r + c]
    if len(cells) == 1:
        return 0.0, 0, 1.0
    result = chi2_contingency(np.array(cells).T, correction=False)
    return float(result.statistic), int(result.dof), float(result.pvalue)


def smallest_expected(reference: list[int], current: list[int]) -> float:
    n, m = sum(current), sum(reference)
    return min(r + c for r, c in zip(reference, current, strict=True) if r + c) * min(n, m) / (n + m)


@given(count_pairs())
def test_equals_scipy_where_every_cell_expects_a_row(pair: tuple[list[int], list[int]]) -> None:
    reference, current = pair
    result = chi_square_test(frozen_ints(reference), frozen_ints(current))
    assert result.statistic >= 0
    assert 0 <= result.p_value <= 1
    statistic, degrees, p_value = scipy_chi_square(reference, current)
    expected = smallest_expected(reference, current)
    if expected >= 1:
        assert result.statistic == pytest.approx(statistic, rel=1e-9, abs=1e-9)
        assert result.degrees == degrees
        # Cells that expect 1 to 5 may only make it more careful.
        assert result.p_value >= p_value * (1 - 1e-9)
    if expected >= 5:
        assert result.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-300)


def test_large_cells_equal_scipy() -> None:
    reference, current = [5_000, 3_000, 1_500, 500], [230, 160, 80, 30]
    result = chi_square_test(frozen_ints(reference), frozen_ints(current))
    statistic, degrees, p_value = scipy_chi_square(reference, current)
    assert result.statistic == pytest.approx(statistic, rel=1e-12)
    assert result.degrees == degrees
    assert result.p_value == pytest.approx(p_value, rel=1e-12)


def test_rare_cells_are_merged_into_one() -> None:
    # 1,000 against 100 rows: a cell with fewer than 11 rows in all expects less than 1 on the smaller side.
    reference, current = [600, 370, 9, 8, 7, 6], [60, 34, 1, 2, 0, 3]
    merged = scipy_chi_square([600, 370, 30], [60, 34, 6])
    result = chi_square_test(frozen_ints(reference), frozen_ints(current))
    assert result.statistic == pytest.approx(merged[0], rel=1e-12)
    assert result.degrees == merged[1] == 2


def test_a_rest_that_expects_less_than_a_row_counts_by_its_exact_tail() -> None:
    # 3 of the rest's 4 rows are in a window with 1/101 of all rows.
    reference, current = [60_000, 39_999, 1], [597, 400, 3]
    result = chi_square_test(frozen_ints(reference), frozen_ints(current))
    tail = float(binom.sf(2, 4, 1 / 101))
    large = scipy_chi_square([60_000, 39_999], [597, 400])
    assert result.degrees == 2
    assert result.statistic == pytest.approx(large[0] + float(chi2.isf(tail, 1)), rel=1e-9)


def test_one_row_in_an_unseen_category_is_no_alarm() -> None:
    # Plain Pearson says 1e-22 here, of something that one window in a hundred shows by chance.
    reference, current = [60_000, 40_000, 0], [600, 399, 1]
    assert scipy_chi_square(reference, current)[2] < 1e-20
    assert chi_square_test(frozen_ints(reference), frozen_ints(current)).p_value > 0.005


def test_many_rows_in_an_unseen_category_are_not_hidden_by_merging() -> None:
    # 5 % of the window is new, yet the category expects half a row. Merged with a large cell: p = .1.
    reference, current = [50_000, 50_000, 0], [475, 475, 50]
    assert scipy_chi_square([50_000, 50_000], [475, 525])[2] > 0.1
    assert chi_square_test(frozen_ints(reference), frozen_ints(current)).p_value < 1e-50


def test_a_window_of_nothing_but_unseen_rows() -> None:
    result = chi_square_test(frozen_ints([50_000, 50_000, 0]), frozen_ints([0, 0, 50]))
    assert math.isfinite(result.statistic)
    assert result.p_value < 1e-50


def test_one_cell_shows_nothing() -> None:
    reading = ChiSquare().compare(categorical([0, 9, 0]), categorical([0, 4, 0]))
    assert (reading.score, reading.p_value, reading.debiased) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("cells", "n"), [((3, 4), 3), ((2, 3, 5), 4), ((1, 1, 2, 6), 5), ((4, 4, 4, 1), 6)])
def test_moments_equal_those_of_all_tables(cells: tuple[int, ...], n: int) -> None:
    # Oracle: every table with these margins, weighted by its multivariate hypergeometric probability.
    rows = sum(cells)
    m = rows - n
    tables = [each for each in product(*(range(c + 1) for c in cells)) if sum(each) == n]
    weights = np.array([math.prod(map(math.comb, cells, table)) for table in tables]) / math.comb(rows, n)
    statistics = np.array(
        [
            sum((x - n * c / rows) ** 2 * rows**2 / (n * m * c) for x, c in zip(table, cells, strict=True))
            for table in tables
        ]
    )
    mean = float(weights @ statistics)
    variance = float(weights @ (statistics - mean) ** 2)
    assert pearson_moments(frozen_ints(cells), m, n) == pytest.approx((mean, variance), rel=1e-9)


def test_moments_of_large_cells_are_those_of_chi_square() -> None:
    mean, variance = pearson_moments(frozen_ints([10**6] * 5), 4 * 10**6, 10**6)
    assert mean == pytest.approx(4, rel=1e-5)
    assert variance == pytest.approx(8, rel=1e-5)


def test_the_detector_measures_groups() -> None:
    reference = categorical([100, 200, 300, 400], groups=[0, 0, 1, 1])
    current = categorical([20, 30, 20, 30], groups=[0, 0, 1, 1])
    statistic, degrees, p_value = scipy_chi_square([300, 700], [50, 50])
    reading = ChiSquare().compare(reference, current)
    assert reading.score == pytest.approx(statistic, rel=1e-12)
    assert reading.p_value == pytest.approx(p_value, rel=1e-9)
    assert reading.debiased == pytest.approx(statistic - degrees, rel=1e-12)


def test_continuous_columns_are_decided_by_ks_and_all_others_by_chi_square() -> None:
    assert primary_test(numeric([1.0], [0.0])) == "ks"
    assert primary_test(numeric([1.0], [0.0], continuous=False)) == "chi2"
    assert primary_test(categorical([1])) == "chi2"


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30).filter(lambda rows: np.std(rows) > 1e-3),
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30),
)
def test_mean_shift_is_its_definition_and_has_a_sign(before: list[float], now: list[float]) -> None:
    z = (np.mean(now) - np.mean(before)) / (np.std(before) * math.sqrt(1 / len(now) + 1 / len(before)))
    reading = MeanShift().compare(numeric(before, [0.0]), numeric(now, [0.0]))
    assert reading.score == pytest.approx(float(z), rel=1e-9, abs=1e-9)
    assert reading.p_value is None


def test_mean_shift_is_close_to_students_for_equal_variances() -> None:
    rng = np.random.default_rng(3)
    before, now = rng.normal(size=20_000), rng.normal(0.2, 1, size=2_000)
    reading = MeanShift().compare(numeric(before, [0.0]), numeric(now, [0.0]))
    # scipy pools the two variances: they differ by 2 % at most here.
    assert reading.score == pytest.approx(float(ttest_ind(now, before).statistic), rel=0.02)


def test_mean_shift_needs_a_reference_that_varies() -> None:
    constant = numeric([0.1] * 9, [0.0])
    assert constant.moments is not None
    # A variance from sums of squares leaves a rounding error for a constant column.
    noisy = dataclasses.replace(constant.moments, variance=1e-18)
    moving = numeric([1.0, 2.0], [0.0])
    for reference, current in (
        (constant, moving),
        (dataclasses.replace(constant, moments=noisy), moving),
        (numeric([1.0, 2.0], [0.0], moments=False), moving),
        (moving, numeric([1.0, 2.0], [0.0], moments=False)),
    ):
        reading = MeanShift().compare(reference, current)
        assert (reading.status, reading.score) == (Status.UNAVAILABLE, None)
    assert MeanShift().compare(moving, constant).score is not None


def test_a_shift_beyond_the_doubles_is_unavailable() -> None:
    tight = numeric([0.0, 1e-160], [0.0])
    assert tight.moments is not None
    far = numeric([1e200], [0.0])
    assert MeanShift().compare(tight, far).status is Status.UNAVAILABLE
    assert tight.moments.bin_sums.tolist() == frozen_floats([0.0, 1e-160]).tolist()
