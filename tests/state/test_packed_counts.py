import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.base import IntArray
from state.sketches.packed import pack_counts, unpack_counts

COUNTS = st.sampled_from([0, 0, 0, 1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**62, -1, -(2**40)])
MATRICES = arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(0, 12)), elements=COUNTS)


@given(counts=MATRICES)
def test_packed_counts_come_back(counts: IntArray) -> None:
    read = unpack_counts(pack_counts(counts))
    assert read.dtype == np.int64
    assert read.shape == counts.shape
    assert (read == counts).all()


@pytest.mark.parametrize(
    ("counts", "most"),
    [
        # One row leaves a handful of counts behind, of a thousand: a place takes two bytes, its count one.
        (np.eye(1, 1_000, 7, dtype=np.int64), 3),
        (np.full((20, 68), 200), 20 * 68),
        (np.full((20, 68), 300), 2 * 20 * 68),
        (np.zeros((20, 68), dtype=np.int64), 0),
    ],
)
def test_small_counts_take_few_bytes(counts: IntArray, most: int) -> None:
    packed = pack_counts(counts)
    assert len(packed.places) + len(packed.counts) <= most
