"""When a model shall be trained again, and when not: rules and guards as values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.signals import Kind
from detectors.verdicts import Severity
from state.durations import Axis

COMMAND_CHANNEL = "retraining"
"""Name of the channel that starts the command of `alerts.retraining`."""


class Guard(StrEnum):
    """Why a request that a rule asks for is not made."""

    DATA_QUALITY = "data_quality"
    """The cause is faulty data: training on it would teach the model the fault."""
    TOO_SOON = "at_most_every"
    ATTEMPTS = "attempts"
    """It was asked for these episodes so often already."""
    LABELS = "fresh_labels"
    SPAN = "train_on"
    """There are no rows yet in the span to train on."""
    HOURS = "between"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRule:
    """Conditions of which all must hold at once.

    Attributes
    ----------
    kinds, windows
        Which open episodes it looks at; no windows: those of all.
    severity
        Drifts below it are passed over; checks are not graded.
    lasting
        Episodes that began less than this span of event time ago are passed over, in the unit of the axis.
    share
        Least share of the features that drift, each by its importance, 0 to 1; None: not asked.
    loss
        By metric of performance, how much at least it must have lost, in its own unit.
    """

    name: str
    kinds: frozenset[Kind] = frozenset({Kind.DRIFT, Kind.PERFORMANCE})
    windows: frozenset[str] = frozenset()
    severity: Severity | None = None
    lasting: int = 0
    share: float | None = None
    loss: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of the day, `start` to before `end`, minutes after midnight of a zone; they may span midnight."""

    start: int
    end: int
    zone: ZoneInfo

    def hold(self, now_ms: int) -> bool:
        """Whether a moment is within them."""
        local = datetime.fromtimestamp(now_ms / 1000, self.zone)
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def __str__(self) -> str:
        """Write them as the configuration has them."""
        return "-".join(f"{at // 60:02d}:{at % 60:02d}" for at in (self.start, self.end))


class Begin(StrEnum):
    """Where the span to train on begins, where it is not a length."""

    SINCE = "since"
    """Where the first of the episodes began."""
    ESTABLISHED = "established"
    """Where the first of the episodes was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRules:
    """All that decides on requests of one model.

    Attributes
    ----------
    model, model_version, axis
        Whose, and what its event time counts.
    rules
        The first that asks is the one that is told.
    weights
        Importance of each feature; what is not in it is no feature.
    despite_faults
        Also where the cause may be faulty data.
    at_most_every_ms
        Least time between two requests, milliseconds of the wall clock.
    attempts
        Most requests for the same episodes.
    fresh_labels
        Least number of rows with a label since the first of the episodes began.
    min_rows
        Rows with a label below which a window's metrics say nothing.
    train_on
        Where the span to train on begins; a number is its length, in the unit of the axis.
    """

    model: str
    model_version: str
    axis: Axis
    rules: tuple[RetrainRule, ...]
    weights: dict[str, float]
    channels: tuple[str, ...]
    despite_faults: bool = False
    at_most_every_ms: int
    attempts: int = 3
    fresh_labels: int = 0
    min_rows: int = 100
    between: Hours | None = None
    train_on: Begin | int = Begin.SINCE
