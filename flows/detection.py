"""What a configuration's rule turns into: evidence blocks and their threshold, or a limit of a score."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.base import Detector, Kind
from detectors.registry import DECIDING, UnknownDetectorError, detector
from detectors.sequential.budget import Budget, BudgetError
from detectors.threshold_registry import UnknownThresholdError, threshold
from detectors.thresholds import ThresholdOptionError
from detectors.verdicts import Rule
from flows.config import Config
from flows.config_values import ConfigError, span_of
from flows.sections.detection import DetectionConfig, ScoreLimitConfig
from state.alarms import AlarmRules
from state.blocks import BlockSpec
from state.columns import Column
from state.durations import Axis, format_span
from state.judge import Limited, Watched
from state.reference import Reference

_EVERY = {Axis.MILLISECONDS: "90d", Axis.ROWS: "1000000 rows"}
"""The span of a budget that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The promise of a configuration about false alarms.

    Attributes
    ----------
    period
        Span of event time that the budget is for, as people write it.
    block
        When an evidence block is full.
    risk
        Chance, over the draw of the reference, that its own error is larger than evidence allows for.
    alarms
        How evidence is kept, and its thresholds.
    """

    period: str
    block: BlockSpec
    risk: float
    alarms: AlarmRules


def promise_of(config: Config, *, columns: int | None = None) -> Promise:
    """Turn a configuration's budget into thresholds; a span has at most as many blocks as its length holds.

    Parameters
    ----------
    columns
        Size of the family; None: that of the records.

    Raises
    ------
    ConfigError
        A span of the configuration is none, or the budget is larger than one false alarm per block.
    """
    grid, detection = config.grid, config.file.detection
    given, evidence = detection.budget, detection.evidence
    every = _longer_than_nothing(given.every or _EVERY[grid.axis], grid.axis, "detection.budget.every")
    wanted = grid.length
    if evidence.span is not None:
        wanted = _longer_than_nothing(evidence.span, grid.axis, "detection.evidence.span")
    panes = -(-wanted // grid.length)
    if grid.axis is Axis.ROWS:
        panes = max(panes, -(-evidence.rows // grid.length))
    blocks = -(-every // (panes * grid.length))
    try:
        family = len(config.columns) if columns is None else columns
        budget = Budget(columns=family, blocks=blocks, episodes=given.episodes)
    except BudgetError as error:
        raise ConfigError(f"`detection.budget`: {error}") from error
    period = format_span(every, grid.axis)
    alarms = "alarm" if given.episodes == 1 else "alarms"
    return Promise(
        period=period,
        block=BlockSpec(rows=evidence.rows, panes=panes),
        risk=evidence.risk,
        alarms=AlarmRules(
            recursion=evidence.detector,
            budget=budget,
            source=f"budget: at most {given.episodes:g} false {alarms} in {period}",
        ),
    )


def measured_by(config: Config) -> frozenset[str]:
    """Name the detectors that measure every window: those configured, and those that decide.

    Raises
    ------
    ConfigError
        There is no such detector.
    """
    return measured(config.file.detection)


def measured(detection: DetectionConfig) -> frozenset[str]:
    """Name the detectors that a section measures by.

    Raises
    ------
    ConfigError
        There is no such detector.
    """
    found = {*DECIDING, *(_detector(name, "detection.detectors").name for name in detection.detectors)}
    if detection.rule is Rule.THRESHOLD:
        found |= {given.method for _, given in _limits(detection).values()}
    return frozenset(found)


def watched_of(
    config: Config, references: Sequence[Reference], columns: Sequence[Column] | None = None
) -> Watched | None:
    """Put the rule `threshold` together; None for other rules.

    Parameters
    ----------
    columns
        The family; None: that of the records.

    Raises
    ------
    ConfigError
        There is no such detector or kind, or its options are not right.
    """
    family = config.columns if columns is None else columns
    limited = score_limits(config.file.detection, family)
    if not limited:
        return None
    return Watched(
        columns={column.name: limited[column.kind] for column in family},
        references={
            reference.version: {column.name: reference.feature(column.name).summary for column in family}
            for reference in references
        },
    )


def score_limits(detection: DetectionConfig, columns: Sequence[Column]) -> dict[Kind, Limited]:
    """Put the scores of the rule `threshold` together, by kind of column; empty for other rules.

    Raises
    ------
    ConfigError
        As `watched_of`; also where one does not measure a column.
    """
    if detection.rule is not Rule.THRESHOLD:
        return {}
    limits = _limits(detection)
    limited = {kind: _limited(given, key) for kind, (key, given) in limits.items()}
    for column in columns:
        watched = limited[column.kind].detector
        if column.kind not in watched.kinds:
            raise ConfigError(
                f"`{limits[column.kind][0]}.method`: {watched.name!r} does not measure {column.kind} columns "
                f"such as {column.name!r}; wanted one that does, such as 'psi' or 'js'"
            )
    return limited


def _limits(detection: DetectionConfig) -> dict[Kind, tuple[str, ScoreLimitConfig]]:
    """Limits by kind of column, each under its key; without one of their own categories share the other."""
    given, key = detection.threshold, "detection.threshold"
    categorical = (key, given) if given.categorical is None else (f"{key}.categorical", given.categorical)
    return {Kind.NUMERIC: (key, given), Kind.CATEGORICAL: categorical}


def _limited(given: ScoreLimitConfig, key: str) -> Limited:
    watched = _detector(given.method, f"{key}.method")
    try:
        limit = threshold(given.kind, given.options)
    except UnknownThresholdError as error:
        raise ConfigError(f"`{key}.kind`: {error}") from error
    except ThresholdOptionError as error:
        raise ConfigError(f"`{key}.options`: {error}") from error
    return Limited(detector=watched, threshold=limit)


def _detector(name: str, key: str) -> Detector:
    try:
        return detector(name)
    except UnknownDetectorError as error:
        raise ConfigError(f"`{key}`: {error}") from error


def _longer_than_nothing(text: str, axis: Axis, key: str) -> int:
    span = span_of(text, axis, key)
    if span <= 0:
        raise ConfigError(f"`{key}`: found {text!r}, wanted more than nothing")
    return span
