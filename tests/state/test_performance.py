"""Checks of performance: which way is worse, what matters, and how often they are wrong."""

import numpy as np
import pytest

from detectors.checks import Check, CheckStatus, Family, Given
from detectors.performance.base import METRICS, Metric, Task, better
from detectors.performance.intervals import delta_metric, share_metric
from state.outcome_fields import Outcomes
from state.outcome_metrics import metrics_of
from state.outcomes import OutcomeLayout
from state.performance import CHECKED, Drop, PerformanceRules, performance_checks
from tests.state.outcome_rows import CLASS_FIELDS, NUMBER_FIELDS, Rows, joined, total

RULES = PerformanceRules(metrics=("accuracy", "rmse", "r2", "coverage"), level=1e-3)


def share(name: str, value: float, n: int) -> Metric:
    return share_metric(name, round(value * n), n, missing="none")


def check(metric: Metric, reference: Metric, rules: PerformanceRules = RULES) -> Check:
    (found,) = performance_checks([metric], rules.expected([reference]), rules)
    return found


@pytest.mark.parametrize(
    ("metric", "reference", "status"),
    [
        (share("accuracy", 0.80, 1_000), share("accuracy", 0.90, 5_000), CheckStatus.VIOLATED),
        (share("accuracy", 0.99, 1_000), share("accuracy", 0.90, 5_000), CheckStatus.OK),
        (share("accuracy", 0.80, 60), share("accuracy", 0.90, 5_000), CheckStatus.INSUFFICIENT),
        # With a million rows less than two points is sure, and does not matter.
        (share("accuracy", 0.885, 10**6), share("accuracy", 0.90, 10**6), CheckStatus.OK),
        # A twelfth matters, and with 120 rows it is not sure.
        (share("accuracy", 0.825, 120), share("accuracy", 0.90, 5_000), CheckStatus.SUSPECT),
        (delta_metric("rmse", 12.0, 0.01, 500), delta_metric("rmse", 10.0, 0.01, 500), CheckStatus.VIOLATED),
        (delta_metric("rmse", 8.0, 0.01, 500), delta_metric("rmse", 10.0, 0.01, 500), CheckStatus.OK),
        # Its own error is far below that of 150 rows like the reference's, .0016 against .013.
        (delta_metric("r2", 0.87, 2.5e-6, 150), delta_metric("r2", 0.9, 2.8e-6, 9_000), CheckStatus.SUSPECT),
        (delta_metric("r2", 0.5, 1e-4, 500), delta_metric("r2", 0.9, 1e-4, 500), CheckStatus.VIOLATED),
    ],
)
def test_worse_by_more_than_chance_and_more_than_matters(
    metric: Metric, reference: Metric, status: CheckStatus
) -> None:
    found = check(metric, reference)
    assert found.status is status
    assert found.family is Family.PERFORMANCE


def test_intervals_are_held_against_what_they_claim() -> None:
    rules = PerformanceRules(metrics=("coverage",), nominal=0.9)
    reference = share("coverage", 0.7, 5_000)
    assert check(share("coverage", 0.8, 2_000), reference, rules).status is CheckStatus.VIOLATED
    assert check(share("coverage", 0.97, 2_000), reference, rules).status is CheckStatus.OK
    assert check(share("coverage", 0.8, 2_000), reference, rules).reference == 0.9


def test_given_values_stand_in_for_the_reference() -> None:
    rules = PerformanceRules(metrics=("accuracy",), baseline={"accuracy": 0.95})
    found = check(share("accuracy", 0.85, 1_000), share("accuracy", 0.85, 1_000), rules)
    assert (found.status, found.reference, found.source) == (CheckStatus.VIOLATED, 0.95, "baseline")


def test_given_limits_hold_as_they_are() -> None:
    rules = PerformanceRules(metrics=("accuracy",), limits={"accuracy": Given(lower=0.8)})
    reference = share("accuracy", 0.95, 9_000)
    assert check(share("accuracy", 0.79, 100), reference, rules).status is CheckStatus.VIOLATED
    assert check(share("accuracy", 0.81, 100), reference, rules).status is CheckStatus.OK
    assert check(share("accuracy", 0.5, 99), reference, rules).status is CheckStatus.INSUFFICIENT


def test_drops_are_parts_of_the_reference_or_as_they_stand() -> None:
    rules = PerformanceRules(metrics=("accuracy",), drops={"accuracy": Drop(0.15, relative=False)})
    reference = share("accuracy", 0.9, 9_000)
    assert check(share("accuracy", 0.76, 10_000), reference, rules).status is CheckStatus.OK
    assert Drop(0.1, relative=True).of(-20.0) == 2.0


def test_what_has_nothing_to_be_compared_with_is_not_checked() -> None:
    assert performance_checks([share("accuracy", 0.5, 500)], {}, RULES) == ()


def test_a_metric_that_does_not_exist_says_nothing() -> None:
    nothing = Metric(name="rmse", value=None, n=0, reason="no prediction has a label yet")
    found = check(nothing, delta_metric("rmse", 10.0, 0.01, 500))
    assert (found.status, found.value) == (CheckStatus.INSUFFICIENT, None)


def test_every_task_has_something_that_is_checked() -> None:
    for task, names in METRICS.items():
        assert set(CHECKED[task]) <= set(names)
        assert PerformanceRules().of_task(task).metrics == CHECKED[task]
        assert all(better(name) for name in names)


@pytest.mark.statistical
@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_windows_without_a_change_are_seldom_degraded(task: Task) -> None:
    """3,000 windows of 150 rows at the level .02 with a drop of 0: at most 2.8 %, three errors above."""
    rng = np.random.default_rng(17)
    layout, fields, draw = _law(task, rng)
    outcomes = Outcomes(layout=layout, fields=fields)
    names = tuple(name for name in METRICS[task] if name not in {"interval_width", "bias", "r2", "mape"})
    rules = PerformanceRules(metrics=names, level=0.02, drops=dict.fromkeys(names, Drop(0.0, relative=False)))

    def metrics(n: int) -> tuple[Metric, ...]:
        at = np.zeros(n, dtype=np.int64)
        return metrics_of(layout, total(layout, layout.partial("a", joined(outcomes, draw(n), at, at))))

    expected = rules.expected(metrics(20_000))
    windows = [performance_checks(metrics(150), expected, rules) for _ in range(3_000)]
    violated = [any(check.status is CheckStatus.VIOLATED for check in window) for window in windows]
    assert np.mean(violated) <= 0.028


def _law(task: Task, rng: np.random.Generator):  # type: ignore[no-untyped-def]  # noqa: ANN202
    if task is Task.REGRESSION:

        def numbers(n: int) -> Rows:
            label = rng.normal(50.0, 10.0, n)
            predicted = label + rng.laplace(0.0, 3.0, n)
            return Rows(
                numeric={"predicted": predicted, "label": label, "low": predicted - 8, "high": predicted + 8}
            )

        return OutcomeLayout(task=task, intervals=True, center=50.0, unit=16.0), NUMBER_FIELDS, numbers

    def classes(n: int) -> Rows:
        truth = rng.random(n) < 0.2
        score = rng.beta(np.where(truth, 3.0, 1.0), 3.0)
        return Rows(
            numeric={"score": score},
            categorical={
                "predicted": ["yes" if s >= 0.5 else "no" for s in score],
                "label": ["yes" if t else "no" for t in truth],
            },
        )

    return OutcomeLayout(task=task, classes=("no", "yes"), scored=True), CLASS_FIELDS, classes
