"""Grid Cramer-von Mises and Anderson-Darling against scipy and the definition on raw rows."""

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import anderson_ksamp, cramervonmises_2samp

from detectors.base import FloatArray
from detectors.bridge_laws import anderson_darling_law
from detectors.integrals import (
    AndersonDarling,
    CramerVonMises,
    anderson_darling_grid,
    cramer_von_mises_grid,
)
from detectors.ordered import atom_bins
from detectors.testing.summaries import frozen_ints, numeric, numeric_pairs

Pair = tuple[list[float], list[float], list[float]]


def raw_integral(before: FloatArray, now: FloatArray) -> float:
    """Mean over the pooled rows of the squared distance of the distribution functions."""
    pooled = np.concatenate([before, now])
    distance = [float((now <= each).mean() - (before <= each).mean()) for each in pooled]
    return float(np.square(distance).mean())


@given(numeric_pairs())
def test_the_raw_integral_is_within_the_bound(pair: Pair) -> None:
    before, now, edges = pair
    reference, current = numeric(before, edges), numeric(now, edges)
    score = cramer_von_mises_grid(reference.counts, current.counts)
    p, q = reference.counts / reference.n, current.counts / current.n
    pooled = (reference.counts + current.counts) / (reference.n + current.n)
    lowest, highest = min(*before, *now), max(*before, *now)
    reach = np.where(atom_bins(np.array(edges), minimum=lowest, maximum=highest), 0.0, np.maximum(p, q))
    bound = float((pooled * reach * (2 * np.abs((q - p).cumsum()) + reach)).sum())
    assert abs(raw_integral(np.array(before), np.array(now)) - score) <= bound + 1e-12


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_rows_with_a_bin_each_give_scipys_statistic(shift: float) -> None:
    rng = np.random.default_rng(1)
    before, now = rng.normal(size=300), rng.normal(shift, 1.0, 80)
    edges = np.unique(np.concatenate([before, now]))[:-1]
    reference, current = numeric(before, edges), numeric(now, edges)
    effective = 300 * 80 / 380
    wanted = cramervonmises_2samp(before, now)
    reading = CramerVonMises().compare(reference, current)
    assert reading.score is not None
    # Anderson (1962): T of scipy is n_e times the integral, without the term that centres it.
    assert reading.score * effective == pytest.approx(wanted.statistic, rel=1e-9)
    # The exact law of so few rows is close to the limit.
    assert reading.p_value == pytest.approx(
        cramervonmises_2samp(before, now, method="asymptotic").pvalue, abs=0.02
    )
    # Pettitt (1976): scipy standardises A^2 - 1 by its deviation.
    score, lost = anderson_darling_grid(reference.counts, current.counts)
    assert lost == pytest.approx(1 / 380)
    assert score * effective == pytest.approx(_anderson_darling(before, now), rel=1e-9)


def _anderson_darling(before: FloatArray, now: FloatArray) -> float:
    """A^2 by the sum of Pettitt (1976), (1): ``1 / (nm) sum (M_i N - n i)^2 / (i (N - i))``."""
    pooled = np.sort(np.concatenate([before, now]))
    rows = pooled.size
    i = np.arange(1, rows)
    seen = np.searchsorted(np.sort(now), pooled[:-1], side="right")
    terms = (seen * rows - now.size * i) ** 2 / (i * (rows - i))
    return float(terms.sum()) / (before.size * now.size)


def test_pettitts_sum_is_scipys_statistic() -> None:
    rng = np.random.default_rng(2)
    before, now = rng.normal(size=200), rng.normal(0.4, 1.0, 90)
    found = anderson_ksamp([before, now], variant="right")
    # It is standardised, (A^2 - 1) / sigma, and sigma is near that of the limit, .7597 (Anderson & Darling).
    assert found.statistic == pytest.approx((_anderson_darling(before, now) - 1) / 0.7597, rel=0.02)


@pytest.mark.parametrize("bins", [16, 64, 256])
def test_a_grid_is_close_to_the_raw_rows(bins: int) -> None:
    rng = np.random.default_rng(bins)
    before, now = rng.gamma(2.0, size=8_000), rng.gamma(2.3, size=900)
    edges = np.quantile(before, np.arange(1, bins) / bins)
    reference, current = numeric(before, edges), numeric(now, edges)
    effective = 8_000 * 900 / 8_900
    integral = cramer_von_mises_grid(reference.counts, current.counts)
    weighted, _ = anderson_darling_grid(reference.counts, current.counts)
    # Under this shift the integrals lose in proportion to the width of a bin.
    assert integral == pytest.approx(raw_integral(before, now), rel=1.5 / bins + 0.01)
    assert weighted * effective == pytest.approx(_anderson_darling(before, now), rel=3 / bins + 0.01)


def test_known_values() -> None:
    # D = -1/4 at the first edge and 0 at the last; pooled shares 5/12 and 7/12.
    reference, current = frozen_ints([4, 4]), frozen_ints([1, 3])
    assert cramer_von_mises_grid(reference, current) == pytest.approx(5 / 12 / 16)
    score, lost = anderson_darling_grid(reference, current)
    assert score == pytest.approx(5 / 12 / 16 / (5 / 12 * 7 / 12))
    assert lost == pytest.approx(7 / 12)


@pytest.mark.parametrize("detector", [CramerVonMises(), AndersonDarling()], ids=lambda d: d.name)
def test_only_continuous_columns_have_a_p_value(detector: CramerVonMises | AndersonDarling) -> None:
    rows, edges = [1.0, 2.0, 3.0], [1.5, 2.5]
    discrete = numeric(rows, edges, continuous=False)
    reading = detector.compare(discrete, discrete)
    assert (reading.p_value, reading.reason) == (None, "single values hold much of the column")
    assert detector.limit(discrete, 100, 0.05) is None


def test_tails_weigh_more_in_anderson_darling() -> None:
    # The same two rows of a hundred moved, once next to the median and once out of the lowest bin.
    reference = frozen_ints([100] * 10)
    middle, tail = frozen_ints([10] * 10), frozen_ints([10] * 10)
    for counts, place in ((middle, 4), (tail, 0)):
        counts.setflags(write=True)
        counts[place] += 4
        counts[place + 1] -= 4
    assert cramer_von_mises_grid(reference, middle) == pytest.approx(
        cramer_von_mises_grid(reference, tail), rel=0.05
    )
    assert anderson_darling_grid(reference, tail)[0] > 2 * anderson_darling_grid(reference, middle)[0]


def test_what_the_last_bin_would_add_is_taken_on_average() -> None:
    rng = np.random.default_rng(7)
    edges = [float(edge) for edge in range(1, 8)]
    # Eight equal bins of a reference so long that its own error is nothing.
    reference = numeric(np.repeat(np.arange(8) + 0.5, 20_000), edges)
    scaled, lost = [], []
    for counts in rng.multinomial(300, [1 / 8] * 8, 4_000):
        score, missing = anderson_darling_grid(reference.counts, frozen_ints(counts))
        scaled.append(score * 300)
        lost.append(missing)
    # The statistic's mean without drift is 1 (Anderson & Darling 1954); its variance is 2 (pi^2 - 9) / 3.
    error = 4 * np.sqrt(2 * (np.pi**2 - 9) / 3 / 4_000)
    assert np.mean(scaled) + np.mean(lost) == pytest.approx(1, abs=error)
    assert np.mean(lost) == pytest.approx(1 / 8, abs=0.01)


@pytest.mark.parametrize("current", [[1, 3], [1, 30]])
def test_the_p_value_of_anderson_darling_is_that_of_the_whole_statistic(current: list[int]) -> None:
    before, now = numeric([0.0] * 40 + [1.0] * 40, [0.5]), numeric(np.repeat([0.0, 1.0], current), [0.5])
    score, lost = anderson_darling_grid(before.counts, now.counts)
    scaled = score * before.n * now.n / (before.n + now.n)
    # Where next to nothing differs, the last bin would add next to nothing.
    whole = scaled + lost * min(1.0, scaled)
    assert (scaled < 1) == (current == [1, 3])
    p_value = AndersonDarling().compare(before, now).p_value
    assert p_value == pytest.approx(anderson_darling_law().tail(whole), rel=1e-9)
