"""An alerting process with a shorter hour for caps, and shorter waits where asked for: for bench/alerts."""

import logging
import os
import sys
from pathlib import Path

from alerts import delivery, policy
from alerts.channels.webhook import WebhookChannel
from flows import alerting
from flows.alert_lease import CLAIM_MS
from flows.alert_metrics import AlertMetrics
from flows.config import load_config
from flows.workers.requests import stops

_TIMEOUT_S = 10.0


def main() -> None:
    """Alert until ended; arguments: configuration, by what waits are divided, an hour in milliseconds."""
    path, hasten, hour_ms = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    logging.basicConfig(level=logging.WARNING)
    # Nobody sets these in operation, so they are no settings.
    policy.HOUR_MS = delivery.HOUR_MS = hour_ms
    delivery.FIRST_PAUSE_MS //= hasten
    delivery.LONGEST_PAUSE_MS //= hasten
    alerting.PAUSE_S /= hasten
    defaults = WebhookChannel.__init__.__kwdefaults__
    assert defaults is not None
    defaults["timeout_s"] = max(_TIMEOUT_S / hasten, 0.3)
    config = load_config(path)
    with alerting.opened_outlets(config, os.environ, sys.stdout) as outlets, stops() as stopped:
        alerting.AlertRun(
            config,
            outlets,
            os.environ,
            from_start=True,
            stopped=lambda: stopped.asked > 0,
            heard=AlertMetrics(),
            hold_ms=CLAIM_MS // hasten,
        ).follow()


if __name__ == "__main__":
    main()
