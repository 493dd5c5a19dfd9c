"""Metrics of performance for a terminal."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from detectors.performance.base import Metric
from flows.render.grid import note_lines
from flows.render.words import count_text, moment_text, number_text, plain_text
from state.event_data import Instant
from state.performance_data import MetricData, PerformanceData, PerformanceSegments

_MOST_SEGMENTS = 5


def metric_text(metric: Metric | MetricData) -> str:
    """Write a metric with its interval.

    Examples
    --------
    >>> metric_text(Metric(name="accuracy", value=0.92512, low=0.91234, high=0.93456, n=1_000))
    'accuracy 0.9251 (0.9123 to 0.9346)'
    """
    if metric.value is None or metric.low is None or metric.high is None:
        return f"{metric.name} {number_text(metric.value)}"
    return (
        f"{metric.name} {number_text(metric.value)} ({number_text(metric.low)} to {number_text(metric.high)})"
    )


class FoundPerformance(msgspec.Struct, frozen=True, kw_only=True):
    """The windows of one kind whose performance was told, and how the last of them stands.

    Attributes
    ----------
    windows
        How many there are; each may have been told several times.
    end, final
        End of the last one, and whether no later label counts.
    predictions, labelled
        Of the last one.
    metrics
        Of the last one, those that are checked.
    """

    window: str
    windows: int
    end: Instant
    final: bool
    predictions: int
    labelled: int
    metrics: tuple[MetricData, ...]


def found_performance(data: PerformanceData, held: FoundPerformance | None) -> FoundPerformance:
    """Take a report into what was found of its kind of windows; those of earlier ones change nothing."""
    if held is not None and not _later(data.window.end, held.end):
        return held if data.window.end != held.end else _found(data, held.windows)
    return _found(data, 1 if held is None else held.windows + 1)


def performance_lines(found: Sequence[FoundPerformance], width: int) -> Iterator[Text]:
    """Say how the last window of each kind performs."""
    yield Text(" Performance", "bold")
    for each in found:
        labelled = f"{each.labelled:,} of {count_text(each.predictions, 'prediction')} labelled"
        until = f"last of {count_text(each.windows, 'window')}, until {moment_text(each.end)}"
        if not each.final:
            until += ", more labels may come"
        said = " · ".join(
            f"{metric.name} {number_text(metric.value)}"
            + ("" if metric.expected is None else f" (expected {number_text(metric.expected)})")
            for metric in each.metrics
        )
        yield from note_lines(f"{each.window}: {said or 'nothing to compare'}", width, indent=1)
        yield from note_lines(f"{until}: {labelled}", width, indent=3)


def performance_note(data: PerformanceData) -> str:
    """Say in one line what a report says: how many labels it knows, and the metrics that are checked."""
    counts = data.counts
    said = [f"{counts.labelled:,} of {counts.predictions:,} labelled"]
    said += [f"{check.name} {number_text(check.value)}" for check in data.checks]
    return ", ".join(said)


def performance_facts(data: PerformanceData) -> Iterator[tuple[str, str]]:
    """Name what there is to say of a report of performance, each with its label."""
    counts = data.counts
    state = "final" if data.final else f"labels known before {moment_text(data.revision)}; more may come"
    yield "labels", state
    settled = f"{counts.labelled:,} labelled, {counts.waiting:,} waiting, {counts.unlabelled:,} unlabelled"
    yield "predictions", f"{counts.predictions:,}: {settled}"
    unused = {
        name: number
        for name, number in msgspec.structs.asdict(counts).items()
        if number and name not in {"predictions", "labelled", "waiting", "unlabelled", "used", "labels"}
    }
    if unused:
        yield "left out", ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in unused.items())
    for metric in data.metrics:
        said = f"{metric.name}: {metric.reason}" if metric.reason else metric_text(metric)
        if metric.bound:
            said += f", exact within {number_text(metric.bound)}"
        if metric.expected is not None:
            said += f"; expected {number_text(metric.expected)}"
        yield "metric", said
    for each in data.segments:
        yield "segments", _segments_text(each)


def _segments_text(found: PerformanceSegments) -> str:
    """Name the largest segments of a field, with what is checked of each."""
    largest = sorted(found.segments, key=lambda each: -each.rows)[:_MOST_SEGMENTS]
    said = []
    for each in largest:
        metrics = (
            f"{metric.name} {number_text(metric.value)}"
            + ("" if metric.expected is None else f" (expected {number_text(metric.expected)})")
            for metric in each.metrics
        )
        said.append(f"{plain_text(each.segment)} {', '.join(metrics)}")
    more = len(found.segments) - len(largest)
    return f"{plain_text(found.column)}: {'; '.join(said)}" + (f"; {more} more" if more else "")


def _found(data: PerformanceData, windows: int) -> FoundPerformance:
    checked = {check.name for check in data.checks}
    return FoundPerformance(
        window=data.window.name,
        windows=windows,
        end=data.window.end,
        final=data.final,
        predictions=data.counts.predictions,
        labelled=data.counts.labelled,
        metrics=tuple(metric for metric in data.metrics if metric.name in checked),
    )


def _later(end: Instant, other: Instant) -> bool:
    """Compare two instants of one axis; texts in ISO-8601 with one offset are ordered like their times."""
    return (end > other) if isinstance(end, int) and isinstance(other, int) else str(end) > str(other)


def metric_lines(metrics: Sequence[Metric], rows: int, width: int) -> Iterator[Text]:
    """Write all metrics that have a value, with their intervals of 95 %."""
    said = " · ".join(metric_text(metric) for metric in metrics if metric.value is not None)
    over = count_text(rows, "row")
    yield from note_lines(f"performance over {over} with a label (with 95 %): {said}", width, indent=1)
