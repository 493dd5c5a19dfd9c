"""What detectors take and give, and the root of all errors.

Errors are defined beside the code that raises them, and all descend from `DriftflowError`, so that the
command line can tell a user's mistake or a broken input from a bug.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # It is made of the types below.
    from detectors.calibration import Calibration

IntArray = NDArray[np.int64]
"""Whole numbers: counts, group indices, times in milliseconds."""

FloatArray = NDArray[np.float64]
"""Real numbers."""


class DriftflowError(Exception):
    """Root of all errors that driftflow raises on purpose; the message says what to do next."""


class IncompatibleSummaryError(DriftflowError):
    """Two summaries are not over the same bins, so no distance between them means anything."""


class Kind(StrEnum):
    """What a column holds."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class Status(StrEnum):
    """Whether a reading could be taken."""

    OK = "ok"
    INSUFFICIENT = "insufficient"
    """A side has too few rows for the figure to mean anything."""
    UNAVAILABLE = "unavailable"
    """The figure does not exist here, for example because the reference does not vary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """First moments and extremes of a numeric column, in its own units.

    Attributes
    ----------
    bin_sums
        Sum of the values in each bin, shape ``(bins,)``.
    mean, variance
        Of all values; the variance is the biased one (divided by n).
    minimum, maximum
        Smallest and largest finite value.
    """

    bin_sums: FloatArray
    mean: float
    variance: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One column of one window (or of the reference) over bins frozen by the reference.

    Attributes
    ----------
    kind
        Numeric bins are ordered, categories are not.
    counts
        Rows per bin or category, shape ``(bins,)``; missing and non-finite values are not in it.
    groups
        Coarse group of each bin, shape ``(bins,)``, values ``0..k-1``: divergences and chi-square work on
        these, because on the fine bins their noise grows with the number of bins.
    continuous
        Numeric, and no value holds so much of the reference that the law of the grid KS would be wrong.
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing; a bin is ``(low, high]``.
        None for categories.
    moments
        None for categories, for an empty side, and where a sum could have overflowed.
    calibration
        What is known of the scatter of the reference's rows; None on windows, and where nothing is.
    """

    kind: Kind
    counts: IntArray
    groups: IntArray
    continuous: bool
    edges: FloatArray | None = None
    moments: Moments | None = None
    calibration: "Calibration | None" = None
    n: int = field(init=False, compare=False, repr=False)
    """Rows that hold a value; added up once, because every detector asks for it several times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", int(self.counts.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far one window is from its reference by one detector; it never says "drift": the rules do.

    Attributes
    ----------
    method
        Name of the detector.
    score
        Larger is further; signed only where the detector says so. None unless `status` is OK.
    p_value
        Chance of a score at least this large without drift; None where the detector has no valid null law.
    bound
        The figure over the raw rows lies in ``[score, score + bound]``; None where no such bound is known.
    debiased
        The score less its expectation without drift, at least 0; None where that is not known.
    effect_low, effect_high
        Interval that holds the true figure, of which `debiased` is the estimate, in 90 % of windows, 5 % on
        either side; None where none is known.
    n_effective
        Rows of the window less what autocorrelation takes from them: as many independent rows would say as
        much. None unless `status` is OK.
    reason
        Why there is no score, or no p-value; None where both are there.
    """

    method: str
    status: Status
    score: float | None
    p_value: float | None = None
    bound: float | None = None
    debiased: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    n_effective: float | None = None
    reason: str | None = None
    n_reference: int
    n_current: int


class Detector(Protocol):
    """One way to measure how far a window is from its reference."""

    name: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    has_p_value: ClassVar[bool]

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure; never raises for data, only for summaries over different bins.

        Raises
        ------
        IncompatibleSummaryError
            The two sides have different kinds or numbers of bins.
        """
        ...

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Score that a share `level` of windows of `n` rows exceeds without drift; a pure function.

        Parameters
        ----------
        n
            Rows with a value in the window, at least 1.
        level
            Between 0 and 1, exclusive.

        Returns
        -------
        float | None
            At least 0; of a signed score the limit of its absolute value. None where the law of the score
            without drift is not known.
        """
        ...
