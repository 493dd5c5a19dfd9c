"""What rules on retraining read of reports: how far event time has come, labels, and metrics."""

import msgspec

from alerts.signals import Signal
from state.event_data import ReferenceData, WindowData, position
from state.events import EventType
from state.performance_data import MetricData, OutcomeCounts


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over `n` rows beside the reference's value."""

    name: str
    value: float
    expected: float
    n: int


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """What labels say of one window of predictions.

    Attributes
    ----------
    window
        Name of the window specification.
    start, end
        In event time: milliseconds since the epoch, or row numbers.
    revision
        Labels that were known before this instant are in; a later one replaces this.
    rows
        Predictions whose label can be used.
    figures
        Metrics that have a value and something to compare it with.
    """

    window: str
    start: int
    end: int
    revision: int
    rows: int
    figures: tuple[Figure, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one report says.

    Attributes
    ----------
    at
        Event time that it shows to be over: the window's end.
    reference
        Version of the reference it was compared with.
    labelled
        None for a report that is not about performance.
    """

    at: int
    reference: str
    labelled: Labelled | None = None


def measured(body: bytes, *, model: str) -> Measured | None:
    """Read a report; None for any other event, for other models, and for what is no event.

    Parameters
    ----------
    body
        A CloudEvent as JSON.
    """
    try:
        head = _HEAD.decode(body)
        if head.partitionkey != model:
            return None
        if head.type == EventType.REPORT:
            return _plain(_REPORT.decode(head.data))
        if head.type == EventType.PERFORMANCE_REPORT:
            return _labelled(_PERFORMANCE.decode(head.data))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None


def lost(figure: Figure, better: str) -> float:
    """Say how much worse a metric is than the reference, in its own unit; below 0 where it is better.

    Parameters
    ----------
    better
        Which values are the better ones: `higher`, `lower`, `near_zero`; else either side is worse.
    """
    if better == "higher":
        return figure.expected - figure.value
    if better == "lower":
        return figure.value - figure.expected
    if better == "near_zero":
        return abs(figure.value) - abs(figure.expected)
    return abs(figure.value - figure.expected)


def time_of(signal: Signal) -> int | None:
    """Event time that a signal shows to be over; None where it is about no window."""
    return None if signal.end is None else position(signal.end)


class _Head(msgspec.Struct, frozen=True):
    type: str
    partitionkey: str
    data: msgspec.Raw


class _Report(msgspec.Struct, frozen=True):
    window: WindowData
    reference: ReferenceData


class _Performance(msgspec.Struct, frozen=True):
    window: WindowData
    reference: ReferenceData
    revision: str | int
    counts: OutcomeCounts
    metrics: tuple[MetricData, ...]


_HEAD = msgspec.json.Decoder(_Head)
_REPORT = msgspec.json.Decoder(_Report)
_PERFORMANCE = msgspec.json.Decoder(_Performance)


def _plain(data: _Report) -> Measured:
    return Measured(at=position(data.window.end), reference=data.reference.version)


def _labelled(data: _Performance) -> Measured:
    end = position(data.window.end)
    return Measured(
        at=end,
        reference=data.reference.version,
        labelled=Labelled(
            window=data.window.name,
            start=position(data.window.start),
            end=end,
            revision=position(data.revision),
            rows=data.counts.used,
            figures=tuple(
                Figure(name=metric.name, value=metric.value, expected=metric.expected, n=metric.n)
                for metric in data.metrics
                if metric.value is not None and metric.expected is not None
            ),
        ),
    )
