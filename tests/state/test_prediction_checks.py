"""Checks of predictions: they count as the raw rows do, find what changes, and rest where nothing does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from detectors.base import FloatArray, Kind
from detectors.checks import Check, CheckStatus, Direction, Family
from state.columns import Column
from state.layout import categories, fixed_categories, numeric_bins
from state.prediction_checks import AskedShare, AskedSide, PredictionRules, Side, prediction_checks
from state.probabilities import Validity
from state.reference import FeatureReference
from state.sketches.base import Sketch
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins

ONE_SPAN = np.zeros(1, dtype=np.int64)
VALIDITY = fixed_categories(tuple(Validity))
WIDER, NARROWER = AskedSide("wider_share", Side.ABOVE), AskedSide("narrower_share", Side.BELOW)
OUTSIDE = AskedShare("out_of_range_share", Validity.OUT_OF_RANGE, min_excess=0.001)
UNCERTAIN = AskedShare("uncertain_share", "yes", direction=Direction.BOTH, min_excess=0.05)


def texts(bins: Categories, values: Sequence[str | None]) -> Sketch:
    return bins.summarize(list(values), ONE_SPAN, ONE_SPAN)[0]


def numbers(bins: NumericBins, values: FloatArray) -> Sketch:
    return bins.summarize(values, ONE_SPAN, ONE_SPAN)[0]


def validity(*rows: Validity) -> FeatureReference:
    column = Column(name="v", path="= v", kind=Kind.CATEGORICAL, levels=tuple(Validity))
    return FeatureReference(column, VALIDITY, texts(VALIDITY, rows))


def widths(values: FloatArray) -> FeatureReference:
    bins = numeric_bins(values)
    return FeatureReference(Column(name="v", path="= v", kind=Kind.NUMERIC), bins, numbers(bins, values))


def checked(
    feature: FeatureReference, window: Sketch, *asked: AskedShare | AskedSide, level: float = 1e-5
) -> tuple[Check, ...]:
    return prediction_checks(feature, window, PredictionRules(asked={"v": asked}, level=level, min_rows=50))


def test_rows_out_of_range_are_found_beside_a_reference_without_any() -> None:
    feature = validity(*[Validity.VALID] * 5_000)
    rows = [Validity.OUT_OF_RANGE] * 9 + [Validity.SUM] * 3 + [Validity.VALID] * 488
    (found,) = checked(feature, texts(VALIDITY, rows), OUTSIDE)
    assert (found.family, found.status) == (Family.PREDICTION, CheckStatus.VIOLATED)
    assert (found.value, found.reference, found.n) == (9 / 500, 0.0, 500)
    exact = fisher_exact(np.array([[9, 491], [0, 5_000]]), alternative="greater").pvalue
    assert found.p_value == pytest.approx(exact, rel=1e-9)
    (few,) = checked(feature, texts(VALIDITY, rows[8:]), OUTSIDE)
    assert few.status is not CheckStatus.VIOLATED


def test_too_few_rows_say_nothing() -> None:
    feature = validity(*[Validity.VALID] * 5_000)
    (found,) = checked(feature, texts(VALIDITY, [Validity.OUT_OF_RANGE] * 49), OUTSIDE)
    assert found.status is CheckStatus.INSUFFICIENT
    (empty,) = checked(feature, texts(VALIDITY, []), OUTSIDE)
    assert (empty.status, empty.value) == (CheckStatus.INSUFFICIENT, None)


@pytest.mark.parametrize("reference", [["no"] * 900 + ["yes"] * 100, ["no"] * 1_000])
@pytest.mark.parametrize(("share", "violated"), [(0.1, False), (0.35, True)])
def test_more_uncertain_rows_are_found_whether_the_reference_has_any(
    reference: list[str], share: float, *, violated: bool
) -> None:
    bins = categories({name: reference.count(name) for name in set(reference)})
    column = Column(name="v", path="= v", kind=Kind.CATEGORICAL)
    feature = FeatureReference(column, bins, texts(bins, reference))
    yes = round(400 * share) if "yes" in reference or violated else 0
    (found,) = checked(feature, texts(bins, ["yes"] * yes + ["no"] * (400 - yes) + [None] * 7), UNCERTAIN)
    assert (found.value, found.n) == (yes / 400, 400)
    assert (found.status is CheckStatus.VIOLATED) == violated


@given(seed=st.integers(0, 10_000), scale=st.floats(0.2, 5))
def test_sides_of_the_median_are_counted_as_on_the_raw_rows(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    before, now = rng.lognormal(size=700), scale * rng.lognormal(size=300)
    feature = widths(before)
    wider, narrower = checked(feature, numbers(numeric_bins(before), now), WIDER, NARROWER)
    edges = numeric_bins(before).edges
    place = int(np.searchsorted(edges, np.quantile(before, 0.5, method="inverted_cdf"), side="left"))
    above = edges[place] if place < len(edges) else np.inf
    below = edges[place - 1] if place else -np.inf
    assert wider.value == pytest.approx(np.mean(now > above))
    assert narrower.value == pytest.approx(np.mean(now <= below))
    assert wider.reference == pytest.approx(np.mean(before > above))


@pytest.mark.parametrize(
    ("factor", "found"), [(1.0, set()), (1.5, {"wider_share"}), (0.6, {"narrower_share"})]
)
@pytest.mark.parametrize("constant", [False, True])
def test_wider_and_narrower_are_told_apart(factor: float, found: set[str], *, constant: bool) -> None:
    rng = np.random.default_rng(4)
    before = np.full(3_000, 2.0) if constant else rng.lognormal(sigma=0.5, size=3_000)
    now = factor * (np.full(500, 2.0) if constant else rng.lognormal(sigma=0.5, size=500))
    feature = widths(before)
    checks = checked(feature, numbers(numeric_bins(before), now), WIDER, NARROWER)
    assert {check.name for check in checks if check.status is CheckStatus.VIOLATED} == found


def test_where_nothing_changes_a_check_violates_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(11)
    level, windows, violated = 0.05, 400, 0
    feature = widths(rng.lognormal(sigma=1.5, size=4_000))
    asked = (replace(WIDER, min_excess=0.0), replace(NARROWER, min_excess=0.0))
    bins = feature.bins
    assert isinstance(bins, NumericBins)
    for _ in range(windows):
        found = checked(feature, numbers(bins, rng.lognormal(sigma=1.5, size=120)), *asked, level=level)
        violated += sum(check.status is CheckStatus.VIOLATED for check in found)
    # Over reference and window Fisher's test has at most its level; 63 of 800 is four standard errors above.
    assert 0 < violated <= 63
