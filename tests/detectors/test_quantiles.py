from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors.base import FloatArray
from detectors.checks import CheckStatus, Family, Sensitivity
from detectors.quantiles import Binned, check_quantile, quantile, quantile_interval
from state.layout import numeric_bins

ZERO = np.zeros(1, dtype=np.int64)
SENSITIVITY = Sensitivity(level=1e-3, min_excess=0.0, min_rows=20)

samples = st.lists(st.floats(0, 1e4) | st.sampled_from([1.0, 2.0, 5.0]), min_size=1, max_size=80)


def binned(reference: FloatArray, values: FloatArray) -> Binned:
    bins = numeric_bins(reference, tail=True)
    sketch = bins.summarize(values, ZERO, ZERO)[0]
    return Binned(counts=bins.summary(sketch).counts, edges=bins.edges, low=sketch.low, high=sketch.high)


@given(reference=samples, values=samples, share=st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_the_quantile_of_the_rows_lies_between_the_borders(
    reference: list[float], values: list[float], share: float
) -> None:
    found = quantile(binned(np.array(reference), np.array(values)), share)
    exact = sorted(values)[ceil(share * len(values)) - 1]
    assert found is not None
    assert found.low <= exact <= found.high
    assert found.low <= found.value <= found.high
    assert min(values) <= found.low
    assert found.high <= max(values)


def test_without_values_there_is_no_quantile() -> None:
    nothing = binned(np.array([1.0, 2.0]), np.array([np.nan]))
    assert quantile(nothing, 0.5) is None
    assert quantile_interval(nothing, 0.5, clump=1.0) is None
    found = check_quantile(
        "p", Family.OPERATIONS, nothing, 0.5, SENSITIVITY, limit=1.0, reference=None, source="given"
    )
    assert (found.status, found.value) == (CheckStatus.INSUFFICIENT, None)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_the_interval_holds_the_true_quantile_in_nine_windows_of_ten(share: float) -> None:
    rng = np.random.default_rng(11)
    reference = rng.lognormal(3, 1, 20_000)
    truth = float(stats.lognorm.ppf(share, 1, scale=np.exp(3)))
    held = 0
    for _ in range(200):
        found = quantile_interval(binned(reference, rng.lognormal(3, 1, 800)), share, clump=1.0)
        assert found is not None
        held += found[0] <= truth <= found[1]
    # At least 90 %: binomial with n = 200 and p = .9 is above 166 with a chance of .999.
    assert held >= 167


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_at_its_limit_is_no_violation(share: float) -> None:
    rng = np.random.default_rng(12)
    reference = rng.lognormal(3, 1, 20_000)
    limit = float(stats.lognorm.ppf(share, 1, scale=np.exp(3)))
    violated = sum(
        check_quantile(
            "p",
            Family.OPERATIONS,
            binned(reference, rng.lognormal(3, 1, 500)),
            share,
            Sensitivity(level=0.05, min_excess=0.0, min_rows=20),
            limit=limit,
            reference=None,
            source="given",
        ).status
        is CheckStatus.VIOLATED
        for _ in range(400)
    )
    # At most 5 %: binomial with n = 400 and p = .05 is at most 34 with a chance of .999.
    assert violated <= 34


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_answers_twice_as_slow_are_seen(share: float) -> None:
    rng = np.random.default_rng(13)
    reference = rng.lognormal(3, 0.5, 20_000)
    before = quantile(binned(reference, reference), share)
    assert before is not None
    found = check_quantile(
        "p",
        Family.OPERATIONS,
        binned(reference, 2 * rng.lognormal(3, 0.5, 1_000)),
        share,
        SENSITIVITY,
        limit=1.25 * before.value,
        reference=before.value,
        source="reference",
    )
    assert found.status is CheckStatus.VIOLATED
    assert found.value is not None
    assert found.value == pytest.approx(2 * before.value, rel=0.2)
    assert found.detail.startswith("of these rows between ")
