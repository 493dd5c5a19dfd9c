"""Segments at once against each segment alone, and where a drift is against how it was made."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import FloatArray, IntArray, Kind, Summary
from detectors.coarse import coarsen
from detectors.divergence_rows import psi_rows
from detectors.divergences import Psi, psi
from detectors.ordered import KolmogorovSmirnov
from detectors.segments import SegmentReadings, Where, compare_segments
from detectors.significance import ChiSquare

BINS = 24
GROUPS = np.repeat(np.arange(8), 3)
MIN_ROWS = 300


def summary(counts: IntArray, *, continuous: bool = True) -> Summary:
    kind = Kind.NUMERIC if continuous else Kind.CATEGORICAL
    return Summary(kind=kind, counts=counts, groups=GROUPS, continuous=continuous)


def drawn(rng: np.random.Generator, rows: int, traffic: Sequence[float], means: Sequence[float]) -> IntArray:
    """Rows per segment and bin, where each segment has a normal law of its own."""
    segment = rng.choice(len(traffic), rows, p=traffic)
    values = rng.normal(np.asarray(means)[segment])
    bins = np.searchsorted(np.linspace(-2, 2, BINS - 1), values)
    return np.bincount(segment * BINS + bins, minlength=len(traffic) * BINS).reshape(-1, BINS)


def compared(
    traffic: tuple[Sequence[float], Sequence[float]],
    means: tuple[Sequence[float], Sequence[float]],
    *,
    rows: int = 4_000,
    seed: int = 1,
) -> SegmentReadings:
    rng = np.random.default_rng(seed)
    reference, current = drawn(rng, 40_000, traffic[0], means[0]), drawn(rng, rows, traffic[1], means[1])
    return compare_segments(summary(reference.sum(axis=0)), reference, current, min_rows=MIN_ROWS)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), rows=st.sampled_from([0, 3, 40, 2_000]), continuous=st.booleans())
def test_each_segment_reads_as_if_it_were_compared_alone(seed: int, rows: int, *, continuous: bool) -> None:
    rng = np.random.default_rng(seed)
    # The last segment has few rows of its own in the reference, the one before none at all.
    reference = drawn(rng, 5_000, [0.5, 0.47, 0.0, 0.03], [0, 0.5, 0, 0])
    current = drawn(rng, rows, [0.5, 0.3, 0.1, 0.1], [0.2, 0.5, 1, 0])
    whole = summary(reference.sum(axis=0), continuous=continuous)
    found = compare_segments(whole, reference, current, min_rows=MIN_ROWS)
    assert found.own.tolist() == [True, True, False, False]
    test = KolmogorovSmirnov() if continuous else ChiSquare()
    for i, counts in enumerate(current):
        against = summary(reference[i] if found.own[i] else whole.counts, continuous=continuous)
        effect, decides = (d.compare(against, summary(counts, continuous=continuous)) for d in (Psi(), test))
        assert found.n_reference[i] == against.n
        if not counts.any():
            assert np.isnan([found.psi.debiased[i], found.p_value[i]]).all()
            continue
        assert found.psi.debiased[i] == pytest.approx(effect.debiased, rel=1e-9, abs=1e-12)
        assert found.p_value[i] == pytest.approx(decides.p_value, rel=1e-9)
    entire = Psi().compare(whole, summary(current.sum(axis=0), continuous=continuous))
    assert found.effect == (None if entire.debiased is None else pytest.approx(entire.debiased, rel=1e-9))


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_what_segments_add_is_the_psi_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(5), size=2)
    reference = drawn(rng, 30_000, shares[0].tolist(), rng.normal(size=5).tolist())
    current = drawn(rng, 20_000, shares[1].tolist(), rng.normal(size=5).tolist())
    found = compare_segments(summary(reference.sum(axis=0)), reference, current, min_rows=MIN_ROWS)
    whole = psi(coarsen(reference.sum(axis=0), GROUPS), coarsen(current.sum(axis=0), GROUPS))
    # Half a row in each group, which the PSI has and the parts have not, moves it by that much.
    assert (found.within + found.mix).sum() == pytest.approx(whole, rel=0.02)


def brute_force_reweighted(reference: IntArray, current: IntArray) -> FloatArray:
    """Shares of the groups with each segment's rows repeated until traffic is as in the reference."""
    shares = np.zeros(BINS)
    for before, now in zip(reference, current, strict=True):
        shares += before.sum() / reference.sum() * now / now.sum()
    return np.bincount(GROUPS, weights=shares).astype(np.float64)


def test_reweighting_gives_the_window_the_traffic_of_the_reference() -> None:
    rng = np.random.default_rng(4)
    reference = drawn(rng, 400_000, [0.6, 0.4], [0.0, 1.0])
    current = drawn(rng, 300_000, [0.2, 0.8], [0.3, 1.0])
    found = compare_segments(summary(reference.sum(axis=0)), reference, current, min_rows=MIN_ROWS)
    q, p = (
        brute_force_reweighted(reference, current),
        coarsen(reference.sum(axis=0), GROUPS) / reference.sum(),
    )
    # With so many rows neither the noise nor half a row a group count.
    assert found.reweighted == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=0.02)


def test_weighted_rows_are_worth_fewer() -> None:
    rng = np.random.default_rng(6)
    reference, current = drawn(rng, 9_000, [0.8, 0.2], [0, 1]), drawn(rng, 1_000, [0.1, 0.9], [0.4, 1])
    found = compare_segments(summary(reference.sum(axis=0)), reference, current, min_rows=MIN_ROWS)
    weights, rows = reference.sum(axis=1) / reference.sum(), current.sum(axis=1)
    # Kish: 80 % of the weight rests on the hundred rows of the first segment.
    worth = 1 / (weights**2 / rows).sum()
    assert worth < 200
    shares = brute_force_reweighted(reference, current)
    before = coarsen(reference.sum(axis=0), GROUPS).astype(np.float64)
    wanted = psi_rows(before[None], worth * shares[None]).debiased[0]
    assert found.reweighted == pytest.approx(wanted)


def test_segments_that_come_or_go_have_not_changed_within() -> None:
    found = compared(([0.5, 0.0, 0.5, 0.0], [0.5, 0.3, 0.0, 0.2]), (UNLIKE, UNLIKE))
    assert (found.within[1:] == 0).all()
    assert found.mix[1] > 0


EVEN = [0.25, 0.25, 0.25, 0.25]
LARGE = [0.85, 0.05, 0.05, 0.05]
CALM = [0.0, 0.0, 0.0, 0.0]
UNLIKE = [0.0, 1.5, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("traffic", "means", "where", "named"),
    [
        ((EVEN, EVEN), (CALM, [0, 0, 1, 0]), Where.SEGMENTS, (2,)),
        # One segment that is most of the traffic: it is there, not everywhere.
        ((LARGE, LARGE), (CALM, [0.6, 0, 0, 0]), Where.SEGMENTS, (0,)),
        ((LARGE, LARGE), (CALM, [0.6, 0.6, 0.6, 0.6]), Where.EVERYWHERE, ()),
        ((EVEN, EVEN), (CALM, [0.5, 0.5, 0.5, 0.5]), Where.EVERYWHERE, ()),
        ((EVEN, EVEN), (CALM, [0, 0.9, 0, 1.1]), Where.SEGMENTS, (3, 1)),
        # Three of four are more than half.
        ((EVEN, EVEN), (CALM, [1, 1, 1, 0]), Where.EVERYWHERE, ()),
        # Nothing happened but that one of them, which is unlike the others, sends more.
        (([0.7, 0.1, 0.1, 0.1], [0.3, 0.5, 0.1, 0.1]), (UNLIKE, UNLIKE), Where.MIX, (1, 0)),
        # A segment that the reference never had.
        (([0.5, 0.0, 0.25, 0.25], [0.35, 0.3, 0.175, 0.175]), (UNLIKE, UNLIKE), Where.MIX, (1,)),
        # Traffic alone is no drift where segments are alike.
        (([0.7, 0.1, 0.1, 0.1], [0.3, 0.5, 0.1, 0.1]), (CALM, [0, 0, 2.5, 0]), Where.SEGMENTS, (2,)),
    ],
)
def test_a_drift_is_found_where_it_was_put(
    traffic: tuple[list[float], list[float]],
    means: tuple[list[float], list[float]],
    where: Where,
    named: tuple[int, ...],
    seed: int,
) -> None:
    found = compared(traffic, means, seed=seed)
    assert found.where is where
    assert found.named[: len(named)] == named or set(found.named) == set(named)
    if where is Where.SEGMENTS:
        part = (found.within + found.mix)[list(named)].sum() / (found.within + found.mix).sum()
        assert part > 0.8


def test_without_drift_it_is_nowhere() -> None:
    found = [compared((EVEN, EVEN), (UNLIKE, UNLIKE), seed=seed, rows=2_000) for seed in range(40)]
    # What is there by luck is small, so that nothing can be told of its place.
    assert sum(each.where is not None for each in found) <= 4


def test_few_rows_do_not_tell_where_it_is() -> None:
    assert compared((EVEN, EVEN), (CALM, [0, 0, 0.8, 0]), rows=100).where is None


@pytest.mark.parametrize(("reference_rows", "rows"), [(0, 0), (0, 50), (500, 0)])
def test_a_side_without_rows_says_nothing(reference_rows: int, rows: int) -> None:
    rng = np.random.default_rng(1)
    reference, current = (drawn(rng, n, EVEN, CALM) for n in (reference_rows, rows))
    found = compare_segments(summary(reference.sum(axis=0)), reference, current, min_rows=MIN_ROWS)
    assert (found.effect, found.reweighted, found.where, found.named) == (None, None, None, ())
    assert np.isnan(found.psi.debiased).all()
    assert not (found.within.any())
    assert not (found.mix.any())
