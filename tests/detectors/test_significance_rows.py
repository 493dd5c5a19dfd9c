"""Many pairs at once are tested as one pair after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.base import IntArray
from detectors.ordered import ks_grid, ks_grid_p_value
from detectors.significance import chi_square_test
from detectors.significance_rows import chi_square_rows, ks_rows

# Cells that expect many rows, few, and less than one, so that each of the laws is asked.
COUNTS = st.sampled_from([0, 0, 1, 2, 7, 40, 45, 500, 90_000])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[IntArray, IntArray]:
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    return draw(arrays(np.int64, shape, elements=COUNTS)), draw(arrays(np.int64, shape, elements=COUNTS))


@given(pair=pairs(), ratios=st.sampled_from([(1.0, 1.0), (2.0, 5.0)]))
def test_chi_square(pair: tuple[IntArray, IntArray], ratios: tuple[float, float]) -> None:
    found = chi_square_rows(*pair, ratios=ratios)
    for got, before, now in zip(found.tolist(), *pair, strict=True):
        if not before.any() or not now.any():
            assert np.isnan(got)
        else:
            assert got == pytest.approx(chi_square_test(before, now, ratios=ratios).p_value, rel=1e-8)


@given(pair=pairs(), inflation=st.sampled_from([1.0, 3.0]))
def test_kolmogorov_smirnov(pair: tuple[IntArray, IntArray], inflation: float) -> None:
    found = ks_rows(*pair, inflation=inflation)
    for got, before, now in zip(found.tolist(), *pair, strict=True):
        if not before.any() or not now.any():
            assert np.isnan(got)
            continue
        score, _ = ks_grid(before, now)
        bins, rows = int(np.count_nonzero(before + now)), (int(before.sum()), int(now.sum()))
        assert got == pytest.approx(ks_grid_p_value(score, *rows, bins, inflation=inflation), rel=1e-9)
