"""The section `labels`: labels that come later than their predictions, from a place of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from detectors.base import Kind
from flows.config_values import ConfigError, span_of, zone_of
from flows.sections.base import Positive, Section
from state.columns import Column, Role, TimeColumn, TimeUnit
from state.durations import Axis
from state.grid import Grid
from state.joined import JoinLimits

HORIZON = "7d"
"""How long a prediction waits where nothing is said and event time is time."""

ID, LABEL = "@id", "@label"
"""What the fields of a label's record are called; no column can have such a name."""


class LabelTimeConfig(Section, frozen=True):
    """When a label became known: a `column`, the `record`'s own time, or the number of the row.

    Attributes
    ----------
    column
        the field that says when a label became known; a file may leave `labels.time` out
    record
        it is the time of the Kafka record
    rows
        it is the number of the row, with `time.rows: true`
    format
        as `time.format` and `time.zone`
    zone : `time.zone`
        as `time.format` and `time.zone`
    """

    column: str | None = None
    record: bool = False
    rows: bool = False
    format: TimeUnit = TimeUnit.ISO
    zone: str | None = None


class LabelsConfig(Section, frozen=True):
    """Where labels come from, how they find their predictions, and how long each side waits.

    Attributes
    ----------
    label : path of the label column
        the field with the label: a CSV header, or a path as in `columns`
    id : path of the id column
        the field with the id of the prediction
    kind : that of the label column, or of the prediction
        `numeric` or `categorical`; without either column categorical
    path
        a file, or a folder whose files are partitions; or
    topics
        topics of Kafka; they end where `input.until_end` says
    start
        as `input.start`
    format : as for `input`
        of files
    missing : as for `input`
        of files
    lateness : `time.lateness`
        how far a label may lag behind the newest one of its partition
    horizon : `7d`, or the longest window of rows
        how long a prediction waits for its label
    early : `labels.horizon`
        how long a label waits for its prediction
    shards
        parts that the rows are held in, 1 to 64
    max_rows
        most predictions that wait, and most early labels; of more the oldest are given up
    rate
        predictions a second that are expected: the start says what memory they need
    """

    label: str | None = None
    id: str | None = None
    kind: Kind | None = None
    path: str | None = None
    topics: tuple[str, ...] | None = None
    start: str = "earliest"
    format: Literal["csv", "jsonl"] | None = None
    missing: tuple[str, ...] = ("",)
    time: LabelTimeConfig | None = None
    lateness: str | None = None
    horizon: str | None = None
    early: str | None = None
    shards: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    max_rows: Positive = 10_000_000
    rate: Annotated[float, msgspec.Meta(gt=0.0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels that are joined to predictions.

    Attributes
    ----------
    prediction_id
        Name of the column that holds the id of a prediction.
    fields
        Id and label in the records of the labels.
    time
        The field with the time at which a label became known; None where it is elsewhere, or `known`.
    record_time
        It is the record's own time.
    known
        Labels have no time: each was known when its prediction was made.
    lateness
        Of the labels' watermark, in the unit of the axis.
    horizon
        How long a prediction waits, in the unit of the axis.
    limits
        The same in panes, for each of the shards.
    rate
        Predictions per second that are expected, to say what memory they need; None: not said.
    """

    prediction_id: str
    fields: tuple[Column, Column]
    time: TimeColumn | None
    record_time: bool
    known: bool
    lateness: int
    horizon: int
    limits: JoinLimits
    shards: int
    rate: float | None


def checked_labels(
    given: LabelsConfig | None, columns: Sequence[Column], grid: Grid, *, zone: str, lateness: int
) -> Labels | None:
    """Check the section; `zone` and `lateness` are those of the events, for what it leaves open.

    Raises
    ------
    ConfigError
        It contradicts itself, or the events have no id that labels could be joined by.
    """
    if given is None:
        return None
    places = [key for key in ("path", "topics") if getattr(given, key) is not None]
    if len(places) != 1:
        raise ConfigError(f"`labels`: wanted one of `path` and `topics`, found {', '.join(places) or 'none'}")
    ident = _id_column(columns)
    time = given.time
    if time is not None:
        _check_time(time, given, grid.axis)
    elif given.topics is not None:
        raise ConfigError(
            "`labels.time`: found none, wanted when a label became known, because a topic has no end: "
            "`record: true` or a `column`"
        )
    horizon = _horizon(given, grid)
    early = horizon if given.early is None else span_of(given.early, grid.axis, "labels.early")
    column = None if time is None else time.column
    return Labels(
        prediction_id=ident.name,
        fields=(
            Column(name=ID, path=given.id or ident.path, kind=Kind.CATEGORICAL, role=Role.ID),
            _label(given, columns),
        ),
        time=None
        if time is None or column is None
        else TimeColumn(path=column, unit=time.format, zone=time.zone or zone),
        record_time=time is not None and time.record,
        known=time is None,
        lateness=lateness
        if given.lateness is None
        else span_of(given.lateness, grid.axis, "labels.lateness"),
        horizon=horizon,
        limits=JoinLimits(
            horizon=-(-horizon // grid.length),
            early=-(-early // grid.length),
            max_rows=-(-given.max_rows // given.shards),
        ),
        shards=given.shards,
        rate=given.rate,
    )


def with_label(columns: Sequence[Column], labels: Labels) -> tuple[Column, ...]:
    """Return the columns that references have: a label among them, a field of its own if none is named."""
    label = labels.fields[1]
    return (*columns, *([] if any(column.name == label.name for column in columns) else [label]))


def joining(given: LabelsConfig | None) -> dict[str, object]:
    """Return the keys that stored state depends on, with their values; none where there is no section."""
    if given is None:
        return {}
    elsewhere = {"path", "topics", "start", "format", "rate"}
    return {key: value for key, value in msgspec.to_builtins(given).items() if key not in elsewhere}


def _id_column(columns: Sequence[Column]) -> Column:
    found = [column for column in columns if column.role is Role.ID]
    if len(found) != 1:
        names = ", ".join(column.name for column in found) or "none"
        raise ConfigError(
            f"`columns`: found {names} with `role: id`, wanted one: labels are joined to predictions by it"
        )
    if found[0].kind is not Kind.CATEGORICAL:
        raise ConfigError(
            f"`columns.{found[0].name}.kind`: found {found[0].kind}, wanted categorical: ids are compared as "
            "texts"
        )
    return found[0]


def _label(given: LabelsConfig, columns: Sequence[Column]) -> Column:
    """Return the field with the label; what is left open follows the columns.

    Its kind is that of the column of labels that references have, or of the prediction; without either it
    names classes.
    """
    own = next((column for column in columns if column.role is Role.LABEL), None)
    path = given.label or (None if own is None else own.path)
    if path is None:
        raise ConfigError("`labels.label`: found none, wanted the field with the label")
    kinds = [own.kind] if own is not None else []
    kinds += [column.kind for column in columns if column.role is Role.PREDICTION]
    return Column(
        name=LABEL if own is None else own.name,
        path=path,
        kind=given.kind or (kinds[0] if kinds else Kind.CATEGORICAL),
        role=Role.LABEL,
    )


def _check_time(time: LabelTimeConfig, given: LabelsConfig, axis: Axis) -> None:
    clocks = [key for key in ("column", "record", "rows") if getattr(time, key)]
    if len(clocks) != 1:
        raise ConfigError(
            "`labels.time`: wanted one of `column`, `record: true` and `rows: true`, found "
            f"{', '.join(clocks) or 'none'}"
        )
    if time.rows != (axis is Axis.ROWS):
        wanted = "`rows: true`, or no `labels.time`" if axis is Axis.ROWS else "`column` or `record: true`"
        raise ConfigError(
            f"`labels.time`: found `{clocks[0]}`, wanted {wanted}: both sides are on one axis, that of `time`"
        )
    if time.record and given.topics is None:
        raise ConfigError(
            "`labels.time.record`: only records of Kafka carry a time of their own; name a `column`"
        )
    if time.zone is not None:
        zone_of(time.zone, "labels.time.zone")


def _horizon(given: LabelsConfig, grid: Grid) -> int:
    if given.horizon is not None:
        return span_of(given.horizon, grid.axis, "labels.horizon")
    if grid.axis is Axis.ROWS:
        return max(window.size for window in grid.windows) * grid.length
    return span_of(HORIZON, grid.axis, "labels.horizon")
