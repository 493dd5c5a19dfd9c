"""Why an episode makes rules ask for a model to be trained again, or does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.retrain_cases import case_of, lacking, looked_at, passed_over
from alerts.retrain_guards import objections
from alerts.retrain_rules import RetrainRules
from alerts.retrain_state import OpenEpisode, Requested, RetrainState


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """What one rule says of an open episode.

    Attributes
    ----------
    refusal
        Why it does not ask because of this episode; None where it does.
    against
        What guards have against the request that it asks for; nothing: it is made, by the first such rule.
    """

    rule: str
    refusal: str | None
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """An episode as retraining sees it; `requests` are those that named it, the latest last."""

    is_open: bool
    rules: tuple[RuleAnswer, ...]
    requests: tuple[Requested, ...]


def retraining_of(episode: str, rules: RetrainRules, state: RetrainState, now_ms: int) -> Retraining:
    """Ask each rule about an episode; `now_ms` by the wall clock."""
    found = next((each for each in state.open if each.id == episode), None)
    answers = () if found is None else tuple(_answers(found, rules, state, now_ms))
    requests = tuple(each for each in state.requests if episode in each.episodes)
    return Retraining(is_open=found is not None, rules=answers, requests=requests)


def _answers(
    episode: OpenEpisode, rules: RetrainRules, state: RetrainState, now_ms: int
) -> Iterator[RuleAnswer]:
    for rule in rules.rules:
        refusal = passed_over(rule, episode, state.at, rules.axis) or lacking(
            rule, looked_at(rule, state, rules), state, rules
        )
        case = case_of(rule, state, rules)
        against = [] if refusal or case is None else objections(case, state, now_ms, rules)
        yield RuleAnswer(rule=rule.name, refusal=refusal, against=tuple(words for _, words in against))
