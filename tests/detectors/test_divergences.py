"""PSI and Jensen-Shannon against definitions, scipy and their law without drift."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from detectors.base import IncompatibleSummaryError
from detectors.coarse import EmptyCountsError
from detectors.divergences import JensenShannon, PseudocountError, Psi, expected_psi, jensen_shannon, psi
from detectors.testing.summaries import categorical, count_pairs, frozen_ints


@given(count_pairs(), st.sampled_from([1e-4, 0.5, 1.0]))
def test_psi_is_its_definition(pair: tuple[list[int], list[int]], pseudocount: float) -> None:
    # Oracle: sum of (q - p) ln(q / p) over the groups that hold rows, with exact summation.
    groups = [(r, c) for r, c in zip(*pair, strict=True) if r + c]
    m = sum(r + pseudocount for r, _ in groups)
    n = sum(c + pseudocount for _, c in groups)
    terms = []
    for r, c in groups:
        p, q = (r + pseudocount) / m, (c + pseudocount) / n
        terms.append((q - p) * math.log(q / p))
    score = psi(frozen_ints(pair[0]), frozen_ints(pair[1]), pseudocount=pseudocount)
    assert score == pytest.approx(math.fsum(terms), rel=1e-9, abs=1e-13)
    assert score >= 0


def test_psi_of_a_worked_example() -> None:
    # By hand, pseudocount negligible: (.75 - .5) ln 1.5 + (.25 - .5) ln .5 = .25 ln 3.
    score = psi(frozen_ints([500_000, 500_000]), frozen_ints([750_000, 250_000]), pseudocount=1e-6)
    assert score == pytest.approx(0.25 * math.log(3), rel=1e-9)


def test_groups_empty_on_both_sides_change_nothing() -> None:
    packed = psi(frozen_ints([40, 60]), frozen_ints([7, 3]))
    assert psi(frozen_ints([40, 0, 60, 0]), frozen_ints([7, 0, 3, 0])) == packed


@given(count_pairs())
def test_jensen_shannon_equals_scipy(pair: tuple[list[int], list[int]]) -> None:
    distance = jensen_shannon(frozen_ints(pair[0]), frozen_ints(pair[1]))
    assert 0 <= distance <= 1
    # scipy normalises by itself. Below 1e-7 its distance is the root of a rounding error.
    assert distance == pytest.approx(float(jensenshannon(pair[0], pair[1], base=2)), abs=1e-7)


def test_jensen_shannon_spans_zero_to_one() -> None:
    assert jensen_shannon(frozen_ints([1, 3]), frozen_ints([1000, 3000])) == 0.0
    assert jensen_shannon(frozen_ints([7, 2, 0]), frozen_ints([0, 0, 5])) == 1.0


@given(st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), min_size=3, max_size=3))
def test_jensen_shannon_obeys_the_triangle(sides: list[list[int]]) -> None:
    a, b, c = (frozen_ints(each) for each in sides)
    assert jensen_shannon(a, c) <= jensen_shannon(a, b) + jensen_shannon(b, c) + 1e-7


# Without drift the mean PSI is (B - 1)(1/n + 1/m), Yurdakul & Naranjo (2020). 2,000 draws of a law with
# relative standard deviation sqrt(2 / (B - 1)) give a standard error below 1.1 %; the pseudocount takes up to
# 4 % at 20 rows a group.
@pytest.mark.parametrize(("groups", "n", "m"), [(10, 200, 20_000), (10, 5_000, 20_000), (20, 2_000, 2_000)])
def test_expected_psi_is_the_mean_without_drift(groups: int, n: int, m: int) -> None:
    rng = np.random.default_rng(20)
    shares = np.full(groups, 1 / groups)
    draws = zip(rng.multinomial(m, shares, 2_000), rng.multinomial(n, shares, 2_000), strict=True)
    mean = float(np.mean([psi(reference, current) for reference, current in draws]))
    assert 0.94 < mean / expected_psi(groups, m, n) < 1.04


def test_the_detector_measures_groups_and_takes_the_noise_off() -> None:
    groups = [0, 0, 1, 2, 2, 3]
    reference = categorical([300, 100, 400, 150, 50, 0], groups=groups)
    current = categorical([10, 10, 20, 40, 20, 0], groups=groups)
    merged = frozen_ints([400, 400, 200, 0]), frozen_ints([20, 20, 60, 0])
    reading = Psi().compare(reference, current)
    assert reading.score == psi(*merged)
    # Three groups hold rows: 2 (1/1000 + 1/100) is the noise.
    assert reading.debiased == pytest.approx(psi(*merged) - 0.022, rel=1e-12)
    assert JensenShannon().compare(reference, current).score == jensen_shannon(*merged)


def test_debiased_is_zero_within_the_noise() -> None:
    reading = Psi().compare(categorical([500, 500]), categorical([26, 24]))
    assert reading.score is not None
    assert reading.score > 0
    assert reading.debiased == 0


@pytest.mark.parametrize("bad", [0.0, -0.5, math.inf, math.nan])
def test_a_pseudocount_without_a_finite_score_is_refused(bad: float) -> None:
    with pytest.raises(PseudocountError, match="must be a finite number above 0"):
        Psi(pseudocount=bad)
    with pytest.raises(PseudocountError, match="must be a finite number above 0"):
        psi(frozen_ints([1]), frozen_ints([1]), pseudocount=bad)


def test_counts_over_other_groups_and_empty_sides_are_refused() -> None:
    for measure in (psi, jensen_shannon):
        with pytest.raises(IncompatibleSummaryError, match="same groups"):
            measure(frozen_ints([1, 2]), frozen_ints([1, 2, 3]))
        with pytest.raises(EmptyCountsError, match="0 current rows"):
            measure(frozen_ints([1, 2]), frozen_ints([0, 0]))
