"""What a rule on retraining finds: open episodes it looks at, features that drift, lost performance."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerts.measured import Labelled, lost
from alerts.retrain_rules import RetrainRule, RetrainRules
from alerts.retrain_state import OpenEpisode, RetrainState
from alerts.signals import Kind
from detectors.performance.base import better
from detectors.verdicts import RANK
from state.retrain_data import RetrainLoss

FAULTS = frozenset({Kind.QUALITY, Kind.OPERATIONS})
"""Kinds of violations that tell of faulty data rather than of a changed world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A rule that asks for a request.

    Attributes
    ----------
    episodes
        Those it looks at, the most severe first.
    share
        Share of the features that drift, each by its importance, 0 to 1.
    """

    rule: RetrainRule
    episodes: tuple[OpenEpisode, ...]
    share: float
    losses: tuple[RetrainLoss, ...]


def case_of(rule: RetrainRule, state: RetrainState, rules: RetrainRules) -> Case | None:
    """Hold a rule against what is open; None where not all of its conditions hold."""
    return _case(rule, _looked_at(rule, state, state.open), state, rules)


def without_faults(case: Case, state: RetrainState, rules: RetrainRules) -> Case | None:
    """Leave out what faulty data may have caused; None where the rule does not ask any more.

    A drift may come of an open fault of its column, or of the records as a whole; a loss of performance of
    any fault.
    """
    faulty = {each.feature for each in state.open if each.kind in FAULTS}
    if not faulty:
        return case
    if "" in faulty:
        return None
    clean = [
        each for each in case.episodes if each.kind is not Kind.PERFORMANCE and each.feature not in faulty
    ]
    return _case(case.rule, clean, state, rules)


def fresh_labels(episodes: Iterable[OpenEpisode], state: RetrainState) -> int:
    """Count rows with a label in windows that began no earlier than the first of the episodes.

    Windows of one name may overlap: those that do not are taken, from the oldest on; of several names the
    one with most rows.
    """
    begin = beginning(episodes)
    counts: dict[str, int] = {}
    ends: dict[str, int] = {}
    for each in sorted(state.labelled, key=lambda found: (found.start, found.end)):
        if each.start >= max(begin or each.start, ends.get(each.window, each.start)):
            counts[each.window] = counts.get(each.window, 0) + each.rows
            ends[each.window] = each.end
    return max(counts.values(), default=0)


def beginning(episodes: Iterable[OpenEpisode]) -> int | None:
    """Event time at which the first of the episodes began; None where no one is known."""
    known = [each.opened if each.since is None else each.since for each in episodes]
    return min((at for at in known if at is not None), default=None)


def _looked_at(rule: RetrainRule, state: RetrainState, episodes: Iterable[OpenEpisode]) -> list[OpenEpisode]:
    return [
        each
        for each in episodes
        if each.kind in rule.kinds
        and (not rule.windows or each.window in rule.windows)
        and (each.severity is None or RANK[each.severity] >= RANK[rule.severity])
        and _lasts(each, rule.lasting, state.at)
    ]


def _lasts(episode: OpenEpisode, span: int, at: int | None) -> bool:
    if not span:
        return True
    begin = beginning([episode])
    return begin is not None and at is not None and at - begin >= span


def _case(
    rule: RetrainRule, episodes: list[OpenEpisode], state: RetrainState, rules: RetrainRules
) -> Case | None:
    losses = _losses(rule, state, rules)
    if not episodes or set(rule.loss) - {each.metric for each in losses}:
        return None
    drifting = {each.feature for each in episodes if each.kind is Kind.DRIFT}
    whole = sum(rules.weights.values())
    share = sum(rules.weights.get(name, 0.0) for name in sorted(drifting)) / whole if whole else 0.0
    if rule.share is not None and share < rule.share:
        return None
    ordered = tuple(sorted(episodes, key=lambda each: -RANK[each.severity]))
    return Case(rule=rule, episodes=ordered, share=min(share, 1.0), losses=losses)


def _losses(rule: RetrainRule, state: RetrainState, rules: RetrainRules) -> tuple[RetrainLoss, ...]:
    """Find the metrics that have lost enough, each in the latest window that has enough labels."""
    latest: dict[str, Labelled] = {}
    for each in state.labelled:  # by end
        if each.rows >= rules.min_rows and (not rule.windows or each.window in rule.windows):
            latest[each.window] = each
    found = [
        RetrainLoss(
            metric=figure.name,
            window=each.window,
            value=figure.value,
            expected=figure.expected,
            loss=lost(figure, better(figure.name)),
        )
        for each in latest.values()
        for figure in each.figures
        if figure.name in rule.loss
    ]
    worst: dict[str, RetrainLoss] = {}
    for each_loss in found:
        enough = each_loss.loss >= rule.loss[each_loss.metric]
        known = worst.get(each_loss.metric)
        if enough and (known is None or each_loss.loss > known.loss):
            worst[each_loss.metric] = each_loss
    return tuple(worst[name] for name in rule.loss if name in worst)
