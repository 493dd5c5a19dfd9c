from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import FloatArray
from state.layout import (
    ATOM_SHARE,
    BEYOND,
    BINS,
    FEW_VALUES,
    GROUPS,
    RARE_SHARE,
    TAIL,
    categories,
    numeric_bins,
    pools,
)
from state.sketches.numeric import NumericBins

RNG = np.random.default_rng(7)
SAMPLES = st.lists(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-50, 50).map(float),
    min_size=1,
    max_size=300,
)


def places(bins: NumericBins, sample: FloatArray) -> FloatArray:
    place = np.searchsorted(bins.edges, sample, side="left")
    return np.bincount(place, minlength=bins.bins).astype(np.float64) / len(sample)


def group_shares(bins: NumericBins, sample: FloatArray) -> FloatArray:
    return np.bincount(bins.groups, weights=places(bins, sample)).astype(np.float64)


def check(bins: NumericBins, sample: FloatArray) -> None:
    assert np.isfinite(bins.edges).all()
    assert (np.diff(bins.edges) > 0).all()
    assert bins.groups.shape == (bins.bins,)
    shares = places(bins, sample)
    held = bins.groups[shares > 0]
    # Neighbouring bins that hold something form groups 0, 1, ... in order, without a gap.
    assert held[0] == 0
    assert all(0 <= b - a <= 1 for a, b in pairwise(held.tolist()))
    # All others are one more group together, whose number no other bin has.
    assert set(bins.groups[shares == 0].tolist()) <= {held[-1] + 1}
    assert set(bins.groups.tolist()) == set(range(int(bins.groups.max()) + 1))
    assert np.log2(bins.unit) == np.round(np.log2(bins.unit))


@settings(max_examples=200)
@given(values=SAMPLES)
def test_bins_of_any_sample_are_sound(values: list[float]) -> None:
    sample = np.array(values)
    sample.setflags(write=False)
    bins = numeric_bins(sample)
    check(bins, sample)
    shares = places(bins, sample)
    mine = np.searchsorted(bins.edges, sample, side="left")
    assert (shares[mine] > 0).all()
    distinct, counts = np.unique(sample, return_counts=True)
    few = len(distinct) <= FEW_VALUES
    # A value that fills a bin has one to itself.
    for value, count in zip(distinct, counts, strict=True):
        if few or count >= len(sample) / BINS:
            place = int(np.searchsorted(bins.edges, value, side="left"))
            assert shares[place] == pytest.approx(count / len(sample))
    assert bins.continuous == (not few and counts.max() / len(sample) <= ATOM_SHARE)


@given(values=SAMPLES, data=st.data())
def test_the_order_of_rows_changes_nothing(values: list[float], data: st.DataObject) -> None:
    one, other = numeric_bins(np.array(values)), numeric_bins(np.array(data.draw(st.permutations(values))))
    assert one.edges.tobytes() == other.edges.tobytes()
    assert (one.groups == other.groups).all()
    assert str(one.center) == str(other.center)
    assert one.continuous is other.continuous


def test_the_sign_of_zero_changes_nothing() -> None:
    for rest in ([1.0], [float(x) for x in range(1, 40)]):
        one, other = numeric_bins(np.array([0.0, -0.0, *rest])), numeric_bins(np.array([-0.0, 0.0, *rest]))
        assert one.edges.tobytes() == other.edges.tobytes()
        assert str(one.center) == str(other.center)


@pytest.mark.parametrize(
    "sample", [RNG.normal(size=20_000), RNG.lognormal(sigma=2, size=20_000), RNG.standard_cauchy(20_000)]
)
def test_continuous_values_get_bins_and_groups_of_equal_share(sample: FloatArray) -> None:
    bins = numeric_bins(sample)
    check(bins, sample)
    assert bins.bins == BINS
    assert bins.continuous
    # Quantiles of the sample itself: each bin holds its share to within a row or two.
    assert np.abs(places(bins, sample) - 1 / BINS).max() < 2 / len(sample)
    shares = group_shares(bins, sample)
    assert len(shares) == GROUPS
    assert np.abs(shares - 1 / GROUPS).max() <= 1 / BINS


def test_a_constant_has_a_bin_and_everything_else_is_unseen() -> None:
    bins = numeric_bins(np.full(100, 5.0))
    below = float(np.nextafter(5.0, -np.inf))
    assert bins.edges.tolist() == [below, 5.0]
    assert bins.groups.tolist() == [1, 0, 1]
    assert not bins.continuous
    # The unit is of the value's own size: a change by its hundredth part must still be seen in sums.
    assert (bins.center, bins.unit) == (5.0, 8.0)
    assert numeric_bins(np.zeros(9)).unit == 1.0


def test_few_values_have_a_bin_each() -> None:
    sample = np.repeat(np.arange(FEW_VALUES, dtype=np.float64), 10)
    bins = numeric_bins(sample)
    check(bins, sample)
    assert not bins.continuous
    assert np.count_nonzero(places(bins, sample)) == FEW_VALUES
    more = np.repeat(np.arange(FEW_VALUES + 1, dtype=np.float64), 10)
    assert numeric_bins(more).continuous


@pytest.mark.parametrize(("zeros", "continuous"), [(9_000, False), (501, False), (500, True), (200, True)])
def test_zero_inflation(zeros: int, *, continuous: bool) -> None:
    sample = np.concatenate([np.zeros(zeros), RNG.exponential(size=10_000 - zeros)])
    bins = numeric_bins(sample)
    check(bins, sample)
    assert bins.continuous is continuous
    # Zero fills a bin of its own; a negative value is one that the reference never held.
    shares = places(bins, sample)
    place = int(np.searchsorted(bins.edges, 0.0))
    assert shares[place] == zeros / 10_000
    unseen = bins.groups[int(np.searchsorted(bins.edges, -1e-9))]
    assert unseen == bins.groups.max()
    assert group_shares(bins, sample)[unseen] == 0
    if zeros == 9_000:
        # A large atom stands alone in its group.
        assert group_shares(bins, sample)[bins.groups[place]] == 0.9


def test_one_row_and_none() -> None:
    one = numeric_bins(np.array([3.0]))
    check(one, np.array([3.0]))
    none = numeric_bins(np.array([]))
    assert none.bins == 3
    assert none.unit == 1.0


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 1e300])
def test_the_ends_of_the_doubles(value: float) -> None:
    for sample in (np.array([value]), np.array([value, 0.0, -value]), np.linspace(value / 2, value, 100)):
        bins = numeric_bins(sample)
        check(bins, sample)
        assert 0 < 1 / bins.unit < np.inf
        assert 0 < bins.unit * bins.unit < np.inf


def test_heavy_tails_make_the_unit_larger() -> None:
    sample = np.concatenate([RNG.normal(size=1_000), np.array([1e6])])
    assert numeric_bins(sample).unit > 1_000 * numeric_bins(sample[:-1]).unit


def test_categories_by_frequency_ties_by_name() -> None:
    found = categories({"b": 3, "a": 3, "c": 9, "d": 1, "e": 1}, top=3)
    assert found.names == ("c", "a", "b")
    assert found.rare == ("d", "e")
    assert found.complete


@given(
    counts=st.dictionaries(st.text(max_size=3), st.integers(1, 2_000), max_size=40),
    top=st.integers(1, 20),
    known=st.integers(20, 30),
)
def test_rare_categories_are_read_together(counts: dict[str, int], top: int, known: int) -> None:
    found = categories(counts, top=top, known=known)
    assert len(found.names) == min(len(counts), top)
    assert len(found.names) + len(found.rare) == min(len(counts), known)
    assert found.complete == (len(counts) <= known)
    assert all(counts[a] >= counts[b] for a in found.names for b in found.rare)
    groups, total = found.groups.tolist(), sum(counts.values())
    assert len(groups) == found.bins
    pooled, new = groups[found.other], groups[found.new]
    for place, name in enumerate(found.names):
        assert groups[place] == (place if counts[name] >= RARE_SHARE * total else pooled)
    # The rare share one group with "other", and "new" is alone: it must never be diluted.
    assert groups.count(new) == 1
    assert sorted(set(groups)) == list(range(new + 1))


def test_many_categories_are_kept_to_a_hundred() -> None:
    found = categories({f"{i:05d}": 20_000 - i for i in range(12_000)})
    assert len(found.names) == 100
    assert len(found.rare) == 10_000 - 100
    assert found.names[0] == "00000"
    assert not found.complete


def test_names_are_chosen_by_the_rows_set_apart() -> None:
    # By `counts` it would be "a" and "b"; "c" has no row among those that choose.
    found = categories({"a": 9, "b": 8, "c": 7}, chosen_by={"b": 5, "a": 4}, top=1)
    assert (found.names, found.rare) == (("b",), ("a", "c"))


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ({"a": 199, "b": 1}, False),
        ({"a": 200, "b": 1}, True),
        ({str(i): 1 for i in range(101)}, True),
        ({}, False),
    ],
)
def test_it_is_known_where_categories_are_read_together(counts: dict[str, int], *, wanted: bool) -> None:
    # Of 200 rows one is .5 %, of 201 less; the 101st name has no count of its own.
    assert pools(counts) == wanted


def test_a_column_that_is_watched_at_its_top_has_more_edges_there_and_the_same_groups() -> None:
    sample = np.random.default_rng(2).lognormal(3, 1, 20_000)
    plain, watched = numeric_bins(sample), numeric_bins(sample, tail=True)
    wanted = {*np.quantile(sample, TAIL, method="inverted_cdf"), *(sample.max() * np.array(BEYOND))}
    assert {*plain.edges.tolist(), *wanted} == set(watched.edges.tolist())
    # Values that the reference never had are no group of their own: one of them is no other kind of value.
    assert watched.groups.max() == plain.groups.max()
    assert (np.diff(watched.groups) >= 0).all()
    assert len(watched.groups) == len(watched.edges) + 1


def test_a_column_without_positive_values_has_nothing_beyond() -> None:
    sample = -np.random.default_rng(2).lognormal(3, 1, 500)
    assert numeric_bins(sample, tail=True).edges.max() < 0
