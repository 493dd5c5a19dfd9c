"""Notices to PagerDuty: one incident for a group of drifts, resolved with its all-clear."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerts.channels.base import TIMEOUT_S
from alerts.channels.http import Http
from alerts.channels.secrets import Secret
from alerts.notices import Cause, Notice
from alerts.signals import worst
from alerts.templating import Templates
from alerts.wording import view_of
from detectors.verdicts import Severity

BASE = "https://events.pagerduty.com"

MOST_SUMMARY, MOST_BYTES, MOST_KEY = 1024, 512_000, 255
"""Characters of a summary, bytes of an event, characters of a key (PagerDuty, Events API v2)."""

_MOST_SIGNALS = 50
_SEVERITIES = {Severity.HIGH: "critical", Severity.MEDIUM: "error", Severity.LOW: "warning", None: "warning"}


class PagerDutyChannel:
    """Triggers and resolves by the Events API v2; the incident is the key of de-duplication.

    Parameters
    ----------
    routing_key
        Integration key of a service.
    base
        Address of the API, without its path.
    """

    def __init__(
        self,
        name: str,
        routing_key: Secret,
        templates: Templates,
        *,
        base: str = BASE,
        dashboard: str = "",
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._routing_key = routing_key
        self._templates = templates
        self._url = Secret(f"{base.rstrip('/')}/v2/enqueue")
        self._dashboard = dashboard
        self._http = Http(f"PagerDuty ({name})", (routing_key,), timeout_s=timeout_s, now=now)

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        shown = min(_MOST_SIGNALS, max(len(notice.signals), 1))
        body = self._event(notice, shown)
        while len(body) > MOST_BYTES and shown > 1:
            shown //= 2
            body = self._event(notice, shown)
        self._http.post(self._url, body, {"Content-Type": "application/json"})

    def _event(self, notice: Notice, shown: int) -> bytes:
        view = view_of(notice, dashboard=self._dashboard, most=shown)
        event: dict[str, Any] = {
            "routing_key": self._routing_key.reveal(),
            "event_action": "resolve" if notice.cause is Cause.CLOSED else "trigger",
            "dedup_key": notice.incident[:MOST_KEY],
            "client": "driftflow",
        }
        if view.link:
            event |= {"client_url": view.link, "links": [{"href": view.link, "text": "Dashboard"}]}
        calm = notice.cause in {Cause.SAMPLE, Cause.RETRAIN}
        event["payload"] = {
            "summary": self._templates.title(view)[:MOST_SUMMARY],
            "source": f"driftflow/{view.model}",
            "severity": "info" if calm else _SEVERITIES[worst(notice.signals)],
            "timestamp": datetime.fromtimestamp(notice.decided_ms / 1000, tz=UTC).isoformat(),
            "component": view.model,
            "group": view.route,
            "class": notice.cause.value,
            "custom_details": {
                "notice": notice.id,
                "cause": view.cause,
                "model_version": view.model_version,
                "signals": view.rows,
                "omitted": view.omitted,
                "what_to_do": view.advice,
            },
        }
        return msgspec.json.encode(event)

    def close(self) -> None:
        """See `Channel.close`."""
        self._http.close()
