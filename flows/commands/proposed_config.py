"""The configuration that the first records of a user's own file suggest: columns, roles, time and windows."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import yaml

from detectors.base import Kind
from flows.commands.dataset_config import WANTED_ROWS, window_name
from flows.field_samples import FieldSample, Sample
from flows.infer import A_TIME, IDENTIFIES, Inferred, InferredColumn, LeftOut, epoch_scale, infer_columns
from flows.infer import read_numbers as numbers_of
from state.columns import Role, TimeUnit
from state.durations import Axis, format_span

_HOUR = 3_600_000
_SIZES = (_HOUR, 6 * _HOUR, 24 * _HOUR, 7 * 24 * _HOUR, 28 * 24 * _HOUR)
_ROWS = 1_000
_UNITS = {1: TimeUnit.SECONDS, 1_000: TimeUnit.MILLISECONDS, 1_000_000: TimeUnit.MICROSECONDS}


def _ends_in(words: str) -> re.Pattern[str]:
    return re.compile(rf"(^|[^A-Za-z0-9])({words})$", re.IGNORECASE)


_ROLE_NAMES: Mapping[Role, re.Pattern[str]] = {
    Role.LABEL: _ends_in("label|target|y_true|ground_truth|actual"),
    Role.PREDICTION: _ends_in("prediction|predicted|pred|y_pred|y_hat|yhat"),
    Role.SCORE: _ends_in("score|probability|proba|prob|y_score"),
}
_MOST_CLASSES = 20
_ID_NAME = re.compile(rf"{_ends_in('id|uuid|guid').pattern}|(?-i:[a-z]I[dD])$", re.IGNORECASE)
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedColumn:
    """A field as the configuration names it."""

    name: str
    path: str
    kind: Kind
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedTime:
    """Where event time stands, how it is written, and what the records say of it, in milliseconds.

    Attributes
    ----------
    lag
        How far a record lies behind the newest one before it.
    """

    path: str
    unit: TimeUnit
    span: int
    lag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is watched, and why other fields are not."""

    columns: tuple[ProposedColumn, ...]
    time: ProposedTime | None
    records: int
    left_out: tuple[LeftOut, ...]
    missing: tuple[str, ...]


def propose(sample: Sample) -> Proposal:
    """Tell columns, their roles and the time from records; roles go by name, and by what the values may be.

    Each role goes to one field at most: the first.
    """
    found = infer_columns([sample])
    given: dict[Role, str] = {}
    for column in found.columns:
        role = _role(column, sample)
        if role is not Role.FEATURE:
            given.setdefault(role, column.name)
    roles = {name: role for role, name in given.items()}
    columns = [
        ProposedColumn(
            name=column.name,
            path=column.paths[0],
            kind=_kind(column, roles.get(column.name), sample),
            role=roles.get(column.name, Role.FEATURE),
        )
        for column in found.columns
    ]
    time, used = _time(found, sample)
    identity = _identity(found, sample)
    if identity is not None:
        columns.insert(0, identity)
        used.add(identity.name)
    return Proposal(
        columns=tuple(_named(columns)),
        time=time,
        records=sample.records,
        left_out=tuple(item for item in found.left_out if item.name not in used),
        missing=found.missing,
    )


def _role(column: InferredColumn, sample: Sample) -> Role:
    for role, pattern in _ROLE_NAMES.items():
        if pattern.search(column.name):
            values = _values(column, sample)
            # A score is the probability of a class.
            if role is not Role.SCORE or (
                column.kind is Kind.NUMERIC and 0 <= min(values) <= max(values) <= 1
            ):
                return role
    return Role.FEATURE


def _kind(column: InferredColumn, role: Role | None, sample: Sample) -> Kind:
    """Take whole numbers for classes where a label or a prediction has few of them."""
    if column.kind is Kind.NUMERIC and role in {Role.LABEL, Role.PREDICTION}:
        values = set(_values(column, sample))
        if len(values) <= _MOST_CLASSES and all(value == int(value) for value in values):
            return Kind.CATEGORICAL
    return column.kind


def _values(column: InferredColumn, sample: Sample) -> list[float]:
    field = next(field for field in sample.fields.values() if field.path == column.paths[0])
    return _numbers(field, sample)


def _numbers(field: FieldSample, sample: Sample) -> list[float]:
    values = field.values if sample.format.typed else numbers_of(field.values)
    return [float(value) for value in values if isinstance(value, int | float)]


def _time(found: Inferred, sample: Sample) -> tuple[ProposedTime | None, set[str]]:
    """Take the first time whose values can be read."""
    for item in found.left_out:
        if item.reason == A_TIME:
            made = _read_time(sample.fields[item.name], sample)
            if made is not None:
                return made, {item.name}
    return None, set()


def _read_time(field: FieldSample, sample: Sample) -> ProposedTime | None:
    numbers = _numbers(field, sample)
    unit = TimeUnit.ISO
    if not numbers:
        read = (_milliseconds(str(value)) for value in field.values)
        times = [time for time in read if time is not None]
    else:
        scale = epoch_scale(numbers)
        if scale is None:
            return None
        unit, times = _UNITS[scale], [int(value * 1_000 / scale) for value in numbers]
    newest, lag = times[0], 0
    for time in times:
        newest = max(newest, time)
        lag = max(lag, newest - time)
    return ProposedTime(path=field.path, unit=unit, span=max(times) - min(times), lag=lag)


def _milliseconds(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000)


def _identity(found: Inferred, sample: Sample) -> ProposedColumn | None:
    """Take the first field that names the record and is called so."""
    for item in found.left_out:
        if item.reason in IDENTIFIES and _ID_NAME.search(item.name):
            path = sample.fields[item.name].path
            return ProposedColumn(name=item.name, path=path, kind=Kind.CATEGORICAL, role=Role.ID)
    return None


def _named(columns: Sequence[ProposedColumn]) -> Iterator[ProposedColumn]:
    """Give each column a name that events may carry, its own where it is one already."""
    taken = set[str]()
    for column in columns:
        plain = _NO_NAME.sub("_", column.name).lstrip("._-")[:90] or "column"
        name, place = plain, 2
        while name in taken:
            name, place = f"{plain}_{place}", place + 1
        taken.add(name)
        yield replace(column, name=name)


def proposed_text(found: Proposal, *, model: str, path: str) -> str:
    """Write the configuration, with comments that say where one may want to turn.

    Parameters
    ----------
    path
        The input, as it stands in the file.
    """
    lines = [
        f"# Proposed from the first {found.records:,} records: look through it before you rely on it.",
        f"model: {{name: {_plain(_NO_NAME.sub('_', model).lstrip('._-')[:90] or 'model')}}}",
        "",
        "input:",
        f"  path: {_plain(path)}",
        *([f"  missing: [{', '.join(map(json.dumps, found.missing))}]"] if len(found.missing) > 1 else []),
        "",
        *_time_lines(found),
        "",
        "# Roles were told by name; others are latency, status, segment, interval_low and interval_high.",
        "columns:",
        *map(_column_line, found.columns),
        *([""] if found.left_out else []),
        *(f"# Left out: {_plain(item.name)} ({item.reason})" for item in found.left_out),
        "",
        *_performance_lines(found),
        "output: {folder: out}",
        "",
    ]
    return "\n".join(lines)


def _time_lines(found: Proposal) -> Iterator[str]:
    time = found.time
    if time is None:
        yield "# No field looks like a time: the number of the row is event time."
        yield "time: {rows: true}"
        yield ""
        yield f"windows: {{block: {{size: {_ROWS} rows}}}}"
        return
    yield "time:"
    yield f"  column: {_plain(time.path)}"
    if time.unit is not TimeUnit.ISO:
        yield f"  format: {time.unit}"
    yield "  # How far a row may lag behind the newest one before it counts as late."
    yield f"  lateness: {_span(time.lag)}"
    yield ""
    size = _window_size(time, found.records)
    yield f"# The shortest that would hold {WANTED_ROWS} rows, as far as these records tell."
    yield f"windows: {{{window_name(size)}: {{size: {format_span(size, Axis.MILLISECONDS)}}}}}"


def _span(span: int) -> str:
    """Write a span, rounded up to seconds."""
    return format_span(-(-span // 1_000) * 1_000, Axis.MILLISECONDS) if span else "0s"


def _window_size(time: ProposedTime, records: int) -> int:
    per_row = time.span / max(records, 1)
    return next((size for size in _SIZES if size >= WANTED_ROWS * per_row), _SIZES[-1])


def _performance_lines(found: Proposal) -> Iterator[str]:
    roles = {column.role for column in found.columns}
    if Role.LABEL in roles and roles & {Role.PREDICTION, Role.SCORE}:
        yield "# Predictions can be held against the labels beside them:"
        yield "# performance: {}"
        yield ""


def _column_line(column: ProposedColumn) -> str:
    role = "" if column.role is Role.FEATURE else f", role: {column.role}"
    path = "" if column.path == column.name else f", path: {_plain(column.path)}"
    return f"  {_plain(column.name)}: {{kind: {column.kind}{role}{path}}}"


def _plain(text: str) -> str:
    """Write a text so that YAML reads it as this text."""
    simple = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) is not None
    return text if simple and yaml.safe_load(text) == text else json.dumps(text, ensure_ascii=False)
