"""What leaves the program: drift events as CloudEvents 1.0, with ids that a replay repeats."""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

import msgspec

from state.check_data import CheckData
from state.durations import Axis
from state.event_data import DriftData, MissingReferenceData, ReportData, instant
from state.performance_data import PerformanceData
from state.retrain_data import RetrainData
from state.stores.base import StoredEvent

DATA_SCHEMA = "https://driftflow.io/schemas/drift-event.v1.json"
"""Identifies the schema of `data`; the file is docs/schemas/drift-event.v1.json."""


class EventType(StrEnum):
    """The types of events, as CloudEvents name them."""

    OPENED = "io.driftflow.drift.opened"
    UPDATED = "io.driftflow.drift.updated"
    CLOSED = "io.driftflow.drift.closed"
    REPORT = "io.driftflow.window.report"
    MISSING = "io.driftflow.reference.missing"
    QUALITY_VIOLATED = "io.driftflow.quality.violated"
    QUALITY_RESOLVED = "io.driftflow.quality.resolved"
    PREDICTION_VIOLATED = "io.driftflow.prediction.violated"
    PREDICTION_RESOLVED = "io.driftflow.prediction.resolved"
    OPERATIONS_VIOLATED = "io.driftflow.operations.violated"
    OPERATIONS_RESOLVED = "io.driftflow.operations.resolved"
    PERFORMANCE_DEGRADED = "io.driftflow.performance.degraded"
    PERFORMANCE_RECOVERED = "io.driftflow.performance.recovered"
    PERFORMANCE_REPORT = "io.driftflow.performance.report"
    RETRAIN = "io.driftflow.retrain.requested"

    @property
    def of_check(self) -> bool:
        """Whether it tells of a violation of a check."""
        return self in _OF_CHECKS


_OF_CHECKS = frozenset(
    {
        EventType.QUALITY_VIOLATED,
        EventType.QUALITY_RESOLVED,
        EventType.PREDICTION_VIOLATED,
        EventType.PREDICTION_RESOLVED,
        EventType.OPERATIONS_VIOLATED,
        EventType.OPERATIONS_RESOLVED,
        EventType.PERFORMANCE_DEGRADED,
        EventType.PERFORMANCE_RECOVERED,
    }
)


def deterministic_id(parts: Sequence[str | int]) -> str:
    """Hash what makes an event the one it is; the same parts give the same id in every run."""
    return blake2b(msgspec.json.encode(list(parts)), digest_size=16).hexdigest()


def cloud_event(
    event_type: EventType,
    data: DriftData | ReportData | CheckData | PerformanceData,
    *,
    identity: Sequence[str | int],
    end: int,
    feature: str | None,
    episode: str | None,
) -> StoredEvent:
    """Wrap data in its envelope.

    Parameters
    ----------
    identity
        What the id is made of beside the type; nothing that differs between two runs over the same data.
    end
        The window's end on the axis: the event's time, where the axis is one of time.
    """
    event_id = deterministic_id([event_type, *identity])
    subject = [data.model, data.model_version, data.window.name, *([feature] if feature else [])]
    envelope = _envelope(event_type, event_id, "/".join(subject), data)
    if data.window.axis is Axis.MILLISECONDS:
        envelope["time"] = instant(end, data.window.axis)
    return StoredEvent(
        id=event_id,
        type=event_type,
        model=data.model,
        model_version=data.model_version,
        window=data.window.name,
        feature=feature,
        episode=episode,
        end=end,
        body=msgspec.json.encode(envelope),
    )


def missing_reference_event(data: MissingReferenceData, *, fingerprint: str) -> StoredEvent:
    """Write that a model version has no reference; a run that waits again writes the same.

    It is about no window, so it has no time: the event's place in a store is before all windows.

    Parameters
    ----------
    fingerprint
        Hash of the configuration keys that can change a decision, hex.
    """
    event_id = deterministic_id([EventType.MISSING, data.model, data.model_version, fingerprint])
    envelope = _envelope(EventType.MISSING, event_id, f"{data.model}/{data.model_version}", data)
    return StoredEvent(
        id=event_id,
        type=EventType.MISSING,
        model=data.model,
        model_version=data.model_version,
        window="",
        feature=None,
        episode=None,
        end=0,
        body=msgspec.json.encode(envelope),
    )


def retrain_event(data: RetrainData) -> tuple[str, bytes]:
    """Write a request to train a model again; return its id and its body.

    The id is that of the reasons: model, reference, rule, episodes and the number of the attempt. A request
    that is sent again has the same, so whoever trains can leave out what was done.
    """
    reasons = sorted(episode.id for episode in data.episodes)
    identity: list[str | int] = [
        data.model,
        data.model_version,
        data.reference,
        data.rule,
        *reasons,
        data.attempt,
    ]
    event_id = deterministic_id([EventType.RETRAIN, *identity])
    envelope = _envelope(EventType.RETRAIN, event_id, f"{data.model}/{data.model_version}", data)
    return event_id, msgspec.json.encode({**envelope, "time": data.requested})


def _envelope(
    event_type: EventType,
    event_id: str,
    subject: str,
    data: DriftData | ReportData | CheckData | PerformanceData | MissingReferenceData | RetrainData,
) -> dict[str, object]:
    """Return what CloudEvents 1.0 asks for, but the time, which not every event has."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/driftflow/{data.model}",
        "type": event_type,
        "subject": subject,
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "partitionkey": data.model,
        "data": data,
    }
