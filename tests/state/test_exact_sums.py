"""Fixed-point sums against Python's exact fractions."""

from fractions import Fraction
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from state.exact_sums import BITS, LARGEST, exact_sum, limbs

VALUES = st.lists(
    st.floats(-LARGEST, LARGEST) | st.floats(-10, 10) | st.sampled_from([2.0**-49, -(2.0**-48), LARGEST]),
    min_size=1,
    max_size=30,
)


@given(VALUES)
def test_each_value_is_the_nearest_multiple(values: list[float]) -> None:
    for value, row in zip(values, limbs(np.array(values)), strict=True):
        assert abs(exact_sum(row) - Fraction(value)) <= Fraction(1, 2 ** (BITS + 1))


@given(VALUES, st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_order_or_grouping(values: list[float], random: Random) -> None:
    whole = limbs(np.array(values)).sum(axis=0)
    random.shuffle(values)
    cut = len(values) // 2
    parts = [limbs(np.array(part)).sum(axis=0) for part in (values[:cut], values[cut:]) if part]
    assert np.array_equal(sum(parts), whole)


def test_limbs_leave_room_for_a_quarter_of_a_billion_rows() -> None:
    assert int(np.abs(limbs(np.array([LARGEST, -LARGEST]))).max()) * 2**28 < 2**63
