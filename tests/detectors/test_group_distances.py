"""Distances between shares: known values, and how they stand to each other."""

import math

import pytest
from hypothesis import given

from detectors.base import Detector
from detectors.group_distances import Hellinger, KullbackLeibler, LInfinity, TotalVariation, share_distance
from detectors.registry import detector
from detectors.testing.summaries import categorical, count_pairs, frozen_ints

NAMES = ("kl", "hellinger", "tv", "linf")


def test_known_values() -> None:
    before, now = frozen_ints([500, 500]), frozen_ints([750, 250])
    # Half a row in a thousand moves the divergence in the third digit: .75 ln 1.5 + .25 ln .5 = .1308.
    assert share_distance("kl", before, now) == pytest.approx(
        0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=0.01
    )
    affinity = math.sqrt(0.5 * 0.75) + math.sqrt(0.5 * 0.25)
    assert share_distance("hellinger", before, now) == pytest.approx(math.sqrt(1 - affinity), rel=1e-12)
    assert share_distance("tv", before, now) == 0.25
    assert share_distance("linf", before, now) == 0.25


def test_sides_without_a_common_group_are_as_far_as_can_be() -> None:
    before, now = frozen_ints([10, 0, 0]), frozen_ints([0, 20, 20])
    assert share_distance("hellinger", before, now) == 1
    assert share_distance("tv", before, now) == 1
    # Of the window half is in each of its groups; of the reference all is in one.
    assert share_distance("linf", before, now) == 1
    assert math.isfinite(share_distance("kl", before, now))


@given(count_pairs())
def test_le_cams_inequalities(pair: tuple[list[int], list[int]]) -> None:
    # Le Cam (1986), Asymptotic Methods in Statistical Decision Theory, 4.2: H^2 <= TV <= H sqrt(2 - H^2).
    before, now = frozen_ints(pair[0]), frozen_ints(pair[1])
    hellinger, total = share_distance("hellinger", before, now), share_distance("tv", before, now)
    assert hellinger**2 <= total + 1e-12
    assert total <= hellinger * math.sqrt(2 - hellinger**2) + 1e-7
    largest = share_distance("linf", before, now)
    assert largest <= total + 1e-12
    assert total <= largest * len(pair[0]) / 2 + 1e-12


def test_the_divergence_is_not_symmetric() -> None:
    # What the window holds and the reference does not weighs more than what has vanished.
    full, half = frozen_ints([500, 500]), frozen_ints([1_000, 0])
    assert share_distance("kl", half, full) > 3 * share_distance("kl", full, half)


@pytest.mark.parametrize("name", ["kl", "hellinger"])
def test_divergences_are_a_constant_times_the_psi_for_small_drift(name: str) -> None:
    before, now = categorical([40_000, 30_000, 30_000]), categorical([4_150, 2_950, 2_900])
    psi, found = detector("psi").compare(before, now), detector(name).compare(before, now)
    assert psi.score is not None
    assert found.score is not None
    of_psi = {"kl": found.score * 2, "hellinger": found.score**2 * 8}[name]
    assert of_psi == pytest.approx(psi.score, rel=0.02)
    assert found.debiased is not None
    assert psi.debiased is not None
    debiased = {"kl": found.debiased * 2, "hellinger": found.debiased**2 * 8}[name]
    assert debiased == pytest.approx(psi.debiased, rel=0.03)
    # So their closed forms say the same; levels are steps of less than 15 %.
    assert psi.p_value is not None
    assert found.p_value == pytest.approx(psi.p_value, rel=0.16)


@pytest.mark.parametrize("each", [TotalVariation(), LInfinity()], ids=lambda d: d.name)
def test_without_a_simulated_law_there_is_no_p_value_and_it_says_so(each: Detector) -> None:
    before = categorical([40_000, 30_000])
    reading = each.compare(before, categorical([400, 300]))
    assert reading.p_value is None
    assert reading.reason == "the reference has no simulated law; build it with this detector configured"
    assert each.limit(before, 700, 0.05) is None


@pytest.mark.parametrize("each", [KullbackLeibler(), Hellinger()], ids=lambda d: d.name)
def test_a_rare_group_without_a_table_leaves_no_law(each: Detector) -> None:
    reading = each.compare(categorical([900, 90]), categorical([50, 50]))
    assert reading.p_value is None
    assert reading.reason is not None
    assert reading.reason.startswith("a group has fewer than 100 reference rows")
