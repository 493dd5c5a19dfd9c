"""Metrics of performance for a terminal."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from detectors.performance.base import Metric
from flows.render.grid import note_lines
from flows.render.words import count_text, number_text


def metric_text(metric: Metric) -> str:
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


def metric_lines(metrics: Sequence[Metric], rows: int, width: int) -> Iterator[Text]:
    """Write all metrics that have a value, with their intervals of 95 %."""
    said = " · ".join(metric_text(metric) for metric in metrics if metric.value is not None)
    over = count_text(rows, "row")
    yield from note_lines(f"performance over {over} with a label (with 95 %): {said}", width, indent=1)
