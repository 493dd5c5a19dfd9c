"""An alerting process whose waits are shorter than in operation, for short forms of bench/alerts."""

import logging
import os
import sys
from pathlib import Path

from alerts import delivery
from alerts.channels.webhook import WebhookChannel
from flows import alerting
from flows.alert_lease import CLAIM_MS
from flows.alert_metrics import AlertMetrics
from flows.config import load_config
from flows.workers.requests import stops

_TIMEOUT_S = 10.0


def main() -> None:
    """Alert until it is ended; arguments: the configuration, and by what all waits are divided."""
    path, hasten = Path(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(level=logging.WARNING)
    # Nobody sets these in operation, so they are no settings.
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
