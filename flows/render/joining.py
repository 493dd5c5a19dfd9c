"""Says at start what the join of labels may need."""

from collections.abc import Iterator

from flows.config import Config
from flows.error_watch import lacking_errors
from flows.render.words import bytes_text
from flows.sections.labels import Labels
from state.durations import Axis, format_span
from state.generations import Generations
from state.id_table import row_bytes


def joining_lines(config: Config, generations: Generations, width: int) -> Iterator[str]:
    """Say what the join may need, and where the errors of predictions cannot be watched.

    Parameters
    ----------
    width
        Numbers that a prediction brings.
    """
    if config.labels is not None:
        yield need_line(config.labels, width, config.grid.axis)
    lacking = lacking_errors(config, generations.references)
    if lacking:
        yield (
            f"Errors of predictions are not watched: reference {', '.join(lacking)} was built of rows "
            "without labels, or before errors were."
        )


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
