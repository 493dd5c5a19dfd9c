"""The faults that a scenario tells of are in its rows, and only there."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import FloatArray
from detectors.checks import Family
from flows.scenarios.base import Fault, ScenarioOptions, Values
from flows.scenarios.lines import row_times_ms
from flows.scenarios.registry import scenario, scenario_names

ROWS = 40_000
Rows = dict[str, Values]


def numbers(values: Values) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def equal(values: Values, text: str) -> NDArray[np.bool_]:
    return np.asarray([value == text for value in values])


def missing(values: Values) -> NDArray[np.bool_]:
    return np.asarray([value is None for value in values]) if isinstance(values, list) else np.isnan(values)


def confidence(rows: Rows) -> FloatArray:
    score = numbers(rows["score"])
    return np.maximum(score, 1.0 - score)


def covered(rows: Rows) -> NDArray[np.bool_]:
    price = numbers(rows["price"])
    held: NDArray[np.bool_] = (numbers(rows["interval_low"]) <= price) & (
        price <= numbers(rows["interval_high"])
    )
    return held


def relative_error(rows: Rows) -> FloatArray:
    return np.abs(numbers(rows["prediction"]) / numbers(rows["price"]) - 1.0)


def right(rows: Rows) -> NDArray[np.bool_]:
    return ~(equal(rows["prediction"], "yes") ^ equal(rows["churned"], "yes"))


def error(rows: Rows) -> FloatArray:
    return np.abs(numbers(rows["prediction"]) - numbers(rows["next_return_pct"]))


def only(name: str, check: str, feature: str = "") -> Fault:
    (found,) = (
        fault for fault in scenario(name).faults(ROWS) if (fault.check, fault.feature) == (check, feature)
    )
    return found


def inside(fault: Fault) -> NDArray[np.bool_]:
    marked = np.zeros(ROWS, dtype=bool)
    for low, high in fault.spans:
        marked[low:high] = True
    return marked


# What each fault moves, with its mean outside and inside of the spans, and how far off sampling may be:
# five standard errors of the smaller side, worked out from the law beside it.
CASES: list[tuple[str, str, str, Callable[[Rows], NDArray[np.float64 | np.bool_]], float, float, float]] = [
    (
        "churn",
        "missing_share",
        "total_charges",
        lambda rows: missing(rows["total_charges"]),
        0.01,
        0.15,
        0.03,
    ),
    ("churn", "missing_share", "score", lambda rows: missing(rows["score"]), 0.005, 0.12, 0.04),
    ("churn", "missing_share", "prediction", lambda rows: missing(rows["prediction"]), 0.005, 0.12, 0.04),
    ("churn", "error_rate", "status", lambda rows: ~equal(rows["status"], "200"), 0.015, 0.14, 0.04),
    # Mean of a lognormal: exp(3.2 + 0.45^2 / 2) = 27.1.
    ("churn", "latency_p95", "latency_ms", lambda rows: numbers(rows["latency_ms"]), 27.1, 108.6, 6.0),
    ("ethereum", "zero_share", "volume", lambda rows: numbers(rows["volume"]) == 0, 0.0, 0.3, 0.04),
    ("ethereum", "zero_share", "trades", lambda rows: numbers(rows["trades"]) == 0, 0.0, 0.3, 0.04),
    # Inside, the logarithm is N(0.2, 0.112) against a half width of 0.184: Phi(-0.14) - Phi(-3.4) = 0.44.
    ("house-prices", "coverage", "", covered, 0.9, 0.44, 0.03),
]


@pytest.mark.parametrize(("name", "check", "feature", "measure", "before", "within", "tolerance"), CASES)
def test_faults_are_as_large_as_they_say(
    name: str,
    check: str,
    feature: str,
    measure: Callable[[Rows], NDArray[np.float64 | np.bool_]],
    before: float,
    within: float,
    tolerance: float,
) -> None:
    rows = dict(scenario(name).events(3, 0, ROWS, ROWS))
    measured, marked = measure(rows), inside(only(name, check, feature))
    assert np.mean(measured[~marked]) == pytest.approx(before, abs=tolerance / 3)
    assert np.mean(measured[marked]) == pytest.approx(within, abs=tolerance)
    reference = dict(scenario(name).reference_columns(3, 0, ROWS))
    assert np.mean(measure(reference)) == pytest.approx(before, abs=tolerance / 3)


@pytest.mark.parametrize(
    ("name", "check", "measure", "factor"),
    [
        ("house-prices", "mae", relative_error, 1.5),
        ("ethereum", "mae", error, 1.5),
        ("churn", "accuracy", right, 0.9),
    ],
)
def test_performance_falls_in_its_spans(
    name: str, check: str, measure: Callable[[Rows], NDArray[np.float64]], factor: float
) -> None:
    rows = dict(scenario(name).events(3, 0, ROWS, ROWS))
    measured, marked = measure(rows), inside(only(name, check))
    ratio = float(np.mean(measured[marked]) / np.mean(measured[~marked]))
    assert ratio > factor if factor > 1 else ratio < factor


def test_an_unsure_model_is_less_confident() -> None:
    rows = dict(scenario("churn").events(3, 0, ROWS, ROWS))
    less, unsure, sure = (
        inside(only("churn", "confidence", "score")),
        inside(only("churn", "uncertain_share", "score")),
        confidence(rows),
    )
    before, after, late = (np.nanmean(sure[part]) for part in (~less, less & ~unsure, unsure))
    # A standard deviation of 0.143 and 14,000 rows: five standard errors are 0.006.
    assert [before, after, late] == pytest.approx([0.754, 0.740, 0.604], abs=0.006)


def test_bursts_and_lulls_of_the_truth_are_in_the_times() -> None:
    source = scenario("house-prices")
    times = row_times_ms(source, ScenarioOptions(rows=ROWS), np.arange(ROWS, dtype=np.int64))
    burst, lull = (
        fault.spans[0] for fault in source.faults(ROWS) if fault.check in ("volume_burst", "low_volume")
    )
    per_row = {
        name: (times[high - 1] - times[low]) / (high - low)
        for name, (low, high) in {"burst": burst, "lull": lull}.items()
    }
    # 8 times as fast and 5 times as slow, through hours of 0.2 to 1.8 times the mean.
    assert per_row["burst"] < 30_000 / 2
    assert per_row["lull"] > 30_000 * 2


@pytest.mark.parametrize("name", scenario_names())
def test_faults_name_columns_and_lie_within_the_stream(name: str) -> None:
    source = scenario(name)
    known = {column.name for column in source.columns} | {""}
    for fault in source.faults(1000):
        assert fault.feature in known
        assert fault.family in Family
        assert fault.spans
        assert all(0 <= low < high <= 1000 for low, high in fault.spans)


def test_labels_of_returns_are_the_returns_of_the_next_row() -> None:
    rows = scenario("ethereum").events(8, 0, 3000, 3000)
    assert numbers(rows["next_return_pct"])[:-1].tolist() == numbers(rows["return_pct"])[1:].tolist()


def test_class_probabilities_sum_to_one_in_every_row() -> None:
    rows = scenario("clinical").events(8, 0, 3000, 3000)
    total = sum(numbers(rows[name]) for name in ("benign", "suspicious", "malignant"))
    # Three values of six digits.
    assert np.abs(total - 1.0).max() <= 1.5e-6


def test_clinical_measurements_depend_on_each_other() -> None:
    rows = scenario("clinical").reference_columns(8, 0, 5000)
    found = np.corrcoef([np.log(numbers(values)) for values in list(rows.values())[:30]])
    # Independent ones: 5 / sqrt(5000) = 0.07.
    assert np.abs(found[np.triu_indices(30, 1)]).max() > 0.5
