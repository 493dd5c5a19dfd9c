"""What a metric of a model's performance is: its value, its uncertainty, and which way is better."""

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """What a model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Better(StrEnum):
    """Which values of a metric are the better ones."""

    HIGHER = "higher"
    LOWER = "lower"
    NEAR_ZERO = "near_zero"
    """Signed: either side of zero is as bad."""
    NOMINAL = "nominal"
    """Nearer to a level that the model itself claims."""
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure of one window's predictions against their labels.

    Attributes
    ----------
    name
        As scikit-learn calls it where it has it.
    value
        Over the rows of the window; None where the figure does not exist, for example the recall of a class
        that no label has.
    low, high
        Interval of 95 % for the figure over rows like these; None where none is known.
    error
        Standard error, by the binomial law or the delta method; None where none is known.
    bound
        The figure over the raw rows lies in ``[value - bound, value + bound]``; 0: it is that figure.
    n
        Rows that it is made of.
    reason
        Why there is no value; None where there is one.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    bound: float = 0.0
    n: int
    reason: str | None = None


_SHARES = ("accuracy", "balanced_accuracy")
_PER_CLASS = ("precision", "recall", "f1")
_AVERAGES = tuple(f"{each}_{how}" for how in ("macro", "weighted") for each in _PER_CLASS)
_SCORES = ("roc_auc", "log_loss", "brier", "calibration_error")
_RESIDUALS = ("mae", "rmse", "mape", "r2", "bias")
_INTERVALS = ("coverage", "interval_width")

METRICS: dict[Task, tuple[str, ...]] = {
    Task.BINARY: (*_SHARES, *_PER_CLASS, *_AVERAGES, *_SCORES),
    Task.MULTICLASS: (*_SHARES, *_AVERAGES),
    Task.REGRESSION: (*_RESIDUALS, *_INTERVALS),
}
"""Names of the metrics of each task, in the order in which reports give them."""

_BETTER: dict[str, Better] = {
    **dict.fromkeys((*_SHARES, *_PER_CLASS, *_AVERAGES, "roc_auc", "r2"), Better.HIGHER),
    **dict.fromkeys(("log_loss", "brier", "calibration_error", "mae", "rmse", "mape"), Better.LOWER),
    "bias": Better.NEAR_ZERO,
    "coverage": Better.NOMINAL,
    "interval_width": Better.NEITHER,
}


def better(name: str) -> Better:
    """Say which values of a metric are the better ones.

    Examples
    --------
    >>> better("rmse").value
    'lower'
    """
    return _BETTER[name]


def unknown(name: str, n: int, reason: str) -> Metric:
    """Return a metric without a value."""
    return Metric(name=name, value=None, n=n, reason=reason)
