"""Scenarios give the same rows under any cut, and their truth agrees with their data."""

from collections import Counter

import numpy as np
import orjson
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.base import Kind
from flows.scenarios.base import BLOCK_ROWS, DriftKind, ScenarioError, ScenarioOptions, Values
from flows.scenarios.lines import json_lines, json_rows, reference_columns
from flows.scenarios.registry import scenario, scenario_names

NAMES = ("churn", "clinical", "demo", "ethereum", "house-prices", "stationary", "wide")
# Two blocks and a part of a third: every kind of cut exists.
SHORT = ScenarioOptions(rows=2 * BLOCK_ROWS + 300, seed=11)
WHOLE = {name: json_lines(scenario(name), SHORT, 0, SHORT.rows) for name in NAMES}
TRUTH_ROWS = 18_000


def same(one: Values, other: Values) -> bool:
    if isinstance(one, list) or isinstance(other, list):
        return one == other
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def p_value(kind: Kind, one: Values, other: Values) -> float:
    """Two-sample p-value of the rows that hold a value: KS, or chi-square over the levels seen."""
    if kind is Kind.NUMERIC:
        numbers = [np.asarray(side, dtype=np.float64) for side in (one, other)]
        first, second = (side[~np.isnan(side)] for side in numbers)
        return float(scipy.stats.ks_2samp(first, second).pvalue)
    counts = [Counter(text for text in side if text is not None) for side in (list(one), list(other))]
    levels = sorted(counts[0] | counts[1])
    return float(scipy.stats.chi2_contingency([[side[level] for level in levels] for side in counts]).pvalue)


def rows_of(values: Values, chosen: NDArray[np.bool_]) -> Values:
    if isinstance(values, list):
        return [text for text, keep in zip(values, chosen.tolist(), strict=True) if keep]
    return values[chosen]


@given(name=st.sampled_from(NAMES), data=st.data())
def test_any_cut_gives_the_same_rows(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, SHORT.rows))
    count = data.draw(st.integers(0, SHORT.rows - start))
    assert json_lines(scenario(name), SHORT, start, count) == WHOLE[name][start : start + count]


@given(name=st.sampled_from(NAMES), start=st.integers(0, SHORT.rows), step=st.integers(1, 1500))
def test_a_range_with_a_step_takes_every_step_th_row(name: str, start: int, step: int) -> None:
    assert json_rows(scenario(name), SHORT, range(start, SHORT.rows, step)) == WHOLE[name][start::step]


@given(name=st.sampled_from(NAMES), start=st.integers(0, 3000), count=st.integers(0, 1500))
def test_any_cut_gives_the_same_reference(name: str, start: int, count: int) -> None:
    whole = scenario(name).reference_columns(3, 0, 4500)
    part = scenario(name).reference_columns(3, start, count)
    assert list(part) == [column.name for column in reference_columns(scenario(name))]
    assert all(same(values, whole[key][start : start + count]) for key, values in part.items())


@pytest.mark.parametrize("name", NAMES)
def test_seed_and_stream_change_every_column(name: str) -> None:
    source = scenario(name)
    base = source.events(1, 0, 500, 500)
    for other in (source.events(2, 0, 500, 500), source.reference_columns(1, 0, 500)):
        assert not any(same(base[column.name], other[column.name]) for column in source.columns)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_not_copies_of_each_other(name: str) -> None:
    drawn = scenario(name).events(1, 0, 2 * BLOCK_ROWS, 90_000)
    assert not any(same(values[:BLOCK_ROWS], values[BLOCK_ROWS:]) for values in drawn.values())


def test_rows_of_a_scenario_without_drift_do_not_depend_on_the_length() -> None:
    source = scenario("stationary")
    short, long = source.events(1, 0, 700, 700), source.events(1, 0, 700, 90_000)
    assert all(same(short[key], long[key]) for key in short)


def test_global_randomness_is_neither_used_nor_moved() -> None:
    before = np.random.get_state(legacy=False)  # noqa: NPY002  # the global state is what is tested
    json_lines(scenario("demo"), SHORT, 0, 10)
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    assert repr(before) == repr(after)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_truth_agrees_with_the_data(name: str, seed: int) -> None:
    source = scenario(name)
    events = source.events(seed, 0, TRUTH_ROWS, TRUTH_ROWS)
    reference = source.reference_columns(seed, 0, TRUTH_ROWS)
    for column, truth in zip(source.columns, source.truth(TRUTH_ROWS), strict=True):
        assert truth.feature == column.name
        inside = np.zeros(TRUTH_ROWS, dtype=bool)
        for low, high in truth.spans:
            inside[low:high] = True
        outside = rows_of(events[column.name], ~inside)
        assert p_value(column.kind, outside, reference[column.name]) > 1e-4, f"{column.name} drifts too early"
        for low, high in truth.spans:
            span = events[column.name][low:high]
            assert p_value(column.kind, span, reference[column.name]) < 1e-6, f"{column.name} does not drift"


def test_demo_drifts_once_in_each_way_where_it_says() -> None:
    # Fractions as in the descriptions of the features, of a stream of 1,000 rows.
    spans = {
        truth.feature: (truth.kind, truth.spans) for truth in scenario("demo").truth(1000) if truth.spans
    }
    assert spans == {
        "income": (DriftKind.SUDDEN, ((500, 1000),)),
        "country": (DriftKind.SUDDEN, ((600, 1000),)),
        "session_s": (DriftKind.GRADUAL, ((400, 1000),)),
        "amount": (DriftKind.INCREMENTAL, ((300, 1000),)),
        "distance_km": (DriftKind.RECURRING, ((200, 300), (500, 600), (800, 900))),
    }


def test_demo_has_still_columns_of_both_kinds_and_twelve_in_all() -> None:
    source = scenario("demo")
    still = {truth.feature for truth in source.truth(100) if truth.kind is DriftKind.NONE}
    kinds = Counter(column.kind for column in source.columns if column.name in still)
    assert len(source.columns) == 12
    assert kinds[Kind.NUMERIC] >= 3
    assert kinds[Kind.CATEGORICAL] >= 3


def test_effects_are_of_the_size_that_the_truth_says() -> None:
    source, rows = scenario("demo"), 40_000
    effects = {truth.feature: truth.effect for truth in source.truth(rows)}
    last = source.events(5, 36_000, 4000, rows)  # all but the recurring one are at full strength from 90 % on
    first = source.events(5, 0, 4000, rows)

    def mean(side: Values) -> float:
        return float(np.mean(np.asarray(side, dtype=np.float64)))

    assert effects["income"] == "mean +0.5 sd"
    # sd 800; five standard errors of a difference of means of 4,000 rows each: 5 * 800 * sqrt(2 / 4000) = 89.
    assert mean(last["income"]) - mean(first["income"]) == pytest.approx(400, abs=89)
    assert effects["amount"] == "values times 1.5"
    # Relative sd of a lognormal: sqrt(exp(0.6^2) - 1) = 0.66; five standard errors of the ratio: 0.11.
    assert mean(last["amount"]) / mean(first["amount"]) == pytest.approx(1.5, abs=0.11)
    assert effects["session_s"] == "values times 1.4"
    # Relative sd of a gamma of shape 2: 0.71; five standard errors of the ratio: 0.11.
    assert mean(last["session_s"]) / mean(first["session_s"]) == pytest.approx(1.4, abs=0.11)
    assert effects["country"] == "share of BR 0 -> 0.13"
    assert "BR" not in first["country"]
    # Five standard errors: 5 * sqrt(0.13 * 0.87 / 4000) = 0.027.
    assert list(last["country"]).count("BR") / 4000 == pytest.approx(0.13, abs=0.027)


def test_one_percent_of_one_still_column_is_missing() -> None:
    source, rows = scenario("demo"), 40_000
    drawn = source.events(9, 0, rows, rows)
    missing = {
        key: values.count(None) if isinstance(values, list) else int(np.isnan(values).sum())
        for key, values in drawn.items()
    }
    # Binomial(40,000, 0.01): mean 400, sd 19.9; five of them.
    assert missing.pop("tenure_months") == pytest.approx(400, abs=100)
    assert set(missing.values()) == {0}
    assert {truth.feature: truth.kind for truth in source.truth(rows)}["tenure_months"] is DriftKind.NONE


def test_demo_prediction_follows_its_score() -> None:
    rows = [orjson.loads(line) for line in WHOLE["demo"]]
    assert {row["prediction"] for row in rows} == {"accept", "decline"}
    assert all((row["prediction"] == "decline") == (row["score"] >= 0.5) for row in rows)


def test_registry_knows_its_scenarios() -> None:
    assert scenario_names() == NAMES
    assert [scenario(name).name for name in NAMES] == list(NAMES)
    assert len(scenario("stationary").columns) == 20
    assert len(scenario("stationary", ScenarioOptions(features=3)).columns) == 3


def test_registry_refuses_what_it_does_not_know() -> None:
    with pytest.raises(
        ScenarioError,
        match="'dmo' is unknown, wanted one of churn, clinical, demo, ethereum, house-prices, ",
    ):
        scenario("dmo")
    with pytest.raises(ScenarioError, match="features is 5"):
        scenario("demo", ScenarioOptions(features=5))
    with pytest.raises(ScenarioError, match="features is 0"):
        scenario("stationary", ScenarioOptions(features=0))


@pytest.mark.parametrize(
    "change",
    [{"rows": 0}, {"seed": -1}, {"step_ms": 0}, {"disorder_ms": -1}, {"reference_rows": 0}],
    ids=str,
)
def test_options_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ScenarioError, match=f"{next(iter(change))} is"):
        ScenarioOptions(**change)


def test_streams_that_leave_the_calendar_are_refused() -> None:
    with pytest.raises(ScenarioError, match="9999"):
        ScenarioOptions(rows=10**9, step_ms=10**6)
    with pytest.raises(ScenarioError, match="1970"):
        ScenarioOptions(reference_rows=10**6, step_ms=10**7)


def test_rows_outside_the_stream_are_refused() -> None:
    with pytest.raises(ScenarioError, match="the stream has 10 rows"):
        json_lines(scenario("demo"), ScenarioOptions(rows=10), 5, 6)
    with pytest.raises(ScenarioError, match="start is -1"):
        json_lines(scenario("demo"), ScenarioOptions(rows=10), -1, 6)
