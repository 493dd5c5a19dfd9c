"""Coarse groups and the checks before a measurement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import IncompatibleSummaryError
from detectors.coarse import EmptyCountsError, coarsen, matched_rows, occupied, totals
from detectors.testing.summaries import categorical, coarse_groups, frozen_ints


@given(
    counts=st.lists(st.integers(0, 2**40), min_size=1, max_size=70),
    wanted=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_coarse_counts_are_the_sums_of_their_bins(counts: list[int], wanted: int, seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(coarse_groups(len(counts), wanted))
    # Oracle: Python's own integers, one group after the other.
    sums = [
        sum(count for count, group in zip(counts, groups, strict=True) if group == each)
        for each in range(max(groups) + 1)
    ]
    coarse = coarsen(frozen_ints(counts), frozen_ints(groups))
    assert coarse.tolist() == sums
    assert coarse.dtype == np.int64


def test_totals_need_the_same_groups_and_rows_on_both_sides() -> None:
    assert totals(frozen_ints([1, 2]), frozen_ints([0, 5])) == (3, 5)
    with pytest.raises(IncompatibleSummaryError, match=r"shape \(3,\) compared .* shape \(2,\)"):
        totals(frozen_ints([1, 2]), frozen_ints([1, 2, 3]))
    with pytest.raises(EmptyCountsError, match="3 reference rows and 0 current rows"):
        totals(frozen_ints([1, 2]), frozen_ints([0, 0]))


def test_a_group_is_occupied_when_either_side_holds_a_row() -> None:
    assert occupied(frozen_ints([1, 0, 0, 2]), frozen_ints([0, 0, 4, 1])) == 3


def test_bins_equal_by_value_match() -> None:
    # Different array objects: a reference read back from a store.
    assert matched_rows(categorical([1, 2]), categorical([4, 0])) == (3, 4)
