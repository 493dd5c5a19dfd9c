"""What the join of predictions and labels tells Prometheus."""

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge

from flows.batch import Batch
from flows.capped_gauge import CappedGauge
from state.durations import Axis
from state.grid import END, Grid
from state.halves import Side
from state.joined import Count, Joined

_OUTCOMES = {
    Count.PREDICTIONS: (Side.PREDICTIONS, "new"),
    Count.LABELLED: (Side.PREDICTIONS, "labelled"),
    Count.UNLABELLED: (Side.PREDICTIONS, "unlabelled"),
    Count.FORGOTTEN: (Side.PREDICTIONS, "forgotten"),
    Count.REPEATED_PREDICTIONS: (Side.PREDICTIONS, "repeated"),
    Count.PREDICTIONS_WITHOUT_ID: (Side.PREDICTIONS, "without_id"),
    Count.LATE_PREDICTIONS: (Side.PREDICTIONS, "late"),
    Count.LABELS: (Side.LABELS, "with_id"),
    Count.ORPHANS: (Side.LABELS, "orphan"),
    Count.REPEATED_LABELS: (Side.LABELS, "repeated"),
    Count.LABELS_WITHOUT_ID: (Side.LABELS, "without_id"),
    Count.LATE_LABELS: (Side.LABELS, "late"),
}


class JoinMetrics:
    """The join's metrics in one process: of the shards that it holds, and the labels that it reads."""

    def __init__(
        self, registry: CollectorRegistry, *, grid: Grid, dropped: Counter, max_partitions: int
    ) -> None:
        self._grid = grid
        self._labels = Counter(
            "driftflow_labels_total", "Labels that came in time to be joined.", registry=registry
        )
        self._rows = Counter(
            "driftflow_join_rows_total",
            "Predictions and labels by what became of them.",
            ["side", "outcome"],
            registry=registry,
        )
        for side, outcome in _OUTCOMES.values():
            self._rows.labels(side, outcome)
        self._rate = Gauge(
            "driftflow_join_rate",
            "Share of the predictions whose time is over that have found a label, since the start.",
            registry=registry,
        )
        self._waiting = Gauge(
            "driftflow_join_waiting_rows", "Rows that wait for the other side.", ["side"], registry=registry
        )
        self._bytes = Gauge("driftflow_join_bytes", "Memory of the rows that are held.", registry=registry)
        self._watermark = CappedGauge(
            "driftflow_labels_watermark_seconds",
            "Time up to which a partition of labels is read, in seconds since the epoch.",
            ["partition"],
            registry=registry,
            dropped=dropped,
            limit=max_partitions,
        )
        self._totals = np.zeros(len(Count), dtype=np.int64)
        self._held: dict[str, tuple[int, int, int]] = {}

    def on_batch(self, batch: Batch) -> None:
        """Take a batch of labels."""
        if batch.rows:
            self._labels.inc(batch.rows)
        if batch.frontier == END:
            self._watermark.remove((batch.partition,))
        elif batch.frontier != -END and self._grid.axis is Axis.MILLISECONDS:
            self._watermark.set((batch.partition,), self._grid.start_of(batch.frontier) / 1_000)

    def on_joined(self, shard: str, joined: Joined) -> None:
        """Take what one shard has told."""
        told = np.array([numbers for *_, numbers in joined.counts], dtype=np.int64)
        numbers = told.reshape(-1, len(Count)).sum(axis=0)
        for count in Count:
            if numbers[count]:
                self._rows.labels(*_OUTCOMES[count]).inc(int(numbers[count]))
        self._totals += numbers
        over = self._totals[[Count.LABELLED, Count.UNLABELLED, Count.FORGOTTEN]].tolist()
        self._rate.set(over[0] / sum(over) if sum(over) else 0.0)
        self._held[shard] = (joined.waiting, joined.early, joined.memory)
        waiting, early, memory = np.sum(list(self._held.values()), axis=0).tolist()
        self._waiting.labels(Side.PREDICTIONS).set(waiting)
        self._waiting.labels(Side.LABELS).set(early)
        self._bytes.set(memory)
