"""Retraining: when to ask that a model be trained again, when not, and whom."""

import re
from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Literal

import msgspec

from alerts.retrain_rules import COMMAND_CHANNEL, Begin, Hours, RetrainRule, RetrainRules
from alerts.signals import Kind as SignalKind
from detectors.performance.base import METRICS
from detectors.verdicts import Severity
from flows.config_values import ConfigError, span_of, zone_of
from flows.sections.base import Name, Positive, Section, Share
from state.columns import Column, Role
from state.durations import Axis

_KEY = "alerts.retraining"
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_METRICS = tuple(dict.fromkeys(name for names in METRICS.values() for name in names))

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""Name of a variable of the environment."""


class RetrainRuleConfig(Section, frozen=True):
    """Conditions of which all must hold at once; at least one episode that fits must be open.

    Attributes
    ----------
    name
        stands in requests and in `explain`
    kinds
        of episodes: `drift`, `prediction`, `performance`
    windows : all
        names of windows whose episodes and metrics it looks at
    severity : any
        `low`, `medium` or `high`: milder drifts are passed over; checks are not graded
    lasting : at once
        a span of event time, such as `2d`: episodes that began later are passed over
    share
        least share of the features that drift, each by its importance, 0 to 1
    loss
        by metric of performance: how much at least it has lost against the reference, in its own unit
    """

    name: Name
    kinds: tuple[Literal["drift", "prediction", "performance"], ...] = ("drift", "performance")
    windows: tuple[Name, ...] = ()
    severity: Severity | None = None
    lasting: str | None = None
    share: Share | None = None
    loss: dict[str, float] = msgspec.field(default_factory=dict)


class RetrainingConfig(Section, frozen=True):
    """Requests to train the model again.

    Attributes
    ----------
    rules
        each with conditions that must all hold; the first that asks is told
    channels
        names of `alerts.channels` that get the request
    command
        a program and its arguments that gets the request as JSON on its standard input; exit code 0: taken
    timeout
        the command is ended after it, and tried again later; no other message is sent meanwhile, so let it
        start long work and end
    env
        variables of the environment that the command gets, beside `PATH`, `HOME`, the locale and the like
    importance : 1 each
        weight of each feature in `share`; features that are not named weigh 0
    at_most_every
        least time between two requests, by the wall clock
    attempts
        most requests for the same episodes
    fresh_labels
        least number of rows with a label since the drift began
    between : at any time
        hours of the day, in `time.zone`, such as `22:00-05:00`
    despite_faults
        ask also where an open violation of data quality or operations may be the cause
    train_on
        where the rows to train on begin: `since` (the drift began), `established` (it was found), or a
        length such as `30d`; they end where event time stands
    """

    rules: tuple[RetrainRuleConfig, ...] = ()
    channels: tuple[Name, ...] = ()
    command: tuple[str, ...] = ()
    timeout: str = "1m"
    env: tuple[Annotated[str, msgspec.Meta(pattern=VARIABLE)], ...] = ()
    importance: dict[str, Annotated[float, msgspec.Meta(ge=0.0)]] = msgspec.field(default_factory=dict)
    at_most_every: str = "1d"
    attempts: Positive = 3
    fresh_labels: Annotated[int, msgspec.Meta(ge=0)] = 0
    between: str | None = None
    despite_faults: bool = False
    train_on: str = "since"


def checked_retraining(
    given: RetrainingConfig | None,
    *,
    model: tuple[str, str],
    columns: Sequence[Column],
    windows: Sequence[str],
    axis: Axis,
    zone: str,
    min_rows: int | None,
    known: Sequence[str],
) -> RetrainRules | None:
    """Check the section.

    Parameters
    ----------
    model
        Its name and its version.
    columns
        What is watched.
    windows
        Names of the configured windows.
    min_rows
        Rows with a label below which a window's metrics say nothing; None where performance is not measured.
    known
        Names of the channels.

    Raises
    ------
    ConfigError
        It contradicts itself, or the rest of the file.
    """
    if given is None or not given.rules:
        return None
    _check_channels(given, known)
    names = [rule.name for rule in given.rules]
    if len(set(names)) < len(names):
        raise ConfigError(f"`{_KEY}.rules`: found a name twice, wanted each once")
    if min_rows is None and (given.fresh_labels or any(rule.loss for rule in given.rules)):
        raise ConfigError(
            f"`{_KEY}`: found `fresh_labels` or `loss`, wanted a section `performance` as well: without it "
            "nothing is known of labels"
        )
    command_timeout_s(given)
    return RetrainRules(
        model=model[0],
        model_version=model[1],
        axis=axis,
        rules=tuple(_rule(rule, windows, axis) for rule in given.rules),
        weights=_weights(given, columns),
        channels=(*given.channels, *([COMMAND_CHANNEL] if given.command else [])),
        despite_faults=given.despite_faults,
        at_most_every_ms=span_of(given.at_most_every, Axis.MILLISECONDS, f"{_KEY}.at_most_every"),
        attempts=given.attempts,
        fresh_labels=given.fresh_labels,
        min_rows=min_rows or 0,
        between=None if given.between is None else _hours(given.between, zone),
        train_on=_begin(given.train_on, axis),
    )


def _check_channels(given: RetrainingConfig, known: Sequence[str]) -> None:
    if not given.channels and not given.command:
        raise ConfigError(f"`{_KEY}`: wanted `channels` or `command`, whom a request is sent to; found none")
    if COMMAND_CHANNEL in known:
        raise ConfigError(
            f"`alerts.channels`: found {COMMAND_CHANNEL!r}, wanted another name: it is that of the command "
            f"of `{_KEY}`"
        )
    for name in given.channels:
        if name not in known:
            raise ConfigError(
                f"`{_KEY}.channels`: found {name!r}, wanted some of {', '.join(known) or 'alerts.channels'}"
            )
    if len(set(given.channels)) < len(given.channels):
        raise ConfigError(f"`{_KEY}.channels`: found a name twice, wanted each once")


def command_timeout_s(given: RetrainingConfig) -> float:
    """Read how long the command may take; raises `ConfigError`."""
    found = span_of(given.timeout, Axis.MILLISECONDS, f"{_KEY}.timeout")
    if not found:
        raise ConfigError(f"`{_KEY}.timeout`: found {given.timeout!r}, wanted a span above 0")
    return found / 1_000


def _rule(given: RetrainRuleConfig, windows: Sequence[str], axis: Axis) -> RetrainRule:
    key = f"{_KEY}.rules.{given.name}"
    for name in given.windows:
        if name not in windows:
            raise ConfigError(f"`{key}.windows`: found {name!r}, wanted some of {', '.join(windows)}")
    for name, least in given.loss.items():
        if name not in _METRICS:
            raise ConfigError(f"`{key}.loss`: found {name!r}, wanted some of {', '.join(_METRICS)}")
        if not (isfinite(least) and least > 0):
            raise ConfigError(f"`{key}.loss.{name}`: found {least}, wanted a number above 0")
    return RetrainRule(
        name=given.name,
        kinds=frozenset(SignalKind(kind) for kind in given.kinds),
        windows=frozenset(given.windows),
        severity=given.severity,
        lasting=0 if given.lasting is None else span_of(given.lasting, axis, f"{key}.lasting"),
        share=given.share,
        loss=given.loss,
    )


def _weights(given: RetrainingConfig, columns: Sequence[Column]) -> dict[str, float]:
    features = [column.name for column in columns if column.role is Role.FEATURE]
    for name in given.importance:
        if name not in features:
            raise ConfigError(f"`{_KEY}.importance`: found {name!r}, wanted some of {', '.join(features)}")
    if given.importance and not sum(given.importance.values()) > 0:
        raise ConfigError(f"`{_KEY}.importance`: found 0 for all, wanted a weight above 0 for some")
    if not given.importance:
        return dict.fromkeys(features, 1.0)
    return {name: given.importance.get(name, 0.0) for name in features}


def _hours(text: str, zone: str) -> Hours:
    found = _HOURS.fullmatch(text.strip())
    if found is None or found[0][:5] == found[0][6:]:
        raise ConfigError(f"`{_KEY}.between`: found {text!r}, wanted hours of the day such as '22:00-05:00'")
    numbers = [int(each) for each in found.groups()]
    return Hours(start=numbers[0] * 60 + numbers[1], end=numbers[2] * 60 + numbers[3], zone=zone_of(zone))


def _begin(text: str, axis: Axis) -> Begin | int:
    if text in set(Begin):
        return Begin(text)
    length = span_of(text, axis, f"{_KEY}.train_on")
    if not length:
        raise ConfigError(f"`{_KEY}.train_on`: found {text!r}, wanted a length above 0")
    return length
