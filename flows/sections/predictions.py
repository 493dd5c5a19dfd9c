"""What is watched of predictions: columns that are derived from scores and intervals."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from detectors.base import Kind
from flows.config_values import ConfigError
from flows.sections.base import Name, Section, Share
from state.columns import Column, Role
from state.derived import Band, Certainty, Derivation
from state.intervals import Bounded, Interval

_OFF = {"width": "interval.width", "class": "predicted_class", "validity": "checks"}
"""The key that switches a derived column off, where it is not called like the column."""


class UncertainConfig(Section, frozen=True):
    """Scores from which no decision follows, both ends included.

    Attributes
    ----------
    low
        whether a row is uncertain: its only score within both, or the largest of several at most
        `high`; `uncertain: null` switches it off
    high
        whether a row is uncertain: its only score within both, or the largest of several at most
        `high`; `uncertain: null` switches it off
    min_change
        largest change of their share that does not matter
    """

    low: Share = 0.4
    high: Share = 0.6
    min_change: Share = 0.05


class IntervalConfig(Section, frozen=True):
    """The interval in which the model expects the truth, and how often it means to be right.

    Attributes
    ----------
    nominal
        how often the truth is meant to be inside the interval
    width
        how wide the interval is
    min_change
        largest change of the share of wider, or of narrower, intervals that does not matter
    """

    nominal: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.9
    width: bool = True
    min_change: Share = 0.1


class BoundsConfig(Section, frozen=True):
    """The values that a column may have, both ends included; null: no bound on that side.

    Attributes
    ----------
    low
        smallest and largest value that a numeric column may have; a score with a class has 0 and 1
    high
        smallest and largest value that a numeric column may have; a score with a class has 0 and 1
    """

    low: float | None = None
    high: float | None = None


class PredictionsConfig(Section, frozen=True):
    """What is derived from scores that name their `class`, and from intervals; null: where it says more.

    Attributes
    ----------
    confidence
        the largest probability of a row
    entropy : `true` with three classes or more
        entropy of its probabilities, from 0 (sure) to 1 (all alike); of two classes it says what the
        confidence says
    margin
        how far the largest probability is above the second
    predicted_class : `true` with two scores or more and no column of role `prediction`
        the class of the largest probability
    tolerance
        how far the sum of all probabilities may be from 1 before they are none
    checks
        [checks](predictions.md#checks) of every window: the uncertain share, rows that are no
        predictions, widths
    min_invalid
        largest share of rows that are no predictions that does not matter
    """

    confidence: bool = True
    entropy: bool | None = None
    margin: bool = False
    predicted_class: bool | None = None
    uncertain: UncertainConfig | None = UncertainConfig()
    tolerance: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.01
    interval: IntervalConfig = IntervalConfig()
    bounds: dict[Name, BoundsConfig] = msgspec.field(default_factory=dict)
    checks: bool = True
    min_invalid: Share = 0.001


def derivations_of(fields: Sequence[Column], given: PredictionsConfig) -> tuple[Derivation, ...]:
    """Turn roles into what is computed of each row.

    Raises
    ------
    ConfigError
        A class is given to what is no probability or twice, an interval has one end, or a name is taken.
    """
    found: tuple[Derivation, ...] = (
        *_certainty(fields, given),
        *_interval(fields, given),
        *_bounded(fields, given),
    )
    taken = {field.name for field in fields}
    for column in (column for each in found for column in each.columns):
        if column.name in taken:
            measure = column.name.rpartition(".")[2]
            raise ConfigError(
                f"`columns.{column.name}`: the name is that of a derived column ({column.formula}); choose "
                f"another, or switch the derived one off by `predictions.{_OFF.get(measure, measure)}`"
            )
        taken.add(column.name)
    return found


def _certainty(fields: Sequence[Column], given: PredictionsConfig) -> tuple[Certainty, ...]:
    scores = [field for field in fields if field.class_name is not None]
    for score in scores:
        if score.role is not Role.SCORE or score.kind is not Kind.NUMERIC:
            raise ConfigError(
                f"`columns.{score.name}.class`: found {score.class_name!r} on a {score.kind} column of role "
                f"{score.role}, wanted a numeric one of role score: the probability of that class"
            )
    classes = [field.class_name for field in scores if field.class_name is not None]
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise ConfigError(f"`columns`: found two scores of the class {twice!r}, wanted one for each class")
    band = given.uncertain
    if band is not None and band.low > band.high:
        raise ConfigError(
            f"`predictions.uncertain.low`: found {band.low}, wanted at most `predictions.uncertain.high` "
            f"({band.high})"
        )
    if given.predicted_class and len(scores) < 2:  # noqa: PLR2004  # classes
        raise ConfigError(
            f"`predictions.predicted_class`: wanted the scores of two classes or more, found {len(scores)}"
        )
    if not scores:
        return ()
    several = len(scores) > 1
    decided = any(field.role is Role.PREDICTION for field in fields)
    found = Certainty(
        name="scores" if several else scores[0].name,
        scores=tuple(score.name for score in scores),
        classes=tuple(classes),
        tolerance=given.tolerance,
        confidence=given.confidence,
        # Of two classes it is a function of the confidence.
        entropy=len(scores) > 2 if given.entropy is None else given.entropy,  # noqa: PLR2004  # classes
        margin=given.margin,
        predicted=several and not decided if given.predicted_class is None else given.predicted_class,
        band=None if band is None else Band(low=band.low, high=band.high, min_change=band.min_change),
        checked=given.checks,
        min_invalid=given.min_invalid,
    )
    return (found,) if found.columns else ()


def _interval(fields: Sequence[Column], given: PredictionsConfig) -> tuple[Interval, ...]:
    lows = [field for field in fields if field.role is Role.INTERVAL_LOW]
    highs = [field for field in fields if field.role is Role.INTERVAL_HIGH]
    if not lows and not highs:
        return ()
    if (len(lows), len(highs)) != (1, 1):
        raise ConfigError(
            f"`columns`: found {len(lows)} of role interval_low and {len(highs)} of role interval_high, "
            "wanted one of each"
        )
    for end in (*lows, *highs):
        if end.kind is not Kind.NUMERIC:
            raise ConfigError(f"`columns.{end.name}.kind`: found {end.kind}, wanted numeric: role {end.role}")
    found = Interval(
        low=lows[0].name,
        high=highs[0].name,
        width=given.interval.width,
        checked=given.checks,
        min_change=given.interval.min_change,
        min_invalid=given.min_invalid,
    )
    return (found,) if found.columns else ()


def _bounded(fields: Sequence[Column], given: PredictionsConfig) -> tuple[Bounded, ...]:
    known = {field.name: field for field in fields}
    for name, bounds in given.bounds.items():
        path, field = f"predictions.bounds.{name}", known.get(name)
        if field is None or field.kind is not Kind.NUMERIC:
            raise ConfigError(f"`{path}`: wanted one of the numeric columns, found none of that name")
        if field.class_name is not None:
            raise ConfigError(f"`{path}`: a score with a class is within 0 and 1; wanted none for it")
        if bounds.low is None and bounds.high is None:
            raise ConfigError(f"`{path}`: wanted `low`, `high` or both, found neither")
        if bounds.low is not None and bounds.high is not None and bounds.low > bounds.high:
            raise ConfigError(f"`{path}.low`: found {bounds.low}, wanted at most `high` ({bounds.high})")
    if not given.checks:
        return ()
    return tuple(
        Bounded(source=name, low=bounds.low, high=bounds.high, min_invalid=given.min_invalid)
        for name, bounds in given.bounds.items()
    )
