"""Reading the configuration: environment, checks, and clear words where something is wrong."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from alerts.retrain_rules import RetrainRules
from alerts.rules import AlertRules
from alerts.watches import MonitorRules
from detectors.checks import Given
from detectors.verdicts import Rules
from flows.config_grid import checked_grid
from flows.config_hints import hint
from flows.config_text import filled, parse_text, read_text
from flows.config_topics import check_topics
from flows.config_values import ConfigError
from flows.presets import with_preset
from flows.schema import ColumnConfig, FileConfig
from flows.sections.alerts import alert_rules
from flows.sections.detection import checked_rules
from flows.sections.labels import Labels, checked_labels, joining, with_label
from flows.sections.monitor import checked_monitor
from flows.sections.operations import operation_rules
from flows.sections.output import checked_keeping
from flows.sections.performance import Performance, checked_performance
from flows.sections.predictions import derivations_of
from flows.sections.quality import check_quality, record_limits
from flows.sections.retraining import checked_retraining
from flows.sections.segments import segment_spec
from flows.sections.service import service_rates
from flows.sections.transforms import transform_of
from flows.time_bounds import TimeBounds, time_bounds
from state.codec import fingerprint_of
from state.columns import FORMULA, Column, Role, TimeColumn, formula_path
from state.derived import Derivation
from state.durations import Axis
from state.errors import PredictionError
from state.grid import Grid
from state.operations import OperationRules
from state.segments import SegmentSpec
from state.stores.base import Keeping


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration that was checked.

    Attributes
    ----------
    file
        What the file says, environment and preset filled in.
    folder
        Where relative paths start.
    fields
        What is read of every event, in the order of the file.
    reference_fields
        What is read of every record of a reference: it may have labels that events have not yet.
    derivations
        What is computed of each record's fields.
    time
        None where event time is the row's number.
    performance
        How predictions are held against labels; None: they are not.
    segments
        Fields by whose values everything is counted apart as well.
    labels
        Labels that come from elsewhere and are joined; None where there are none.
    operations
        What latencies and statuses are held against; None: nothing.
    record_limits
        Limits that are given for checks of whole records, by their name.
    alerts
        Who is told what, and when.
    retraining
        When to ask that the model be trained again; None: never.
    monitor
        When driftflow itself is not well.
    keeping
        How much the store keeps.
    """

    file: FileConfig
    folder: Path
    fields: tuple[Column, ...]
    reference_fields: tuple[Column, ...]
    derivations: tuple[Derivation, ...]
    time: TimeColumn | None
    bounds: TimeBounds
    grid: Grid
    rules: Rules
    segments: SegmentSpec
    performance: Performance | None
    labels: Labels | None
    operations: OperationRules | None
    record_limits: dict[str, Given]
    alerts: AlertRules
    retraining: RetrainRules | None
    monitor: MonitorRules
    keeping: Keeping

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is watched, in the order of the file, derived columns behind its fields: the family."""
        return tuple(column for column in (*self.fields, *self._derived) if column.watched)

    @property
    def tracks(self) -> tuple[Column, ...]:
        """What is counted: the family, and behind it the derived columns that are checked only."""
        return (*self.columns, *(column for column in self._derived if not column.watched))

    @property
    def late_errors(self) -> tuple[PredictionError, ...]:
        """What makes the column of errors where labels come later: of references, and of joined rows."""
        return () if self.performance is None or self.labels is None else self.performance.errors

    @property
    def _derived(self) -> tuple[Column, ...]:
        return tuple(column for derivation in self.derivations for column in derivation.columns)

    @property
    def watches_records(self) -> bool:
        """Whether records are a track of their own beside the columns."""
        operations = self.operations
        return self.file.quality.enabled or (operations is not None and operations.status is not None)

    @property
    def output(self) -> Path:
        """The folder of the results."""
        return self.folder / self.file.output.folder

    @property
    def store(self) -> Path | str:
        """The SQLite file with references, events and series, or the URL of a Redis."""
        named = self.file.output.store
        return named if "://" in named else self.output / named

    @property
    def input(self) -> Path | None:
        """The file or folder of events, None where they are generated."""
        return None if self.file.input.path is None else self.folder / self.file.input.path

    @property
    def label_bounds(self) -> TimeBounds:
        """What the times of labels must lie in: they may be later than those of events, by any span."""
        bounds = replace(self.bounds, latest=None)
        return bounds if self.labels is None else replace(bounds, lateness=self.labels.lateness)

    @property
    def decision_fingerprint(self) -> bytes:
        """Hash of the keys that can change a decision about one window, beside the window itself."""
        file = msgspec.to_builtins(self.file)
        keys = ("columns", "time", "detection", "quality")
        derived = [[column.name, column.path] for column in self._derived]
        decisive = [*(file[key] for key in keys), file["input"]["missing"]]
        decisive += [derived, file["predictions"]] if derived else []
        # Without performance, and without what is derived, ids are those of releases that knew neither.
        decisive += [] if self.performance is None else [file["performance"], self.performance.given]
        decisive += [] if self.operations is None else [file["operations"]]
        return fingerprint_of(decisive)

    def state_fingerprint(self, reference_version: str) -> bytes:
        """Hash of everything that stored state depends on; windows and columns are kept by their number."""
        file = msgspec.to_builtins(self.file)
        ordered = [list(file["windows"].items()), list(file["columns"])]
        parts = [file["model"], ordered, self.decision_fingerprint.hex(), reference_version]
        # Without segments or labels the state of releases that knew none goes on.
        added: list[object] = [list(self.segments.columns)] if self.segments.columns else []
        added += [] if self.labels is None else [joining(self.file.labels)]
        added += ["records"] if self.watches_records else []
        return fingerprint_of([*parts, *added])


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises
    ------
    ConfigError
        The file cannot be read, or says something it may not.
    """
    text = read_text(path)
    return parse_config(text, folder=path.resolve().parent, name=str(path))


def parse_config(text: str, *, folder: Path, name: str = "configuration") -> Config:
    """Check a configuration; `folder` is where its relative paths start, `name` what errors call it."""
    plain = parse_text(text, name)
    try:
        return _checked(msgspec.convert(with_preset(filled(plain, "$")), FileConfig), folder)
    except (msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"{name}: {error}{hint(str(error))}") from error


def _checked(file: FileConfig, folder: Path) -> Config:
    _check_choices(file)
    check_topics(file)
    axis = Axis.ROWS if file.time.rows else Axis.MILLISECONDS
    bounds = time_bounds(file.time, axis)
    time = file.time
    rules = checked_rules(file.detection)
    fields = _fields(file)
    derivations = derivations_of(fields, file.predictions)
    derived = [column for derivation in derivations for column in derivation.columns]
    grid = checked_grid(file, axis)
    labels = checked_labels(file.labels, fields, grid, zone=time.zone, lateness=bounds.lateness)
    performance = checked_performance(
        file.performance,
        [*fields, *derived],
        None if labels is None else labels.fields[1],
        nominal=file.predictions.interval.nominal,
        folder=folder,
    )
    errors = () if performance is None or labels is not None else performance.errors
    of_errors = [column for made in errors for column in made.columns]
    service_rates(file.service)
    check_quality(file.quality, [*(field for field in fields if field.role.watched), *derived, *of_errors])
    return Config(
        file=file,
        folder=folder,
        fields=fields if labels is None else tuple(f for f in fields if f.role is not Role.LABEL),
        reference_fields=fields if labels is None else with_label(fields, labels),
        derivations=(*derivations, *errors),
        time=None if time.column is None else TimeColumn(path=time.column, unit=time.format, zone=time.zone),
        bounds=bounds,
        grid=grid,
        rules=rules,
        segments=segment_spec(file.segments, fields),
        performance=performance,
        labels=labels,
        operations=operation_rules(file.operations, fields, min_rows=file.detection.min_rows),
        record_limits=record_limits(file.quality),
        alerts=alert_rules(file.alerts, model=file.model.name, windows=tuple(file.windows)),
        retraining=_retraining(file, [*fields, *derived], axis),
        monitor=checked_monitor(file.alerts.monitor, model=(file.model.name, file.model.version)),
        keeping=checked_keeping(file.output, axis),
    )


def _fields(file: FileConfig) -> tuple[Column, ...]:
    for name, column in file.columns.items():
        if column.path is not None and column.path.startswith(FORMULA):
            raise ConfigError(
                f"`columns.{name}.path`: found {column.path!r}, wanted a field: formulas are derived columns'"
            )
    return tuple(_field(name, column) for name, column in file.columns.items())


def _field(name: str, column: ColumnConfig) -> Column:
    path, transform = column.path or name, None
    if column.transform is not msgspec.UNSET:
        if column.role is not Role.FEATURE:
            raise ConfigError(f"`columns.{name}.transform`: wanted for role feature, found {column.role}")
        transform = transform_of(column.transform, f"columns.{name}.transform", path=path, kind=column.kind)
        path = formula_path(transform.formula)
    return Column(
        name=name,
        path=path,
        kind=column.kind,
        role=column.role,
        class_name=None if column.class_name is msgspec.UNSET else column.class_name,
        transform=transform,
    )


def _check_choices(file: FileConfig) -> None:
    given = [key for key in ("path", "topics", "generate") if getattr(file.input, key) is not None]
    if len(given) != 1:
        raise ConfigError(
            f"`input`: wanted one of `path`, `topics` and `generate`, found {', '.join(given) or 'none'}"
        )
    clocks = [key for key in ("column", "rows", "record") if getattr(file.time, key)]
    if len(clocks) != 1:
        raise ConfigError(
            "`time`: wanted one of `column`, `rows: true` and `record: true`, found "
            f"{', '.join(clocks) or 'none'}"
        )
    if file.time.record and file.input.topics is None:
        raise ConfigError("`time.record`: only records of Kafka carry a time of their own; name a `column`")
    if not any(column.role.watched for column in file.columns.values()):
        raise ConfigError("`columns`: wanted at least one column to watch, found none")
    if not file.windows:
        raise ConfigError("`windows`: wanted at least one, found none; for example `hourly: {size: 1h}`")
    if file.time.rows:
        for key in ("origin", "lateness", "earliest", "latest"):
            if getattr(file.time, key) is not None:
                raise ConfigError(f"`time.{key}`: has no meaning with `time.rows: true`; remove one of them")


def _retraining(file: FileConfig, columns: list[Column], axis: Axis) -> RetrainRules | None:
    return checked_retraining(
        file.alerts.retraining,
        model=(file.model.name, file.model.version),
        columns=columns,
        windows=tuple(file.windows),
        axis=axis,
        zone=file.time.zone,
        min_rows=None if file.performance is None else file.performance.min_rows,
        known=tuple(file.alerts.channels),
    )
