"""Checks of data quality of columns: what they count, what they take for chance, and given limits."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Kind
from detectors.calibration import Calibration, Fault
from detectors.checks import Check, CheckStatus, Given
from state.columns import Column
from state.layout import categories, numeric_bins
from state.quality import OF_KIND, QualityCheck, QualityRules, column_checks
from state.reference import FeatureReference
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins
from tests.evidence import sketch_of

Value = float | str | None
NAN, INF = float("nan"), float("inf")
HELD = [NAN, INF, -INF, 0.0, -0.0, 1.0, 2.5, -3.0]
RULES = QualityRules(level=1e-4, min_excess=0.01, min_rows=50)
Q = QualityCheck


def numeric(values: Sequence[float], calibration: Calibration | None = None) -> FeatureReference:
    """The reference that `driftflow reference build` would make of these rows."""
    rows = np.array(values, dtype=np.float64)
    finite = rows[np.isfinite(rows)]
    bins = numeric_bins(finite, extent=(float(finite.min()), float(finite.max())))
    column = Column(name="x", path="x", kind=Kind.NUMERIC)
    return FeatureReference(column, bins, sketch_of(bins, list(values)), calibration)


def categorical(values: Sequence[str | None], calibration: Calibration | None = None) -> FeatureReference:
    names = [value for value in values if value is not None]
    bins = categories({name: names.count(name) for name in sorted(set(names))})
    column = Column(name="x", path="x", kind=Kind.CATEGORICAL)
    return FeatureReference(column, bins, sketch_of(bins, list(values)), calibration)


def checks(
    reference: FeatureReference, values: Sequence[Value], rules: QualityRules = RULES
) -> dict[str, Check]:
    window: Sketch = sketch_of(reference.bins, list(values))
    return {check.name: check for check in column_checks(reference, window, rules)}


def violated(reference: FeatureReference, values: Sequence[Value], rules: QualityRules = RULES) -> list[str]:
    found = checks(reference, values, rules)
    return [name for name, check in found.items() if check.status is CheckStatus.VIOLATED]


NORMAL = np.random.default_rng(71).normal(10, 2, 5_000).tolist()
SHARES = {"DE": 0.6, "FR": 0.3, "IT": 0.09, "LU": 0.01}
COUNTRIES = np.random.default_rng(72).choice(list(SHARES), 5_000, p=list(SHARES.values())).tolist()
CALM = np.random.default_rng(73).normal(10, 2, 400).tolist()


@pytest.mark.parametrize(
    ("values", "found", "value"),
    [
        (CALM, None, None),
        ([*CALM[:300], *[NAN] * 100], Q.MISSING_SHARE, 0.25),
        ([*CALM[:300], *[INF, -INF] * 50], Q.NON_FINITE_SHARE, 0.25),
        ([*CALM[:300], *[0.0, -0.0] * 50], Q.ZERO_SHARE, 0.25),
        ([*CALM[:360], *[1e6] * 30, *[-1e6] * 10], Q.OUT_OF_RANGE_SHARE, 0.1),
        ([12.0] * 400, Q.CONSTANT, 1.0),
    ],
)
def test_each_fault_of_a_numeric_column_violates_its_check(
    values: list[float], found: QualityCheck | None, value: float | None
) -> None:
    reference = numeric(NORMAL)
    assert list(checks(reference, values)) == [check.value for check in OF_KIND[Kind.NUMERIC]]
    # Zeros are below 2.1, the smallest of these 5,000 rows, as well.
    also = [Q.OUT_OF_RANGE_SHARE] if found is Q.ZERO_SHARE else []
    assert violated(reference, values) == ([] if found is None else [found, *also])
    if found is not None:
        assert checks(reference, values)[found].value == value


@pytest.mark.parametrize(
    ("values", "found", "value", "detail"),
    [
        (COUNTRIES[:400], None, None, ""),
        ([*COUNTRIES[:300], *[None] * 100], Q.MISSING_SHARE, 0.25, ""),
        ([*COUNTRIES[:300], *["XX"] * 100], Q.NEW_SHARE, 0.25, "such as XX"),
        ([c for c in COUNTRIES if c != "FR"][:400], Q.VANISHED_SHARE, COUNTRIES.count("FR") / 5_000, "FR"),
    ],
)
def test_each_fault_of_a_categorical_column_violates_its_check(
    values: list[str | None], found: QualityCheck | None, value: float | None, detail: str
) -> None:
    reference = categorical(COUNTRIES)
    assert list(checks(reference, values)) == [check.value for check in OF_KIND[Kind.CATEGORICAL]]
    assert violated(reference, values) == ([] if found is None else [found])
    if found is not None:
        assert checks(reference, values)[found].value == value
        assert detail in checks(reference, values)[found].detail


def test_a_column_that_stands_still_lacks_its_other_categories_too() -> None:
    reference = categorical(COUNTRIES)
    assert violated(reference, ["DE"] * 400) == [Q.VANISHED_SHARE, Q.CONSTANT]
    assert checks(reference, ["DE"] * 400)[Q.CONSTANT].detail == "every value is DE"
    assert checks(reference, ["DE"] * 400)[Q.VANISHED_SHARE].detail == "without a row: FR, IT"
    # Of all new names nothing is known but that there are some.
    assert Q.CONSTANT not in violated(reference, [f"n{i}" for i in range(400)])


def test_what_is_constant_in_the_reference_may_be_so_in_a_window() -> None:
    always = numeric([5.0] * 2_000)
    assert violated(always, [5.0] * 400) == []
    nearly = numeric([*[5.0] * 1_990, *range(10)])
    assert violated(nearly, [5.0] * 400) == []
    assert violated(categorical(["a"] * 2_000), ["a"] * 400) == []


def test_a_reference_without_a_range_asks_less() -> None:
    reference = numeric(NORMAL)
    assert isinstance(reference.bins, NumericBins)
    older = replace(reference.bins, extent=None)
    sketch = sketch_of(older, NORMAL)
    made = checks(FeatureReference(reference.column, older, sketch), CALM)
    assert list(made) == [Q.MISSING_SHARE, Q.NON_FINITE_SHARE, Q.CONSTANT]
    # Two fewer to share the level with.
    assert made[Q.MISSING_SHARE].level == RULES.level / 5


def test_names_that_always_change_are_no_new_ones() -> None:
    rng = np.random.default_rng(74)

    def zipf(rows: int) -> list[str]:
        return [f"m{k}" for k in rng.zipf(1.4, rows).tolist()]

    reference = categorical(zipf(20_000))
    shares = []
    for _ in range(40):
        found = checks(reference, zipf(500))[Q.NEW_SHARE]
        assert found.status is CheckStatus.OK
        assert found.value is not None
        shares.append(found.value)
    # Far more than `min_excess`, and all of it expected.
    assert np.mean(shares) > 0.03
    many = [*zipf(400), *(f"other{i}" for i in range(100))]
    assert violated(reference, many) == [Q.NEW_SHARE]


def test_faults_that_come_in_clumps_are_expected_to() -> None:
    # 200 spans of 50 rows, every tenth of them without a value: 10 % missing in clumps of 50.
    chunks = np.tile([[25, 25]], (200, 1))
    missing = np.zeros(200, dtype=np.int64)
    missing[::10] = 50
    chunks[::10] = 0
    values = [NAN if missing[i // 50] else float(x) for i, x in enumerate(np.tile(NORMAL, 2))]
    known = Calibration(chunks=chunks, faults={Fault.MISSING: missing})
    window = [*CALM[:150], *[NAN] * 50]
    assert violated(numeric(values), window) == [Q.MISSING_SHARE]
    found = checks(numeric(values, known), window)[Q.MISSING_SHARE]
    assert found.status is not CheckStatus.VIOLATED
    assert found.upper is not None
    assert found.upper > 0.3


@given(
    reference=st.lists(st.sampled_from(HELD), min_size=60, max_size=90).filter(
        lambda values: bool(np.isfinite(values).any())
    ),
    window=st.lists(st.sampled_from([*HELD, 9.0, -9.0]), min_size=50, max_size=80),
)
@settings(max_examples=60)
def test_values_are_those_of_a_count_by_hand(reference: list[float], window: list[float]) -> None:
    made = checks(numeric(reference), window, replace(RULES, min_rows=1))
    before = [value for value in reference if np.isfinite(value)]
    held = [value for value in window if np.isfinite(value)]
    assert made[Q.MISSING_SHARE].value == sum(np.isnan(v) for v in window) / len(window)
    assert made[Q.MISSING_SHARE].reference == sum(np.isnan(v) for v in reference) / len(reference)
    assert made[Q.NON_FINITE_SHARE].value == sum(np.isinf(v) for v in window) / len(window)
    if held:
        outside = [value for value in held if not min(before) <= value <= max(before)]
        assert made[Q.ZERO_SHARE].value == held.count(0.0) / len(held)
        assert made[Q.ZERO_SHARE].reference == before.count(0.0) / len(before)
        assert made[Q.OUT_OF_RANGE_SHARE].value == len(outside) / len(held)
        assert made[Q.CONSTANT].value == float(len(set(held)) == 1)


def test_limits_that_are_given_take_the_place_of_the_references() -> None:
    reference = numeric(NORMAL)
    window = [*CALM[:396], *[NAN] * 4]
    limits = {Q.MISSING_SHARE: Given(upper=0.005), Q.MINIMUM: Given(lower=5.0)}
    rules = replace(RULES, given={"x": limits})
    made = checks(reference, window, rules)
    assert violated(reference, window) == []
    assert violated(reference, window, rules) == [Q.MISSING_SHARE, Q.MINIMUM]
    assert (made[Q.MISSING_SHARE].upper, made[Q.MISSING_SHARE].reference) == (0.005, 0.0)
    assert made[Q.MINIMUM].value == min(window[:396])
    assert made[Q.MISSING_SHARE].p_value is None
    # What is left to chance shares the level with one fewer.
    assert made[Q.ZERO_SHARE].level == RULES.level / 4
    other = replace(RULES, given={"y": limits})
    assert violated(reference, window, other) == []


def test_checks_can_be_left_out() -> None:
    rules = replace(RULES, without=frozenset({Q.CONSTANT}), without_in={"x": frozenset({Q.ZERO_SHARE})})
    assert list(checks(numeric(NORMAL), CALM, rules)) == [
        Q.MISSING_SHARE,
        Q.NON_FINITE_SHARE,
        Q.OUT_OF_RANGE_SHARE,
    ]


def test_a_window_without_rows_or_values_says_nothing() -> None:
    for values in ([], [NAN] * 400):
        made = checks(numeric(NORMAL), values)
        for name in (Q.ZERO_SHARE, Q.OUT_OF_RANGE_SHARE, Q.CONSTANT):
            assert made[name].status is CheckStatus.INSUFFICIENT
    assert violated(numeric(NORMAL), [NAN] * 400) == [Q.MISSING_SHARE]
    for name in (Q.NEW_SHARE, Q.VANISHED_SHARE, Q.CONSTANT):
        assert checks(categorical(COUNTRIES), [])[name].status is CheckStatus.INSUFFICIENT
