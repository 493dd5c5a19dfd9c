"""Signals, reports and rules for tests of retraining."""

from dataclasses import replace
from typing import Any

from alerts.measured import Figure, Labelled, Measured
from alerts.retrain_rules import RetrainRule, RetrainRules
from alerts.signals import Kind, Signal
from detectors.verdicts import Severity
from state.durations import Axis
from state.episodes import Change
from state.event_data import instant

DAY = 86_400_000
START = 1_772_323_200_000
"""2026-03-01T00:00Z."""


def day(number: float) -> str:
    return str(instant(START + round(number * DAY), Axis.MILLISECONDS))


def a_signal(feature: str = "income", *, ends: float = 1.0, **changed: Any) -> Signal:  # noqa: ANN401 - any field of it
    plain = Signal(
        event=f"{feature}@{ends}",
        model="credit",
        model_version="7",
        kind=Kind.DRIFT,
        change=Change.OPENED,
        episode=feature,
        window="daily",
        feature=feature,
        severity=Severity.MEDIUM,
        start=day(ends - 1),
        end=day(ends),
        since=day(ends - 1),
        told="mean up",
    )
    return replace(plain, **changed)


def a_report(ends: float, *, reference: str = "3bd4") -> Measured:
    return Measured(at=START + round(ends * DAY), reference=reference)


def labels(
    ends: float, rows: int, *, auc: float = 0.75, revision: int = 1, window: str = "daily", size: float = 1.0
) -> Measured:
    end = START + round(ends * DAY)
    return Measured(
        at=end,
        reference="3bd4",
        labelled=Labelled(
            window=window,
            start=end - round(size * DAY),
            end=end,
            revision=revision,
            rows=rows,
            figures=(Figure(name="roc_auc", value=auc, expected=0.75, n=rows),),
        ),
    )


def the_rules(*rules: RetrainRule, **changed: Any) -> RetrainRules:  # noqa: ANN401 - any field of them
    plain = RetrainRules(
        model="credit",
        model_version="7",
        axis=Axis.MILLISECONDS,
        rules=rules or (RetrainRule(name="any"),),
        weights={"income": 1.0, "age": 1.0, "city": 2.0},
        channels=("trainer",),
        at_most_every_ms=DAY,
    )
    return replace(plain, **changed)
