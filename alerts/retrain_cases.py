"""What a rule on retraining finds: open episodes it looks at, features that drift, lost performance."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from alerts.measured import Labelled, lost
from alerts.retrain_rules import RetrainRule, RetrainRules
from alerts.retrain_state import OpenEpisode, RetrainState
from alerts.signals import Kind
from detectors.performance.base import better
from detectors.verdicts import RANK
from state.durations import Axis, format_span
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
    return _case(rule, looked_at(rule, state, rules), state, rules)


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


def passed_over(rule: RetrainRule, episode: OpenEpisode, at: int | None, axis: Axis) -> str | None:
    """Say why a rule does not look at an open episode; None where it does. `at` is event time so far."""
    if episode.kind not in rule.kinds:
        return f"kind is {episode.kind}, wanted {', '.join(sorted(rule.kinds))}"
    if rule.windows and episode.window not in rule.windows:
        return f"window is {episode.window}, wanted {', '.join(sorted(rule.windows))}"
    if episode.severity is not None and RANK[episode.severity] < RANK[rule.severity]:
        return f"severity is {episode.severity}, wanted {rule.severity} at least"
    if rule.lasting and not _lasts(episode, rule.lasting, at):
        return f"it does not last for {format_span(rule.lasting, axis)} yet"
    return None


def lacking(
    rule: RetrainRule, episodes: Collection[OpenEpisode], state: RetrainState, rules: RetrainRules
) -> str | None:
    """Say which condition of a rule does not hold for the episodes it looks at; None where all do."""
    if not episodes:
        return "it looks at no open episode"
    kept = sorted(set(rule.loss) - {each.metric for each in _losses(rule, state, rules)})
    if kept:
        return f"{', '.join(kept)} has not lost as much as it wants"
    share = _share(episodes, rules)
    if rule.share is not None and share < rule.share:
        return f"{share:.0%} of the features drift, by importance, wanted {rule.share:.0%}"
    return None


def looked_at(rule: RetrainRule, state: RetrainState, rules: RetrainRules) -> list[OpenEpisode]:
    """Return the open episodes that a rule looks at."""
    return [each for each in state.open if passed_over(rule, each, state.at, rules.axis) is None]


def _lasts(episode: OpenEpisode, span: int, at: int | None) -> bool:
    begin = beginning([episode])
    return begin is not None and at is not None and at - begin >= span


def _case(
    rule: RetrainRule, episodes: list[OpenEpisode], state: RetrainState, rules: RetrainRules
) -> Case | None:
    if lacking(rule, episodes, state, rules) is not None:
        return None
    return Case(
        rule=rule,
        episodes=tuple(sorted(episodes, key=lambda each: -RANK[each.severity])),
        share=min(_share(episodes, rules), 1.0),
        losses=_losses(rule, state, rules),
    )


def _share(episodes: Iterable[OpenEpisode], rules: RetrainRules) -> float:
    drifting = {each.feature for each in episodes if each.kind is Kind.DRIFT}
    whole = sum(rules.weights.values())
    return sum(rules.weights.get(name, 0.0) for name in sorted(drifting)) / whole if whole else 0.0


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
