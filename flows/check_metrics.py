"""What a run tells Prometheus about the checks of its model."""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from detectors.checks import Family
from flows.capped_gauge import CappedGauge
from state.episodes import Change
from state.grid import Grid
from state.report import Output
from state.stores.base import Point
from state.stores.episodes import StoredEpisode


class CheckMetrics:
    """Open violations, what happened to them, and the latest value of each check.

    Parameters
    ----------
    dropped, max_series
        As `flows.capped_gauge.CappedGauge` takes them.
    """

    def __init__(
        self, registry: CollectorRegistry, *, model: str, grid: Grid, dropped: Counter, max_series: int
    ) -> None:
        self._model = model
        self._events = Counter(
            "driftflow_check_events_total",
            "Events that opened, updated or closed a violation of a check.",
            ["kind", "type"],
            registry=registry,
        )
        self._open = Gauge(
            "driftflow_violations_open",
            "Violations of checks that last.",
            ["model", "window", "kind"],
            registry=registry,
        )
        self._values = CappedGauge(
            "driftflow_check_value",
            "Latest value of a check; an empty feature is the records as a whole.",
            ["model", "window", "feature", "kind", "check"],
            registry=registry,
            dropped=dropped,
            limit=max_series,
        )
        # A series that begins at 0 shows its first increase.
        for family in Family:
            for change in Change:
                self._events.labels(family, change)
            for window in grid.windows:
                self._open.labels(model, window.name, family)

    def take(self, outputs: Sequence[Output]) -> None:
        """Take what the report of the model gave at once."""
        for item in outputs:
            if isinstance(item, StoredEpisode) and item.check:
                self._take_violation(item)
            elif isinstance(item, Point) and is_check(item.key.metric):
                family, _, check = item.key.metric.partition(".")
                key = item.key
                self._values.set((key.model, key.window, key.feature, family, check), item.value)

    def resume(self, violations: Mapping[tuple[str, Family], int]) -> None:
        """Take the number of open violations by window and family, as the report has them when it begins."""
        for (window, family), count in violations.items():
            self._open.labels(self._model, window, family).set(count)

    def _take_violation(self, told: StoredEpisode) -> None:
        """Take a change; one of a first window is its opening."""
        change = Change.UPDATED if told.is_open else Change.CLOSED
        if told.is_open and told.windows == 1:
            change = Change.OPENED
        self._events.labels(told.family, change).inc()
        if change is not Change.UPDATED:
            step = 1 if change is Change.OPENED else -1
            self._open.labels(told.model, told.window, told.family).inc(step)


def is_check(metric: str) -> bool:
    """Whether a series holds the values of a check."""
    return metric.partition(".")[0] in _FAMILIES


_FAMILIES = frozenset(family.value for family in Family)
