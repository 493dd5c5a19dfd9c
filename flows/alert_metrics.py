"""What alerting tells Prometheus about itself."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge


class AlertMetrics:
    """Counts of attempts by channel, and the age of the last turn; see `alerts.delivery.Heard`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._turned_s = time.monotonic()
        self._notices = Counter(
            "driftflow_alert_notices",
            "Attempts to send a notice, by what came of them",
            ("channel", "outcome"),
            registry=self.registry,
        )
        self._waiting = Gauge(
            "driftflow_alert_waiting_notices", "Notices that wait to be sent", registry=self.registry
        )
        age = Gauge("driftflow_alert_turn_age_seconds", "Since the last turn ended", registry=self.registry)
        age.set_function(lambda: self.epoch_age_s)

    @property
    def epoch_age_s(self) -> float:
        """Seconds since the last turn ended."""
        return time.monotonic() - self._turned_s

    def turned(self, waiting: int) -> None:
        """Note that a turn has ended."""
        self._turned_s = time.monotonic()
        self._waiting.set(waiting)

    def sent(self, channel: str) -> None:
        """One was taken."""
        self._notices.labels(channel, "sent").inc()

    def failed(self, channel: str) -> None:
        """One was not taken now."""
        self._notices.labels(channel, "failed").inc()

    def died(self, channel: str) -> None:
        """One is given up."""
        self._notices.labels(channel, "given_up").inc()
