"""The configuration that fits a generated data set."""

from pathlib import Path

from flows.scenarios.base import Scenario, ScenarioOptions
from flows.scenarios.dataset import DatasetFiles
from state.columns import Column, Role
from state.durations import Axis, format_span

_HOUR, _DAY = 3_600_000, 86_400_000
_SIZES = (
    28 * _DAY,
    7 * _DAY,
    _DAY,
    12 * _HOUR,
    6 * _HOUR,
    4 * _HOUR,
    2 * _HOUR,
    _HOUR,
    _HOUR // 2,
    _HOUR // 4,
    _HOUR // 12,
    _HOUR // 60,
)
"""Sizes of windows that people think in, the largest first; each is 4 times some whole number of seconds."""

WANTED_WINDOWS = 14
"""Tumbling windows in which each kind of drift can be told from the others."""

WANTED_ROWS = 500
"""Rows of a window from which a small drift is seen."""

_NAMES = {_DAY: "daily", 7 * _DAY: "weekly", _HOUR: "hourly"}


def window_size(options: ScenarioOptions) -> int:
    """Return the size of the tumbling window in milliseconds: a day, or what suits the rows better.

    A day where the stream has enough of them; a smaller size where not; a larger one where a day has too few
    rows to judge.
    """
    span = options.rows * options.step_ms
    enough_rows = [size for size in _SIZES if size >= WANTED_ROWS * options.step_ms] or [_SIZES[0]]
    enough_windows = [size for size in enough_rows if size <= _DAY and span >= WANTED_WINDOWS * size]
    return enough_windows[0] if enough_windows else enough_rows[-1]


def window_name(size: int) -> str:
    """Name a tumbling window of a size."""
    return _NAMES.get(size, f"every_{format_span(size, Axis.MILLISECONDS)}")


def config_text(scenario: Scenario, options: ScenarioOptions, files: DatasetFiles, folder: Path) -> str:
    """Write the configuration of a data set in `folder`, with a comment where one may want to turn.

    The lateness is the disorder: no row is further behind its file, so none is late.
    """
    size = window_size(options)
    events = files.events[0] if len(files.events) == 1 else files.events[0].parent
    lines = [
        f"# What driftflow watches in this data set (scenario {scenario.name}).",
        "model:",
        f"  name: {scenario.name}",
        "",
        "input:",
        f"  path: {events.relative_to(folder).as_posix()}",
        "",
        "time:",
        "  column: ts",
        "  # How far a row may lag behind the newest one before it counts as late.",
        f"  lateness: {_text(options.disorder_ms)}",
        "",
        "windows:",
        f"  {window_name(size)}: {{size: {_text(size)}}}",
        "  # The same length, looked at four times as often: drift is seen sooner.",
        f"  sliding: {{size: {_text(size)}, slide: {_text(size // 4)}}}",
        "",
        "columns:",
        # What comes later is joined by it.
        *([] if scenario.late_labels is None else ["  id: {kind: categorical, role: id}"]),
        *map(_column_line, scenario.columns),
        "",
        *_label_lines(scenario, options, files),
        "output:",
        "  folder: out",
        "",
    ]
    return "\n".join(lines)


def _column_line(column: Column) -> str:
    # Quoted: YAML reads a bare yes as a truth value.
    of = "" if column.class_name is None else f', class: "{column.class_name}"'
    return f"  {column.name}: {{kind: {column.kind}, role: {column.role}{of}, path: {column.path}}}"


def _label_lines(scenario: Scenario, options: ScenarioOptions, files: DatasetFiles) -> list[str]:
    """Say where labels are, and that predictions are held against them; nothing where there are none."""
    late = scenario.late_labels
    if late is None or files.labels is None:
        labelled = any(column.role is Role.LABEL for column in scenario.columns)
        return ["performance: {}", ""] if labelled else []
    return [
        "labels:",
        f"  path: {files.labels.name}",
        "  id: id",
        f"  label: {late.column.path}",
        "  time: {column: ts}",
        f"  horizon: {_text(late.longest_steps * options.step_ms)}",
        "",
        "performance: {}",
        "",
    ]


def _text(span_ms: int) -> str:
    return format_span(span_ms, Axis.MILLISECONDS) if span_ms else "0s"
