"""Many pairs at once give what one pair after the other gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.base import IntArray
from detectors.divergence_rows import psi_rows
from detectors.effects import psi_divergence

COUNTS = st.sampled_from([0, 0, 1, 2, 7, 40, 500, 90_000])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[IntArray, IntArray]:
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    return draw(arrays(np.int64, shape, elements=COUNTS)), draw(arrays(np.int64, shape, elements=COUNTS))


@given(pair=pairs(), inflation=st.sampled_from([1.0, 3.5]))
def test_each_pair_has_the_psi_and_the_interval_of_its_own(
    pair: tuple[IntArray, IntArray], inflation: float
) -> None:
    reference, current = pair
    found = psi_rows(reference.astype(np.float64), current.astype(np.float64), inflation=inflation)
    for i, (before, now) in enumerate(zip(reference, current, strict=True)):
        got = float(found.debiased[i]), float(found.low[i]), float(found.high[i])
        if not before.any() or not now.any():
            assert np.isnan(got).all()
            continue
        wanted = psi_divergence(before, now, inflation=inflation)
        assert got[0] == pytest.approx(wanted.debiased, rel=1e-9, abs=1e-12)
        ends = wanted.interval()
        if ends is None:
            assert np.isnan(got[1:]).all()
        else:
            assert got[1:] == pytest.approx(ends, rel=1e-9, abs=1e-12)


def test_some_of_the_pairs_can_be_taken() -> None:
    counts = np.arange(12.0).reshape(4, 3)
    whole, part = psi_rows(counts, counts[::-1]), psi_rows(counts[1:3], counts[::-1][1:3])
    assert np.array_equal(whole[1:3].debiased, part.debiased)
    assert np.array_equal(whole[1:3].high, part.high)
