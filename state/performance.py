"""Performance of a window against the reference's, or against values that were given: its checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan, sqrt
from types import MappingProxyType

from detectors.checking import check_estimate, check_given, check_share
from detectors.checks import Check, Counted, Direction, Estimate, Family, Given, Sensitivity
from detectors.performance.base import Better, Metric, Task, better
from detectors.thresholds import Limit, Threshold

SHARES = frozenset({"accuracy", "precision", "recall", "coverage"})
"""Metrics that are counts of rows: they are tested exactly."""

CHECKED: Mapping[Task, tuple[str, ...]] = {
    Task.BINARY: ("accuracy", "f1", "roc_auc"),
    Task.MULTICLASS: ("accuracy", "f1_macro"),
    Task.REGRESSION: ("mae", "rmse", "coverage"),
}
"""Metrics that are checked where nothing is said, as far as there are scores and intervals."""


@dataclass(frozen=True, slots=True)
class Drop:
    """How much worse than its reference a metric may be: `size`, of the reference where `relative`."""

    size: float
    relative: bool

    def of(self, reference: float) -> float:
        """Return it in the unit of the metric."""
        return self.size * abs(reference) if self.relative else self.size


BOUNDED_DROP = Drop(0.02, relative=False)
"""What is allowed where nothing is said, of metrics that are at most 1: two points."""

OPEN_DROP = Drop(0.1, relative=True)
"""The same of metrics that may be of any size: a tenth of the reference's value."""

_OPEN = frozenset({"log_loss", "brier", "mae", "rmse", "mape", "bias", "interval_width"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceRules:
    """What makes a window's performance degraded.

    Attributes
    ----------
    metrics
        Names of the metrics that are checked; empty: the usual ones of the task, and those named below.
    level
        Chance that one window violates any of its checks where nothing has changed, at most.
    min_rows
        Labelled rows below which nothing is said.
    drops
        By metric: how much worse than its reference it may be.
    limits
        By metric: limits that hold as they are.
    baseline
        Values to compare with in place of the reference's own.
    nominal
        Level that prediction intervals claim; None: the reference's coverage stands for it.
    threshold
        What learns from the windows before how much worse a metric may be, in place of a test; None: nothing.
    """

    metrics: tuple[str, ...] = ()
    level: float = 1e-3
    min_rows: int = 100
    drops: Mapping[str, Drop] = field(default_factory=dict)
    limits: Mapping[str, Given] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    nominal: float | None = None
    threshold: Threshold | None = None

    def of_task(self, task: Task) -> "PerformanceRules":
        """Return the same rules with the metrics that are checked of a task."""
        usual = tuple(dict.fromkeys([*CHECKED[task], *self.limits, *self.drops]))
        return replace(self, metrics=self.metrics or usual)

    def drop(self, name: str) -> Drop:
        """Return how much worse a metric may be."""
        return self.drops.get(name, OPEN_DROP if name in _OPEN else BOUNDED_DROP)

    def expected(self, reference: Sequence[Metric]) -> dict[str, Metric]:
        """Return what each metric is compared with: what was given, else the reference's own."""
        found = {metric.name: metric for metric in reference if metric.value is not None}
        given = dict(self.baseline)
        if self.nominal is not None:
            given["coverage"] = self.nominal
        return found | {name: Metric(name=name, value=value, n=0) for name, value in given.items()}


NOTHING_LEARNT: Mapping[str, Limit] = MappingProxyType({})
"""No limits."""


def performance_checks(
    metrics: Sequence[Metric],
    expected: Mapping[str, Metric],
    rules: PerformanceRules,
    learnt: Mapping[str, Limit] = NOTHING_LEARNT,
) -> tuple[Check, ...]:
    """Check a window's metrics, in the order in which they are configured; a pure function.

    A metric with limits of its own is held against those as it is; any other against what is expected of it,
    and is degraded where it is worse by more than the drop that is allowed and by more than chance, or than
    what was learnt. One that has nothing to be compared with is not checked.

    Parameters
    ----------
    learnt
        By metric: how much worse it may be by the windows before; empty where nothing learns.

    Notes
    -----
    The level is divided by the number of metrics that are tested (Bonferroni). Shares are tested exactly
    against the reference's (Fisher). Of the others the error is the larger of the window's own and the one
    that rows like the reference's would have, because an error that is estimated from few rows is too small
    just where the figure is extreme; its law is Student's.
    """
    named = {metric.name: metric for metric in metrics}
    tested = [name for name in rules.metrics if name not in rules.limits and name in expected]
    level = rules.level / max(len(tested), 1)
    found = []
    for name in rules.metrics:
        metric = named.get(name)
        if metric is None:
            continue
        if name in rules.limits:
            known = expected.get(name)
            found.append(
                check_given(
                    name,
                    Family.PERFORMANCE,
                    metric.value,
                    metric.n,
                    rules.limits[name],
                    min_rows=rules.min_rows,
                    interval=None if metric.low is None or metric.high is None else (metric.low, metric.high),
                    reference=None if known is None else known.value,
                )
            )
        elif name in learnt and name in expected:
            found.append(_learnt(metric, expected[name], rules, learnt[name]))
        elif name in expected:
            found.append(_tested(metric, expected[name], rules, level))
    return tuple(found)


def worse_by(metric: Metric, expected: Metric) -> float | None:
    """Return how much worse a metric is than expected, at least 0; None where one of them has no value."""
    if metric.value is None or expected.value is None:
        return None
    direction, shift = _direction(metric.name), metric.value - expected.value
    if direction is Direction.BOTH:
        return abs(shift)
    return max(shift if direction is Direction.UP else -shift, 0.0)


def _learnt(metric: Metric, expected: Metric, rules: PerformanceRules, limit: Limit) -> Check:
    reference, direction = expected.value or 0.0, _direction(metric.name)
    reach = None if limit.value is None else max(limit.value, rules.drop(metric.name).of(reference))
    return check_given(
        metric.name,
        Family.PERFORMANCE,
        # Without a limit the window says nothing yet.
        metric.value if reach is not None else None,
        metric.n,
        Given(
            lower=None if reach is None or direction is Direction.UP else reference - reach,
            upper=None if reach is None or direction is Direction.DOWN else reference + reach,
            source=limit.source,
        ),
        min_rows=rules.min_rows,
        interval=None if metric.low is None or metric.high is None else (metric.low, metric.high),
        reference=reference,
    )


def _direction(name: str) -> Direction:
    return _DIRECTIONS.get(better(name), Direction.BOTH)


def _tested(metric: Metric, expected: Metric, rules: PerformanceRules, level: float) -> Check:
    reference = expected.value or 0.0
    sensitivity = Sensitivity(
        level=level, min_excess=rules.drop(metric.name).of(reference), min_rows=rules.min_rows
    )
    direction = _direction(metric.name)
    if metric.name in SHARES and expected.n and metric.value is not None:
        return check_share(
            metric.name,
            Family.PERFORMANCE,
            _counted(metric.value, metric.n),
            _counted(reference, expected.n),
            sensitivity,
            direction=direction,
        )
    return check_estimate(
        metric.name,
        Family.PERFORMANCE,
        Estimate(
            value=nan if metric.value is None else metric.value,
            error=_error(metric, expected),
            n=metric.n,
            degrees=max(metric.n - 1, 1),
        ),
        Estimate(value=reference, error=expected.error or 0.0, n=expected.n),
        sensitivity,
        direction=direction,
        source=f"reference: {expected.n} rows" if expected.n else "baseline",
    )


_DIRECTIONS = {
    Better.HIGHER: Direction.DOWN,
    Better.LOWER: Direction.UP,
    # Intervals that hold the truth more often than they claim harm nobody.
    Better.NOMINAL: Direction.DOWN,
}


def _counted(share: float, n: int) -> Counted:
    return Counted(count=round(share * n), n=n)


def _error(metric: Metric, expected: Metric) -> float:
    """Return the larger of the window's own error and that of as many rows like the reference's."""
    own, value = metric.error or 0.0, expected.value or 0.0
    if not metric.n:
        return own
    if expected.n:
        return max(own, (expected.error or 0.0) * sqrt(expected.n / metric.n))
    return max(own, sqrt(value * (1 - value) / metric.n)) if metric.name in SHARES and 0 < value < 1 else own
