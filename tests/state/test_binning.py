import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectors.base import FloatArray
from state.sketches.binning import CELLS, BinFinder

finite = st.floats(allow_nan=False, allow_infinity=False)
near = st.floats(-4.0, 4.0)


def assert_found(edges: FloatArray, values: FloatArray) -> None:
    # The oracle is NumPy's binary search.
    before = values.copy()
    found = BinFinder.over(edges).find(values)
    np.testing.assert_array_equal(found, np.searchsorted(edges, values, side="left"))
    np.testing.assert_array_equal(values, before)
    assert found.dtype == np.int64


@st.composite
def edges_and_values(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    numbers = draw(st.sampled_from([finite, near]))
    edges = np.unique(np.array(draw(st.lists(numbers, min_size=1, max_size=40))) + 0.0)
    # Values at an edge and next to it are where a table can go wrong.
    with np.errstate(over="ignore"):
        beside = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    others = draw(hnp.arrays(np.float64, st.integers(1, 40), elements=numbers))
    values = np.concatenate([beside, others])
    return edges, values[np.isfinite(values)]


@given(edges_and_values())
@example((np.array([-1.7e308, 0.0, 1.7e308]), np.array([-1.79e308, 1.79e308, 0.0, -0.0])))
def test_bins_are_those_of_a_search(case: tuple[FloatArray, FloatArray]) -> None:
    assert_found(*case)


@pytest.mark.parametrize("law", ["normal", "lognormal", "uniform", "atoms", "tight"])
def test_laws_that_columns_follow(law: str) -> None:
    rng = np.random.default_rng(8)
    draws = {
        "normal": rng.normal(size=20_000),
        "lognormal": rng.lognormal(0.0, 2.0, 20_000),
        "uniform": rng.uniform(size=20_000),
        "atoms": rng.poisson(3.0, 20_000).astype(np.float64),
        # Two clusters a million widths apart: all edges stand in two cells, and a search takes over.
        "tight": rng.normal(size=20_000) * 1e-6 + rng.integers(0, 2, 20_000),
    }
    values = draws[law]
    quantiles = np.quantile(values[:5_000], np.arange(1, 64) / 64, method="inverted_cdf")
    edges = np.unique(np.concatenate([quantiles, np.nextafter(quantiles[::8], -np.inf)]))
    assert_found(edges, values)


@pytest.mark.parametrize(("count", "tabled"), [(7, False), (8, True), (63, True), (5 * CELLS, False)])
def test_the_table_is_used_where_it_pays(count: int, tabled: bool) -> None:  # noqa: FBT001  # a parameter
    finder = BinFinder.over(np.linspace(0.0, 1.0, count))
    assert bool(finder._steps) is tabled
