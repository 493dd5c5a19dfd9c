"""From readings to verdicts: the one place where a number becomes "drift", in one direction."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the rules make of one feature in one window."""

    OK = "ok"
    INSUFFICIENT = "insufficient"
    """Too few rows with a value to say anything."""
    SUSPECT = "suspect"
    """Unlikely without drift, but smaller than what was declared to matter."""
    DRIFT = "drift"


class Severity(StrEnum):
    """How large a drift is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits of the verdicts.

    Attributes
    ----------
    false_discovery_rate
        Of all features called in a window, the share that may be called wrongly (Benjamini-Hochberg level).
    min_rows
        Rows with a value below which a feature is not judged.
    min_effect
        Smallest debiased PSI that matters; .02 is a shift of the mean by about .14 standard deviations.
    medium, high
        Debiased PSI from which a drift is of medium and of high severity; .1 and .25 are the customary
        borders of "moderate" and "major" (Siddiqi, Credit Risk Scorecards, 2006).
    drift_share
        Share of the watched columns in drift from which the whole window counts as drifted.
    """

    false_discovery_rate: float = 0.05
    min_rows: int = 50
    min_effect: float = 0.02
    medium: float = 0.1
    high: float = 0.25
    drift_share: float = 0.5

    def verdict(self, *, n: int, q_value: float | None, effect: float | None) -> Verdict:
        """Judge one feature by its rows, its q-value within the window, and its debiased PSI."""
        if n < self.min_rows or q_value is None or effect is None:
            return Verdict.INSUFFICIENT
        if q_value > self.false_discovery_rate:
            return Verdict.OK
        return Verdict.DRIFT if effect >= self.min_effect else Verdict.SUSPECT

    def severity(self, effect: float) -> Severity:
        """Grade a drift by its debiased PSI."""
        if effect >= self.high:
            return Severity.HIGH
        return Severity.MEDIUM if effect >= self.medium else Severity.LOW
