"""A notice as a CloudEvent, for programs."""

from datetime import UTC, datetime

import msgspec

from alerts.notices import Cause, Notice

CONTENT_TYPE = "application/cloudevents+json"
"""Of a CloudEvent in structured mode."""


def cloud_event(notice: Notice) -> bytes:
    """Write a notice as a CloudEvent in structured mode.

    A request to retrain is a CloudEvent already, and goes out as it is.

    References
    ----------
    CloudEvents 1.0.2, JSON event format.
    """
    if notice.cause is Cause.RETRAIN and notice.payload:
        return notice.payload.encode()
    decided = datetime.fromtimestamp(notice.decided_ms / 1000, tz=UTC)
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": notice.id,
            "source": f"/driftflow/{notice.model}/alerts",
            "type": f"io.driftflow.alert.{notice.cause.value}",
            "subject": notice.incident,
            "time": decided.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "partitionkey": notice.model,
            "datacontenttype": "application/json",
            "data": {
                "route": notice.route,
                "incident": notice.incident,
                "cause": notice.cause,
                "model": notice.model,
                "model_version": notice.model_version,
                "title": notice.title,
                "signals": notice.signals,
                "omitted": notice.omitted,
            },
        }
    )
