"""What a run tells Prometheus about itself.

Methods take what the steps of a run have in hand and do no work per row. They are called from the thread that
runs the steps; scrapes read from another one.
"""

import platform
from collections import Counter as Multiset
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from flows.batch import Batch
from flows.capped_gauge import CappedGauge, Labels
from flows.check_metrics import CheckMetrics, is_check
from flows.decode.base import Reason
from flows.hooks import Hooks
from flows.join_metrics import JoinMetrics
from flows.passing import Passing
from state.durations import Axis
from state.episodes import Change
from state.events import EventType
from state.grid import END, Grid
from state.halves import Side
from state.report import Output
from state.stores.base import Point, SeriesKey, StoredEvent

MAX_SERIES = 1_000
"""Label sets that one metric may have; what is above is left out and counted."""

_CLOSE_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

_NOT_SCORES = frozenset({"p_value", "q_value", "rows", "late_rows"})
"""Series of the store that say nothing about how far a column is from its reference."""

_CHANGES: Mapping[str, Change] = {
    EventType.OPENED: Change.OPENED,
    EventType.UPDATED: Change.UPDATED,
    EventType.CLOSED: Change.CLOSED,
}

_Window = tuple[str, str, str]
"""Model, window and column: not all columns of a model are reported together."""


def new_registry() -> CollectorRegistry:
    """Return a registry that holds what the operating system knows of this process: memory, CPU, files.

    Series that say when a counter was created, one for each, are switched off for the whole process.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class Metrics:
    """The metrics of one process that runs one model.

    Parameters
    ----------
    registry
        Where they are registered; one registry takes them once.
    clock
        Monotonic seconds.
    grid
        Tells the event time of a pane and the names of the windows.
    max_series
        Label sets that each metric of columns or partitions may have.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        clock: Callable[[], float],
        *,
        model: str,
        grid: Grid,
        max_series: int = MAX_SERIES,
    ) -> None:
        self.registry = registry
        self._clock = clock
        self._model = model
        self._grid = grid
        self._epoch_s = clock()
        self._passing = Passing()
        self._frontiers: dict[str, int] = {}
        self._shown: dict[_Window, set[Labels]] = {}
        self._count_input(registry)
        self._count_results(registry)
        self._show_process(registry)
        dropped = Counter(
            "driftflow_series_dropped_total",
            "Label sets that were left out because a metric had too many.",
            ["metric"],
            registry=registry,
        )
        self._checks = CheckMetrics(registry, model=model, grid=grid, dropped=dropped, max_series=max_series)
        self._join = JoinMetrics(registry, grid=grid, dropped=dropped, max_partitions=max_series)
        self._watermark = CappedGauge(
            "driftflow_watermark_seconds",
            "Event time up to which a partition has closed windows, in seconds since the epoch.",
            ["partition"],
            registry=registry,
            dropped=dropped,
            limit=max_series,
        )
        self._lag = CappedGauge(
            "driftflow_lag",
            "Records between a partition's position and its end.",
            ["partition"],
            registry=registry,
            dropped=dropped,
            limit=max_series,
        )
        self._score = CappedGauge(
            "driftflow_drift_score",
            "Latest distance of a column from its reference; an empty feature is the window as a whole.",
            ["model", "window", "feature", "metric"],
            registry=registry,
            dropped=dropped,
            limit=max_series,
        )

    @property
    def hooks(self) -> Hooks:
        """All methods below, for a run."""
        return Hooks(
            on_batch=self.on_batch,
            on_lag=self.on_lag,
            on_outputs=self.on_outputs,
            on_resume=self.on_resume,
            on_resume_checks=self._checks.resume,
            on_epoch=self.on_epoch,
            on_joined=self._join.on_joined,
            on_snapshot=self.on_snapshot,
        )

    @property
    def epoch_age_s(self) -> float:
        """Seconds since the last epoch ended, or since the start before there was one."""
        return self._clock() - self._epoch_s

    def on_batch(self, batch: Batch) -> None:
        """Take what one poll returned, quiet ones too."""
        labels = batch.side is Side.LABELS
        if batch.rows and not labels:
            self._events.inc(batch.rows)
        if batch.late:
            self._late_rows.inc(sum(batch.late.values()))
        if batch.dead_letters:
            for reason, count in Multiset(letter.reason for letter in batch.dead_letters).items():
                self._dead_letters.labels(reason).inc(count)
        if labels:
            self._join.on_batch(batch)
        elif self._frontiers.get(batch.partition) != batch.frontier:
            self._frontiers[batch.partition] = batch.frontier
            self._move(batch.partition, batch.frontier)

    def on_lag(self, partition: str, records: int | None) -> None:
        """Take how far a live partition is from its end; None while that is not known."""
        if records is None:
            self._lag.remove((partition,))
        else:
            self._lag.set((partition,), records)

    def on_outputs(self, outputs: Sequence[Output]) -> None:
        """Take what the report of the model gave at once."""
        ends = {(item.key.window, item.time) for item in outputs if isinstance(item, Point)}
        for item in outputs:
            if not isinstance(item, StoredEvent):
                continue
            change = _CHANGES.get(item.type)
            if change is not None:
                self._take_change(change, item)
            elif item.type == EventType.REPORT and (item.window, item.end) in ends:
                # A report without points is about windows without rows, which nothing waited for.
                self._windows.labels(item.window).inc()
                passed_s = self._passing.passed_s(item.end)
                if passed_s is not None:
                    self._window_close.observe(max(0.0, self._clock() - passed_s))
        self._show_scores([i for i in outputs if isinstance(i, Point) and not is_check(i.key.metric)])
        self._checks.take(outputs)

    def on_resume(self, open_episodes: Mapping[str, int]) -> None:
        """Add open episodes by window, as one of the reports has them when it begins or resumes."""
        for window, count in open_episodes.items():
            self._episodes.labels(self._model, window).inc(count)

    def on_epoch(self) -> None:
        """Note that an epoch has ended."""
        self._epoch_s = self._clock()

    def on_snapshot(self, step: str, size: int, *, before: int) -> None:
        """Take the size of one key's state in bytes, and what it was at that key's last snapshot (or 0)."""
        self._state_bytes.labels(step).inc(size - before)

    def _count_input(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "driftflow_events_total", "Rows that were counted in windows.", ["model"], registry=registry
        ).labels(self._model)
        self._dead_letters = Counter(
            "driftflow_dead_letters_total", "Records that were refused.", ["reason"], registry=registry
        )
        self._late_rows = Counter(
            "driftflow_late_rows_total", "Good rows that came after their windows.", registry=registry
        )
        for reason in Reason:
            self._dead_letters.labels(reason)

    def _count_results(self, registry: CollectorRegistry) -> None:
        self._windows = Counter(
            "driftflow_windows_total", "Windows with rows that were reported.", ["window"], registry=registry
        )
        self._window_close = Histogram(
            "driftflow_window_close_seconds",
            "From the poll with which this process had read past a window's end to the window's report.",
            buckets=_CLOSE_BUCKETS_S,
            registry=registry,
        )
        self._drift_events = Counter(
            "driftflow_drift_events_total",
            "Events that opened, updated or closed an episode.",
            ["type"],
            registry=registry,
        )
        self._episodes = Gauge(
            "driftflow_episodes_open", "Drifts that last.", ["model", "window"], registry=registry
        )
        # A series that begins at 0 shows its first increase.
        for change in Change:
            self._drift_events.labels(change)
        for window in self._grid.windows:
            self._windows.labels(window.name)
            self._episodes.labels(self._model, window.name)

    def _show_process(self, registry: CollectorRegistry) -> None:
        self._state_bytes = Gauge(
            "driftflow_state_bytes", "State in the last snapshots.", ["step"], registry=registry
        )
        Gauge("driftflow_epoch_age_seconds", "Since the last epoch ended.", registry=registry).set_function(
            lambda: self.epoch_age_s
        )
        Info("driftflow_build", "Versions of what runs.", registry=registry).info(
            {"version": version("driftflow"), "python": platform.python_version()}
        )

    def _move(self, partition: str, frontier: int) -> None:
        """Take the first pane that a partition leaves open."""
        if frontier == END:
            # It holds nothing back any more, and would look like one that stands still.
            self._watermark.remove((partition,))
            self._passing.reach(partition, float("inf"), self._clock())
        elif frontier == -END:
            self._passing.reach(partition, float("-inf"), self._clock())
        else:
            time = self._grid.start_of(frontier)
            if self._grid.axis is Axis.MILLISECONDS:
                self._watermark.set((partition,), time / 1_000)
            self._passing.reach(partition, time, self._clock())

    def _take_change(self, change: Change, event: StoredEvent) -> None:
        self._drift_events.labels(change).inc()
        if change is not Change.UPDATED:
            self._episodes.labels(event.model, event.window).inc(1 if change is Change.OPENED else -1)

    def _show_scores(self, points: Sequence[Point]) -> None:
        """Show the scores of each window that ended last, and no score that it does not have."""
        ends: dict[_Window, int] = {}
        for point in points:
            key = point.key
            window = key.model, key.window, key.feature
            ends[window] = max(point.time, ends.get(window, point.time))
        shown: dict[_Window, dict[Labels, float]] = {window: {} for window in ends}
        for point in points:
            key = point.key
            window = key.model, key.window, key.feature
            if point.time == ends[window] and key.metric not in _NOT_SCORES and not key.segment:
                shown[window][_score_labels(key)] = point.value
        for window, scores in shown.items():
            for labels in self._shown.get(window, set()) - scores.keys():
                self._score.remove(labels)
            for labels, value in scores.items():
                self._score.set(labels, value)
            self._shown[window] = set(scores)


def _score_labels(key: SeriesKey) -> Labels:
    return key.model, key.window, key.feature, key.metric
