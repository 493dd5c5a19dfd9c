"""Performance: what predictions are held against, and how much worse they may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from detectors.base import Kind
from detectors.checks import Given
from detectors.performance.base import METRICS, Task
from detectors.threshold_registry import threshold
from detectors.thresholds import Threshold, ThresholdOptionError
from flows.config_values import ConfigError
from flows.sections.base import Positive, Section
from state.columns import Column, Role
from state.errors import PredictionError
from state.outcome_fields import OutcomeFields
from state.outcome_layout import OutcomeSpec
from state.performance import Drop, PerformanceRules

_NAMES = tuple(dict.fromkeys(name for names in METRICS.values() for name in names))


class MetricLimits(Section, frozen=True):
    """Limits of one metric that hold as they are.

    Attributes
    ----------
    min
        limits of a metric that hold as they are, in place of a test
    max
        limits of a metric that hold as they are, in place of a test
    """

    min: float | None = None
    max: float | None = None


class AdaptiveConfig(Section, frozen=True):
    """A limit that is learnt from the windows before.

    Attributes
    ----------
    kind
        how: by the mean and the scatter of the last windows, or by an exponentially weighted mean
    options : those of the kind
        such as `{windows: 48, sigmas: 3}`; [thresholds](thresholds.md) has them
    """

    kind: Literal["history", "ewma"] = "history"
    options: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)


class PerformanceConfig(Section, frozen=True):
    """What labels say of predictions: metrics of every window, and when they are degraded.

    Attributes
    ----------
    task : from the columns
        `binary`, `multiclass` or `regression`
    classes : those of the reference's rows
        names of the classes, 2 to 100
    positive : the class of the only score; `1`, `true`, `yes`, `y`
        the positive one of two classes
    threshold
        score from which on a row is predicted positive, where no column of role `prediction` says it
    metrics : accuracy, f1, roc_auc; accuracy, f1_macro; mae, rmse, coverage
        metrics that are checked, as far as there is something to compare them with; all are measured
    level
        chance that a window without a change is degraded, over all of its checks
    min_rows
        labelled rows below which a window says nothing
    max_drop : `0.02`; `10%` of log_loss, brier, mae, rmse, mape and bias
        by metric: how much worse does not matter, as it stands or in per cent of the reference's
        value
    adaptive
        [a limit that is learnt](performance.md#when-performance-is-degraded) from the windows before, in
        place of a test
    errors
        whether the error of each prediction is [a watched column](performance.md#errors-as-a-column)
    baseline_metrics : the reference's own
        values to compare with by metric, or a JSON or YAML file with them
    """

    task: Task | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5
    metrics: tuple[str, ...] | None = None
    level: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 1e-3
    min_rows: Positive = 100
    max_drop: dict[str, float | str] = msgspec.field(default_factory=dict)
    limits: dict[str, MetricLimits] = msgspec.field(default_factory=dict)
    adaptive: AdaptiveConfig | None = None
    errors: bool = True
    baseline_metrics: str | dict[str, float] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What is measured, what it is held against, and the column of errors where there is one."""

    spec: OutcomeSpec
    rules: PerformanceRules
    errors: tuple[PredictionError, ...] = ()

    @property
    def given(self) -> list[list[str | float]]:
        """Values that were given to compare with, wherever they stood: they can change a decision."""
        return [[name, value] for name, value in sorted(self.rules.baseline.items())]


def checked_performance(
    given: PerformanceConfig | None,
    columns: Sequence[Column],
    label: Column | None,
    *,
    nominal: float,
    folder: Path,
) -> Performance | None:
    """Check the section.

    Parameters
    ----------
    columns
        Fields of the events, and columns that are derived from them.
    label
        Where labels come from elsewhere: the column of their records. None: the events bring them.
    nominal
        How often the truth is meant to be inside an interval.
    folder
        Where a relative path of `baseline_metrics` starts.

    Raises
    ------
    ConfigError
        It contradicts itself, or the columns lack what it needs.
    """
    if given is None:
        return None
    positive = given.positive or _named_positive(columns)
    fields = _fields(columns, label, positive)
    spec = OutcomeSpec(
        fields=fields,
        task=given.task,
        classes=given.classes,
        positive=positive,
        threshold=given.threshold,
    )
    _check_positive(given)
    for key, names in (
        ("metrics", given.metrics or ()),
        ("max_drop", given.max_drop),
        ("limits", given.limits),
    ):
        _check_names(f"performance.{key}", names, given.task)
    return Performance(
        spec=spec,
        errors=_errors(given, fields, columns) if given.errors else (),
        rules=PerformanceRules(
            metrics=given.metrics or (),
            level=given.level,
            min_rows=given.min_rows,
            drops={name: _drop(name, value) for name, value in given.max_drop.items()},
            limits={name: _limits(name, each) for name, each in given.limits.items()},
            baseline=_baseline(given, folder),
            nominal=nominal if fields.intervals else None,
            threshold=None if given.adaptive is None else _threshold(given.adaptive),
        ),
    )


def _errors(
    given: PerformanceConfig, fields: OutcomeFields, columns: Sequence[Column]
) -> tuple[PredictionError, ...]:
    """Return what makes the column of errors; the prediction stands in the record."""
    prediction = fields.prediction
    if prediction is None or prediction.formula is not None:
        return ()
    both = {prediction.kind, fields.label.kind} == {Kind.NUMERIC}
    numbers = both and fields.score is None if given.task is None else given.task is Task.REGRESSION
    found = PredictionError(prediction=prediction, label=fields.label, numbers=numbers)
    for made in found.columns:
        if any(column.name == made.name for column in columns):
            raise ConfigError(
                f"`columns.{made.name}`: the name is that of the column of errors ({made.formula}); choose "
                "another, or switch that one off by `performance.errors`"
            )
    return (found,)


def _named_positive(columns: Sequence[Column]) -> str | None:
    """Return the class of the only score, where it names one."""
    scores = [column for column in columns if column.role is Role.SCORE and column.formula is None]
    return scores[0].class_name if len(scores) == 1 else None


def _fields(columns: Sequence[Column], label: Column | None, positive: str | None) -> OutcomeFields:
    """Find the columns by their roles; of several scores that of the positive class, if any."""
    found = {role: [column for column in columns if column.role is role] for role in Role}
    # What is derived of a score is none itself.
    found[Role.SCORE] = [score for score in found[Role.SCORE] if score.formula is None]
    if len(found[Role.SCORE]) > 1:
        found[Role.SCORE] = [
            column for column in found[Role.SCORE] if column.class_name == positive and positive is not None
        ]
    for role in (Role.PREDICTION, Role.SCORE, Role.LABEL, Role.INTERVAL_LOW, Role.INTERVAL_HIGH):
        if len(found[role]) > 1:
            names = ", ".join(column.name for column in found[role])
            raise ConfigError(f"`performance`: found {names} with `role: {role}`, wanted one")
    one = {role: next(iter(some), None) for role, some in found.items()}
    truth = label or one[Role.LABEL]
    if truth is None:
        raise ConfigError("`performance`: found no labels, wanted a column of `role: label`, or `labels`")
    if one[Role.PREDICTION] is None and one[Role.SCORE] is None:
        raise ConfigError("`performance`: wanted a column of `role: prediction` or `role: score`, found none")
    score = one[Role.SCORE]
    if score is not None and score.kind is not Kind.NUMERIC:
        raise ConfigError(f"`columns.{score.name}.kind`: found {score.kind}, wanted numeric: it is a score")
    return OutcomeFields(
        prediction=one[Role.PREDICTION],
        score=score,
        label=truth,
        low=one[Role.INTERVAL_LOW],
        high=one[Role.INTERVAL_HIGH],
    )


def _check_positive(given: PerformanceConfig) -> None:
    if given.positive is not None and given.classes and given.positive not in given.classes:
        raise ConfigError(
            f"`performance.positive`: found {given.positive!r}, wanted one of `performance.classes`"
        )
    if len(set(given.classes)) < len(given.classes):
        raise ConfigError("`performance.classes`: found a class twice, wanted each once")


def _check_names(key: str, names: Mapping[str, object] | Sequence[str], task: Task | None) -> None:
    known = _NAMES if task is None else METRICS[task]
    for name in names:
        if name not in known:
            raise ConfigError(f"`{key}`: found {name!r}, wanted one of {', '.join(known)}")


def _threshold(given: AdaptiveConfig) -> Threshold:
    try:
        return threshold(given.kind, given.options)
    except ThresholdOptionError as error:
        raise ConfigError(f"`performance.adaptive.options`: {error}") from error


def _drop(name: str, value: float | str) -> Drop:
    text = str(value)
    relative = text.endswith("%")
    try:
        size = float(text.removesuffix("%")) / (100 if relative else 1)
    except ValueError:
        size = float("nan")
    if not (isfinite(size) and size >= 0):
        raise ConfigError(
            f"`performance.max_drop.{name}`: found {value!r}, wanted a number of at least 0, or one with %"
        )
    return Drop(size, relative)


def _limits(name: str, given: MetricLimits) -> Given:
    if given.min is None and given.max is None:
        raise ConfigError(f"`performance.limits.{name}`: wanted `min`, `max` or both, found none")
    if given.min is not None and given.max is not None and given.min > given.max:
        raise ConfigError(
            f"`performance.limits.{name}`: found min {given.min} above max {given.max}, wanted it below"
        )
    return Given(lower=given.min, upper=given.max)


def _baseline(given: PerformanceConfig, folder: Path) -> dict[str, float]:
    """Read values to compare with: as they stand in the configuration, or in a file of JSON or YAML."""
    key, found = "performance.baseline_metrics", given.baseline_metrics
    if isinstance(found, str):
        path = folder / found
        key = f"{key} ({path.name})"
        try:
            found = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), dict[str, float])
        except OSError as error:
            raise ConfigError(f"`{key}`: cannot read {path}: {error.strerror}") from error
        except (UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
            raise ConfigError(f"`{key}`: wanted numbers by the names of metrics: {error}") from error
    _check_names(key, found, given.task)
    for name, value in found.items():
        if not isfinite(value):
            raise ConfigError(f"`{key}`: found {value} for {name}, wanted a finite number")
    return found
