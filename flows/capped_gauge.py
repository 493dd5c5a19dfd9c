"""A gauge with a limit on its label sets, so that a wide table does not flood the server that scrapes it."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

Labels = tuple[str, ...]
"""Values of a metric's labels, in their order."""


class CappedGauge:
    """A gauge with at most `limit` label sets.

    Parameters
    ----------
    dropped
        Counter with one label, the metric's name; counts each label set that does not fit once.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str],
        *,
        registry: CollectorRegistry,
        dropped: Counter,
        limit: int,
    ) -> None:
        self._gauge = Gauge(name, documentation, labels, registry=registry)
        self._dropped = dropped.labels(name)
        self._limit = limit
        self._held: dict[Labels, Gauge] = {}
        self._refused: set[Labels] = set()

    def set(self, labels: Labels, value: float) -> None:
        """Set a series; one that does not fit is counted once."""
        held = self._held.get(labels)
        if held is None and len(self._held) < self._limit:
            held = self._held[labels] = self._gauge.labels(*labels)
        if held is not None:
            held.set(value)
        elif labels not in self._refused:
            self._refused.add(labels)
            self._dropped.inc()

    def remove(self, labels: Labels) -> None:
        """End a series; its place is free for another."""
        if self._held.pop(labels, None) is not None:
            self._gauge.remove(*labels)
