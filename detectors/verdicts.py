"""From readings to verdicts: the one place where a number becomes "drift", in one direction."""

from dataclasses import dataclass
from enum import StrEnum

from detectors.multiplicity import Correction


class Verdict(StrEnum):
    """What the rules make of one feature in one window."""

    OK = "ok"
    INSUFFICIENT = "insufficient"
    """Too few rows with a value to say anything."""
    SUSPECT = "suspect"
    """Unlikely without drift, but no alarm: too small to matter, or seen in one window only."""
    DRIFT = "drift"


class Severity(StrEnum):
    """How large a drift is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


RANK = {None: -1, Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2}
"""Order of severities; what is not graded is below all of them."""


class Rule(StrEnum):
    """What makes a drift of a feature that is judged."""

    EVIDENCE = "evidence"
    """Sequential evidence under a budget of false alarms, and an effect that matters."""
    WINDOW = "window"
    """The q-value of the window alone, and an effect that matters; nothing is promised over time."""
    THRESHOLD = "threshold"
    """A score above a limit of its own: a constant, or one that follows its history; nothing is promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the rules look at: one feature in one window.

    Attributes
    ----------
    n
        Rows with a value.
    q_value
        Adjusted p-value of the window; None where the feature could not be judged.
    p_min_effect
        P-value of "the PSI is at most `min_effect`"; None where it could not be judged.
    alarmed
        Whether an alarm of the sequential evidence stands.
    exceeded
        Whether the score that has a limit of its own is above it.
    """

    n: int
    q_value: float | None
    p_min_effect: float | None
    alarmed: bool = False
    exceeded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits of the verdicts.

    Attributes
    ----------
    rule
        What makes a drift.
    false_discovery_rate
        Of all features called in a window, the share that may be called wrongly (Benjamini-Hochberg level).
    correction
        How p-values become q-values: another one than Benjamini-Hochberg gives that level another meaning.
    min_rows
        Rows with a value below which a feature is not judged.
    min_effect
        Largest PSI that does not matter; .02 is a shift of the mean by about .14 standard deviations.
    effect_level
        Chance of taking an effect of exactly `min_effect` for one that matters; with 1 every effect matters.
    medium, high
        Debiased PSI from which a drift is of medium and of high severity; .1 and .25 are the customary
        borders of "moderate" and "major" (Siddiqi, Credit Risk Scorecards, 2006).
    drift_share
        Share of the watched columns in drift from which the whole window counts as drifted.
    """

    rule: Rule = Rule.EVIDENCE
    false_discovery_rate: float = 0.05
    correction: Correction = Correction.BENJAMINI_HOCHBERG
    min_rows: int = 50
    min_effect: float = 0.02
    effect_level: float = 0.1
    medium: float = 0.1
    high: float = 0.25
    drift_share: float = 0.5

    def verdict(self, found: Findings) -> Verdict:
        """Judge one feature in one window."""
        if found.n < self.min_rows or found.q_value is None:
            return Verdict.INSUFFICIENT
        unlikely = found.q_value <= self.false_discovery_rate
        matters = found.p_min_effect is not None and found.p_min_effect <= self.effect_level
        drift = {
            Rule.EVIDENCE: matters and found.alarmed,
            Rule.WINDOW: matters and unlikely,
            Rule.THRESHOLD: found.exceeded,
        }[self.rule]
        if drift:
            return Verdict.DRIFT
        return Verdict.SUSPECT if unlikely or found.alarmed else Verdict.OK

    def severity(self, effect: float) -> Severity:
        """Grade a drift by its debiased PSI."""
        if effect >= self.high:
            return Severity.HIGH
        return Severity.MEDIUM if effect >= self.medium else Severity.LOW
