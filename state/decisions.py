"""From what is known of a column in a window to its verdict, and to words about how it came about."""

from collections.abc import Callable
from dataclasses import dataclass

from detectors.verdicts import Findings, Rule, Rules, Verdict
from state.alarms import Alarm, Alarms
from state.event_data import DecisionData, Instant
from state.scoring import Evidence, Scored

_FALSE_DISCOVERIES = "configuration: detection.false_discovery_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What sequential evidence says of a column when a window closes.

    Attributes
    ----------
    alarm
        One that stands for the window; None where there is none.
    value
        Evidence since the last alarm, as a logarithm to base 10; None where there is nothing yet.
    limit
        What it would have to reach alone, likewise.
    statistic, source
        The recursion's name, and where the limit comes from.
    """

    alarm: Alarm | None
    value: float | None
    limit: float
    statistic: str
    source: str


def hear(alarms: Alarms, values: dict[str, float | None], found: Scored) -> Heard:
    """Ask the alarms about one column in one window; `values` are `Alarms.evidence`."""
    return Heard(
        alarm=alarms.standing(found.feature, found.start, found.end),
        value=values[found.feature],
        limit=alarms.limit,
        statistic=alarms.rules.recursion,
        source=alarms.rules.source,
    )


def decide(
    rules: Rules,
    item: Evidence,
    found: Scored,
    q_value: float | None,
    heard: Heard | None,
    written: Callable[[int], Instant],
) -> tuple[Verdict, DecisionData]:
    """Give one column its verdict in one window.

    Parameters
    ----------
    q_value
        Over the columns of the window; None where the column cannot be judged.
    heard
        None where evidence over time is not kept.
    written
        Writes the start of a pane.
    """
    alarm = None if heard is None else heard.alarm
    watched = None if item.method is None else found.reading(item.method)
    score = None if watched is None else watched.score
    verdict = rules.verdict(
        Findings(
            n=found.n,
            q_value=q_value,
            p_min_effect=found.p_min_effect,
            alarmed=alarm is not None,
            exceeded=score is not None and item.limit is not None and abs(score) > item.limit,
        )
    )
    statistic, value, source = "q_value", q_value, _FALSE_DISCOVERIES
    limit: float | None = rules.false_discovery_rate
    if rules.rule is Rule.EVIDENCE and heard is not None:
        statistic, source = heard.statistic, heard.source
        value, limit = (heard.value, heard.limit) if alarm is None else (alarm.value, alarm.limit)
    elif item.method is not None:
        statistic, value, limit, source = item.method, score, item.limit, item.source
    return verdict, DecisionData(
        rule=rules.rule,
        fired=verdict is Verdict.DRIFT,
        statistic=statistic,
        value=value,
        limit=limit,
        source=source,
        component=None if alarm is None else alarm.component,
        since=None if alarm is None else written(alarm.since),
        p_min_effect=found.p_min_effect,
    )
