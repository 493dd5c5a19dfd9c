from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.base import IntArray
from detectors.calibration import Calibration
from detectors.dependence import FEWEST_CHUNKS, dependence
from detectors.scatter import Statistic, scatter
from tests.series import (
    autoregression,
    chunk_counts,
    correlation_of_blocks,
    edges_of,
    inflation_of_a_mean,
    sticky,
)

CHUNKS = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 130), st.integers(1, 6)),
    elements=st.integers(0, 30),
)


def groups_of(phi: float, rows: int, seed: int) -> IntArray:
    values = autoregression(phi, rows, np.random.default_rng(seed))
    return np.searchsorted(edges_of(values), values)


@pytest.mark.parametrize("ordered", [True, False])
def test_over_all_orders_of_the_rows_the_inflation_is_one(*, ordered: bool) -> None:
    rows = [0, 0, 1, 1, 2, 3]
    ratios = []
    for order in set(permutations(rows)):
        chunks = np.zeros((4, 4), dtype=np.int64)
        # Chunks of 1, 2, 1 and 2 rows: the law holds for chunks of unequal size too.
        for span, row in zip([0, 1, 1, 2, 3, 3], order, strict=True):
            chunks[span, row] += 1
        found = [scatter(chunks, size, ordered=ordered).ratios for size in (1, 2)]
        ratios.append([[each[s] for s in Statistic if s is not Statistic.SHARE] for each in found])
    assert np.mean(ratios, axis=0) == pytest.approx(np.ones((2, 4)))


@given(chunks=CHUNKS, ordered=st.booleans())
def test_any_counts_give_figures_that_make_sense(*, chunks: IntArray, ordered: bool) -> None:
    found = dependence(chunks, ordered=ordered)
    sizes = [1, 2, 7, 20, 55, 148, 403, 1_097, 2_981, 10**6]
    for statistic in Statistic:
        values = [found.inflation(n, statistic) for n in sizes]
        assert all(np.isfinite(values))
        assert values[0] >= 1 - 1e-9
        assert values == sorted(values)
    ratios = [found.chi_square_ratios(n) for n in sizes]
    # A weighted sum of squares of normal variables has at least the variance that equal weights give it.
    assert all(variance >= mean * mean for mean, variance in ratios)
    assert found.known(100) in {True, False}
    independent, wanted = found.independent_rows(), found.rows_wanted()
    assert independent is None or 1 <= independent <= chunks.sum()
    assert wanted is None or wanted > chunks.sum() / 2
    assert (wanted is None) == (independent is not None or not found.rows.size)


def test_the_scatter_is_what_its_definition_says() -> None:
    rng = np.random.default_rng(7)
    chunks = rng.poisson(rng.gamma(2, 3, size=(40, 5)))
    m, size = chunks.sum(), 3
    u = np.cumsum(chunks.sum(axis=0) / m)[:-1]
    above, below, first, second, products = 0.0, 0.0, 0.0, 0.0, 0.0
    deviations = []
    for start in range(40 - size + 1):
        held = chunks[start : start + size].sum(axis=0)
        n = held.sum()
        deviations.append((np.cumsum(held / n)[:-1] - u) * np.sqrt(n))
        above += (deviations[-1] ** 2).sum()
        below += (u * (1 - u)).sum() * n * (1 / n - 1 / m) * m / (m - 1)
    per_group = []
    for j in range(4):
        d = np.array(deviations)[:, j]
        first, second = (d[:-size] ** 2).sum(), (d[size:] ** 2).sum()
        per_group.append(np.sqrt(first * second))
        products += (d[:-size] * d[size:]).sum()
    found = scatter(chunks, size, ordered=True)
    assert found.ratios[Statistic.DISTRIBUTION] == pytest.approx(above / below)
    assert found.correlations[Statistic.DISTRIBUTION] == pytest.approx(products / sum(per_group) + size / 40)


@pytest.mark.parametrize("phi", [0.3, 0.6, 0.9, 0.99])
def test_the_inflation_of_a_mean_is_that_of_an_autoregression(phi: float) -> None:
    rows = 100_000
    found = dependence(chunk_counts(groups_of(phi, rows, 3), 2_000), ordered=True)
    for n in (50, 400, 3_000):
        # The estimate of one series varies: with 32 chunks of 3,000 rows by a sixth.
        assert found.inflation(n, Statistic.MEAN) == pytest.approx(inflation_of_a_mean(phi, n), rel=0.25)
    assert found.known(400)


def test_independent_rows_lose_next_to_nothing() -> None:
    rng = np.random.default_rng(5)
    found = [dependence(rng.multinomial(50, np.full(10, 0.1), size=400), ordered=True) for _ in range(100)]
    for n, loss in ((50, 0.03), (400, 0.08), (20_000, 0.12)):
        assert np.mean([each.inflation(n) for each in found]) <= 1 + loss
    assert np.mean([each.independent_rows() == 1 for each in found]) >= 0.8
    assert np.mean([each.known(400) for each in found]) >= 0.9


@pytest.mark.parametrize("size", [1, 4])
def test_of_independent_rows_the_variance_of_pearsons_statistic_is_that_of_the_chi_square_law(
    size: int,
) -> None:
    rng = np.random.default_rng(12)
    found = [
        scatter(rng.multinomial(200, np.full(10, 0.1), size=40 * size), size, ordered=True).variance
        for _ in range(400)
    ]
    # Without the correction for noise it would be 1 + 9 / 40.
    assert np.mean(found) == pytest.approx(1, abs=0.05)


def test_below_the_smallest_chunk_the_inflation_of_a_slow_series_shrinks_with_the_rows() -> None:
    # A tenth of the variance moves over 20,000 rows: lambda(n) is about 1 + n / 10.
    rng = np.random.default_rng(1)
    slow = np.repeat(autoregression(0.99, 1_000, rng), 200)
    values = np.sqrt(0.1) * slow + np.sqrt(0.9) * rng.normal(size=slow.size)
    chunks = chunk_counts(np.searchsorted(edges_of(values), values), 100)
    found = dependence(chunks, ordered=True)
    assert found.rows[0] == 2_000
    for n in (100, 500):
        truth = 1 + 0.1 * n
        assert truth * 0.6 <= found.inflation(n, Statistic.MEAN) <= truth * 1.5 + 15


@pytest.mark.parametrize(
    ("phi", "rows", "factor"),
    # With 400 chunks a correlation is known to .05, and that is the limit itself.
    [(0.9, 20_000, 4), (0.9, 100_000, 2.2), (0.99, 100_000, 2.2)],
)
def test_independent_blocks_are_as_long_as_theory_has_them(phi: float, rows: int, factor: float) -> None:
    truth = next(n for n in range(1, 5_000) if correlation_of_blocks(phi, n) <= 0.05)
    found = [
        dependence(chunk_counts(groups_of(phi, rows, seed), min(2_000, rows // 50)), ordered=True)
        for seed in range(8)
    ]
    blocks = [each.independent_rows() for each in found]
    near = [block is not None and truth / factor <= block <= truth * factor for block in blocks]
    assert sum(near) >= 6, blocks


def test_a_reference_that_is_too_short_says_so_and_how_long_it_should_be() -> None:
    found = dependence(chunk_counts(groups_of(0.99, 20_000, 2), 400), ordered=True)
    assert found.independent_rows() is None
    wanted = found.rows_wanted()
    # Thirty blocks of 1,095 rows would do.
    assert wanted is not None
    assert 20_000 < wanted < 120_000
    few = dependence(chunk_counts(groups_of(0.9, 20_000, 2), FEWEST_CHUNKS - 1), ordered=True)
    assert not few.known(100)
    assert few.independent_rows() is None
    assert few.rows_wanted() is None
    assert few.inflation(100) == 1


@pytest.mark.parametrize("shape", ["rising", "season"])
def test_a_series_that_moves_as_a_whole_has_a_large_inflation(shape: str) -> None:
    place = np.linspace(0, 1, 50_000)
    values = place if shape == "rising" else np.sin(2 * np.pi * 3 * place)
    values = values + np.random.default_rng(3).normal(scale=0.3, size=values.size)
    found = dependence(chunk_counts(np.searchsorted(edges_of(values), values), 1_000), ordered=True)
    assert found.inflation(500) > 100
    assert not found.known(500)
    assert found.independent_rows() is None
    assert found.rows_wanted() is not None


def test_a_short_season_is_known_and_whole_days_are_independent() -> None:
    hours = np.arange(60_000) // 50
    values = np.sin(2 * np.pi * hours / 24) + np.random.default_rng(4).normal(size=hours.size)
    found = dependence(chunk_counts(np.searchsorted(edges_of(values), values), 1_200), ordered=True)
    assert found.inflation(100) > 10
    assert found.known(500)
    assert found.independent_rows() is not None


def test_sticky_categories_scatter_as_their_correlation_says() -> None:
    rng = np.random.default_rng(9)
    places = sticky(0.8, [0.5, 0.3, 0.15, 0.05], 100_000, rng)
    found = dependence(chunk_counts(places, 2_000), ordered=False)
    # All indicators have correlation .8 ** k, so (1 + .8) / (1 - .8) = 9 in the limit.
    assert found.inflation(2_000) == pytest.approx(9, rel=0.2)
    assert found.inflation(2_000, Statistic.CHI_SQUARE) == found.inflation(2_000)
    mean, variance = found.chi_square_ratios(2_000)
    assert variance == pytest.approx(mean * mean, rel=0.3)
    blocks = found.independent_rows()
    truth = next(n for n in range(1, 5_000) if correlation_of_blocks(0.8, n) <= 0.05)
    assert blocks is not None
    assert truth / 2.2 <= blocks <= truth * 2.2


def test_one_dependent_category_among_many_is_seen() -> None:
    rng = np.random.default_rng(10)
    outage = autoregression(0.99, 60_000, rng) > 1.2
    places = np.where(outage, 0, rng.integers(1, 60, size=outage.size))
    found = dependence(chunk_counts(places, 300), ordered=False)
    assert found.inflation(1_000) < 5
    assert found.inflation(1_000, Statistic.SHARE) > 20
    assert found.largest_inflation(1_000) == found.inflation(1_000, Statistic.SHARE)
    blocks = found.independent_rows()
    assert blocks is None or blocks > 300


def test_clusters_of_volatility_inflate_the_scale_and_not_the_mean() -> None:
    rng = np.random.default_rng(11)
    spread = np.exp(autoregression(0.98, 100_000, rng) * 0.7)
    values = spread * rng.normal(size=spread.size)
    found = dependence(chunk_counts(np.searchsorted(edges_of(values), values), 2_000), ordered=True)
    assert found.inflation(1_000, Statistic.MEAN) < 1.5
    assert found.inflation(1_000, Statistic.SCALE) > 8
    assert found.largest_inflation(1_000) == found.inflation(1_000, Statistic.SCALE)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_column_of_one_value_has_nothing_that_depends(*, ordered: bool) -> None:
    found = dependence(np.full((100, 1), 50), ordered=ordered)
    assert found.inflation(500) == 1
    assert found.known(500)
    assert found.independent_rows() == 1


def test_empty_spans_and_empty_groups_change_nothing() -> None:
    chunks = chunk_counts(groups_of(0.9, 20_000, 1), 200)
    padded = np.zeros((400, 12), dtype=np.int64)
    padded[::2, 1:-1] = chunks
    one, other = dependence(chunks, ordered=True), dependence(padded, ordered=True)
    for n, statistic in product((50, 500), Statistic):
        assert one.inflation(n, statistic) == pytest.approx(other.inflation(n, statistic))
    assert one.independent_rows() == other.independent_rows()


def test_a_calibration_measures_its_chunks_once() -> None:
    chunks = chunk_counts(groups_of(0.6, 20_000, 1), 200)
    known = Calibration(chunks=chunks, ordered=True)
    assert known.dependence is known.dependence
    assert known.dependence is not None
    assert known.dependence.inflation(500) == dependence(chunks, ordered=True).inflation(500)
    assert Calibration().dependence is None
