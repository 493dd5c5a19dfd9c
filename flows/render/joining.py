"""Says at start what the join of labels may need."""

from flows.render.words import bytes_text
from flows.sections.labels import Labels
from state.durations import Axis, format_span
from state.id_table import row_bytes


def need_line(labels: Labels, width: int, axis: Axis) -> str:
    """Return how many rows the join holds at most, what they weigh, and what the given rate asks for.

    Parameters
    ----------
    width
        Numbers that a prediction brings.
    """
    most, each = labels.limits.max_rows * labels.shards, row_bytes(width)
    line = (
        f"Labels are waited for {format_span(labels.horizon, axis)}: {each} bytes a prediction, "
        f"at most {most:,} of them ({bytes_text(most * each)}; twice that while they are sorted)"
    )
    if labels.rate is None or axis is Axis.ROWS:
        return f"{line}."
    rows = round(labels.rate * labels.horizon / 1_000)
    line += f"; {labels.rate:g} a second make {rows:,} ({bytes_text(rows * each)})"
    return (
        f"{line}." if rows <= most else f"{line}, of which the oldest are given up: raise `labels.max_rows`."
    )
