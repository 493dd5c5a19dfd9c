import numpy as np
import pytest

from detectors.base import Kind
from detectors.checks import CheckStatus, Family
from state.columns import Column, Role
from state.layout import numeric_bins
from state.operations import ErrorStatuses, LatencyLimit, OperationRules, latency_checks
from state.reference import FeatureReference
from state.sketches.base import Sketch

ZERO = np.zeros(1, dtype=np.int64)
ERRORS = ErrorStatuses(("5xx", "error", "time.out", "42x"))


@pytest.mark.parametrize(
    "status", ["500", "503", "599", "500.0", " 502 ", "error", "ERROR", "Time.Out", "429"]
)
def test_statuses_that_are_errors(status: str) -> None:
    assert ERRORS.match(status)


@pytest.mark.parametrize("status", ["200", "5", "5000", "50x", "timeXout", "no error", "", "430", "x"])
def test_statuses_that_are_none(status: str) -> None:
    assert not ERRORS.match(status)


def test_without_a_list_nothing_is_an_error() -> None:
    assert not ErrorStatuses(()).match("500")
    assert not ErrorStatuses(()).match("")


def rules(*, p95: float | None = None) -> OperationRules:
    return OperationRules(
        level=1e-5,
        min_rows=50,
        status=None,
        errors=ERRORS,
        error_rate=0.05,
        limits=(
            LatencyLimit(name="latency_p50", share=0.5, limit=None),
            LatencyLimit(name="latency_p95", share=0.95, limit=p95),
        ),
        min_increase=0.25,
        unit="ms",
    )


REFERENCE = np.random.default_rng(1).lognormal(4, 0.5, 20_000)
BINS = numeric_bins(REFERENCE, tail=True)


def feature(role: Role = Role.LATENCY) -> FeatureReference:
    column = Column(name="took", path="took", kind=Kind.NUMERIC, role=role)
    return FeatureReference(column, BINS, BINS.summarize(REFERENCE, ZERO, ZERO)[0])


def window(factor: float, rows: int = 1_000) -> Sketch:
    values = np.random.default_rng(2).lognormal(4, 0.5, rows) * factor
    return BINS.summarize(values, ZERO, ZERO)[0]


def test_slower_than_the_reference_by_more_than_a_quarter() -> None:
    found = {factor: latency_checks(feature(), window(factor), rules()) for factor in (1.0, 1.1, 2.0)}
    for factor, status in ((1.0, CheckStatus.OK), (1.1, CheckStatus.OK), (2.0, CheckStatus.VIOLATED)):
        assert [check.name for check in found[factor]] == ["latency_p50", "latency_p95"]
        assert {check.status for check in found[factor]} == {status}
        assert {check.family for check in found[factor]} == {Family.OPERATIONS}
    half = found[2.0][0]
    # The median of the law is exp(4); the reference has 20,000 rows of it.
    assert half.reference == pytest.approx(np.exp(4), rel=0.03)
    assert half.value == pytest.approx(2 * np.exp(4), rel=0.05)
    assert half.upper == pytest.approx(1.25 * (half.reference or 0.0))
    assert half.detail.endswith(" ms")


def test_a_limit_of_ones_own_takes_the_place_of_the_references() -> None:
    _, found = latency_checks(feature(), window(1.0), rules(p95=60.0))
    assert (found.status, found.upper, found.source) == (
        CheckStatus.VIOLATED,
        60.0,
        "operations.latency.p95",
    )


def test_one_answer_that_took_for_ever_does_not_hide_the_others() -> None:
    values = np.append(np.random.default_rng(3).lognormal(4, 0.5, 1_000) * 3, 1e300)
    found = latency_checks(feature(), BINS.summarize(values, ZERO, ZERO)[0], rules())
    assert {check.status for check in found} == {CheckStatus.VIOLATED}


def test_few_rows_and_other_columns_say_nothing() -> None:
    found = latency_checks(feature(), window(5.0, rows=20), rules())
    assert {check.status for check in found} == {CheckStatus.INSUFFICIENT}
    assert latency_checks(feature(Role.FEATURE), window(5.0), rules()) == ()
    assert latency_checks(feature(), window(5.0), None) == ()
