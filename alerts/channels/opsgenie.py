"""Notices to Opsgenie: one alert for a group of drifts, closed with its all-clear."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from alerts.channels.base import TIMEOUT_S
from alerts.channels.http import Http
from alerts.channels.secrets import Secret
from alerts.notices import Cause, Notice
from alerts.signals import worst
from alerts.templating import Templates
from alerts.wording import view_of
from detectors.verdicts import Severity

BASE = "https://api.opsgenie.com"

MOST_MESSAGE, MOST_DESCRIPTION, MOST_ALIAS, MOST_SOURCE, MOST_TAG = 130, 15_000, 512, 100, 50
"""Characters (Opsgenie, Alert API: create alert)."""

_MOST_SIGNALS = 20
_PRIORITIES = {Severity.HIGH: "P1", Severity.MEDIUM: "P2", Severity.LOW: "P3", None: "P3"}


class OpsgenieChannel:
    """Creates and closes alerts; the incident is their alias.

    Parameters
    ----------
    api_key
        Key of an API integration.
    base
        Address of the API, without its path; ``https://api.eu.opsgenie.com`` for accounts in Europe.
    """

    def __init__(
        self,
        name: str,
        api_key: Secret,
        templates: Templates,
        *,
        base: str = BASE,
        dashboard: str = "",
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._api_key = api_key
        self._templates = templates
        self._base = base.rstrip("/")
        self._dashboard = dashboard
        self._http = Http(f"Opsgenie ({name})", (api_key,), timeout_s=timeout_s, now=now)

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        alias = notice.incident[:MOST_ALIAS]
        body = self._alert(notice, alias)
        path = "/v2/alerts"
        if notice.cause is Cause.CLOSED:
            path += f"/{quote(alias, safe='')}/close?identifierType=alias"
            body = {"source": body["source"], "note": f"All clear (notice {notice.id})"}
        headers = {
            "Authorization": f"GenieKey {self._api_key.reveal()}",
            "Content-Type": "application/json",
        }
        self._http.post(Secret(self._base + path), msgspec.json.encode(body), headers)

    def _alert(self, notice: Notice, alias: str) -> dict[str, Any]:
        view = view_of(notice, dashboard=self._dashboard, most=_MOST_SIGNALS)
        calm = notice.cause in {Cause.SAMPLE, Cause.RETRAIN}
        return {
            "message": self._templates.title(view)[:MOST_MESSAGE],
            "alias": alias,
            "description": self._templates.text(view)[:MOST_DESCRIPTION],
            "priority": "P5" if calm else _PRIORITIES[worst(notice.signals)],
            "source": f"driftflow/{view.model}"[:MOST_SOURCE],
            "tags": ["driftflow", view.model[:MOST_TAG], notice.cause.value],
            "details": {
                "notice": notice.id,
                "model": view.model,
                "model_version": view.model_version,
                "cause": notice.cause.value,
                "dashboard": view.link,
            },
        }

    def close(self) -> None:
        """See `Channel.close`."""
        self._http.close()
