"""What the policy needs of an event: a drift or a fault that begins, gets worse or ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from detectors.verdicts import RANK, Severity
from state.episodes import Change


class Kind(StrEnum):
    """What a signal is about; routes match by it."""

    DRIFT = "drift"
    QUALITY = "quality"
    PREDICTION = "prediction"
    OPERATIONS = "operations"
    PERFORMANCE = "performance"
    REFERENCE = "reference"
    """A model version without a reference."""
    MONITOR = "monitor"
    """driftflow itself: nothing comes, time stands still, too many dead letters, a store that is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Shares of rows over the same groups of bins or categories, for a small picture.

    Attributes
    ----------
    labels
        A name for each group.
    reference, current
        Share of the rows in each group, 0 to 1.
    """

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One change of one episode.

    Attributes
    ----------
    event
        Id of the event it was read from.
    model, model_version
        Whose model.
    kind, change
        What it is about, and what has become of it.
    episode
        The same in all signals of one drift or fault; unique within the model.
    window
        Name of the window specification; empty for the monitor itself.
    feature
        The column; empty for records as a whole.
    segments
        ``column=value`` of the parts of the traffic that explain it most, or that it is confined to.
    severity
        Highest so far; None for what is not graded.
    check
        Name of the check that is violated; empty for a drift.
    start, end
        Of the window: ISO-8601 in UTC, or a row number; None for the monitor itself.
    since
        Where the change began, in the same form.
    told
        One line that says what was found, with its figures, such as ``mean up, PSI 0.412 (limit 0.10)``.
    effect
        Debiased PSI of a drift, or the value of a check; None where there is none.
    bars
        Reference against current; None where there is no histogram.
    """

    event: str
    model: str
    model_version: str
    kind: Kind
    change: Change
    episode: str
    window: str
    feature: str
    segments: tuple[str, ...] = ()
    severity: Severity | None = None
    check: str = ""
    start: str | int | None = None
    end: str | int | None = None
    since: str | int | None = None
    told: str = ""
    effect: float | None = None
    bars: Bars | None = field(default=None, repr=False)


def worst(signals: Iterable[Signal]) -> Severity | None:
    """Return the highest severity; None where nothing is graded."""
    return max((signal.severity for signal in signals), key=RANK.__getitem__, default=None)
