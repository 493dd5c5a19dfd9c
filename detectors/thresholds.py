"""Limits of a score that are given, or learnt from the score's own past or from the reference.

None of them promises how often it is exceeded without drift, as p-values and evidence do; docs/thresholds.md
says when each is better and when worse.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt
from typing import ClassVar, Protocol

import numpy as np

from detectors.base import Detector, DriftflowError, Summary

State = tuple[float, ...]
"""What a threshold remembers of one score of one column: plain numbers, so that any codec can keep them."""

MOST_WINDOWS = 10_000
"""Windows that a history may hold: each is 8 bytes in every snapshot."""

_FEWEST = 2
"""Windows below which a standard deviation does not exist."""


class Exceeding(StrEnum):
    """What a score above its limit does to what is learnt for the limits after it."""

    LEARN = "learn"
    """It counts like any other: a drift that lasts is the new normal soon."""
    CAP = "cap"
    """It counts as the limit that it exceeded: a drift that lasts is told for longer."""
    SKIP = "skip"
    """It does not count: a drift is told for as long as it lasts. Limits are too low by what is left out."""


class ThresholdOptionError(DriftflowError):
    """An option of a threshold has a value that it cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a score is held against.

    Attributes
    ----------
    value
        A score above it counts; None where there is no limit yet, or none at all.
    source
        Where it comes from, or why there is none, in words.
    """

    value: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowScore:
    """A score of one window, and what it was measured against.

    Attributes
    ----------
    score
        At least 0: of a signed score its absolute value.
    n
        Rows of the window that hold a value.
    """

    score: float
    n: int
    detector: Detector
    reference: Summary


class Threshold(Protocol):
    """A limit of one score of one column, window by window; the same windows always give the same limits.

    A built-in or plug-in is a frozen class whose fields are its options, all with a default or keyword-only,
    checked when it is built (`ThresholdOptionError`).
    """

    name: ClassVar[str]

    def start(self) -> State:
        """Return what is known before the first window."""
        ...

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return the limit of a window and what is known after it.

        The limit depends on the windows before alone: the score itself is no part of it.
        """
        ...


class Unit(StrEnum):
    """What a constant is counted in."""

    SCORE = "score"
    """The score's own unit."""
    DEVIATION = "deviation"
    """Standard deviations of the reference, for scores in the column's units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """The same limit for every window, or one that small windows may exceed by more.

    Attributes
    ----------
    value
        At least 0.
    unit
        What `value` is counted in.
    margin
        Times ``sqrt(1 / n + 1 / m)``, added to the limit: what the noise of so many rows is granted.
    """

    name: ClassVar[str] = "constant"
    value: float
    unit: Unit = Unit.SCORE
    margin: float = 0.0

    def __post_init__(self) -> None:
        for name, given in (("value", self.value), ("margin", self.margin)):
            check_option(name, given, wanted="a number of at least 0", fits=given >= 0)

    def start(self) -> State:
        """Return nothing: it remembers nothing."""
        return ()

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return the value, in its unit, and the margin of so many rows."""
        value, source = float(self.value), "given in the configuration"
        if self.unit is Unit.DEVIATION:
            moments = found.reference.moments
            if moments is None:
                return Limit(value=None, source="none: the reference has no standard deviation"), state
            value *= sqrt(max(moments.variance, 0.0))
            source += f", {self.value:g} standard deviations of the reference"
        if self.margin:
            if not found.n or not found.reference.n:
                return Limit(value=None, source="none: a side has no row"), state
            value += self.margin * sqrt(1 / found.n + 1 / found.reference.n)
            source += f", plus {self.margin:g} sqrt(1 / n + 1 / m)"
        return Limit(value=value, source=source), state


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Mean and standard deviation of the scores of the last windows.

    Attributes
    ----------
    windows
        How many windows back it looks.
    sigmas
        Standard deviations above the mean.
    least
        Windows before which there is no limit.
    exceeding
        What a score above its limit does to the limits after it.
    """

    name: ClassVar[str] = "history"
    windows: int = 48
    sigmas: float = 3.0
    least: int = 24
    exceeding: Exceeding = Exceeding.CAP

    def __post_init__(self) -> None:
        fits = _FEWEST <= self.windows <= MOST_WINDOWS
        wanted = f"a whole number from {_FEWEST} to {MOST_WINDOWS:,}"
        check_option("windows", self.windows, wanted=wanted, fits=fits)
        _check_band(self.sigmas, self.least, most=self.windows)

    def start(self) -> State:
        """Return no score."""
        return ()

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return mean plus deviations (with n - 1 degrees of freedom), and the scores with this one."""
        limit = _too_short(len(state), self.least)
        if limit is None:
            scores = np.array(state)
            with np.errstate(over="ignore", invalid="ignore"):
                value = float(scores.mean() + self.sigmas * scores.std(ddof=1))
            source = f"mean + {self.sigmas:g} standard deviations of the {len(state)} windows before"
            limit = _finite(value, source)
        learnt = _learnt(found.score, limit, self.exceeding)
        return limit, state if learnt is None else (*state, learnt)[-self.windows :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ewma:
    """Mean and variance that forget: a window's weight falls with its age.

    The weight of the newest window is 2 / (span + 1), and while there are fewer windows than that means, all
    weigh alike.

    Attributes
    ----------
    span
        Windows that it remembers, about.
    sigmas, least, exceeding
        As those of `History`.

    References
    ----------
    Roberts (1959), Control chart tests based on geometric moving averages, Technometrics 1(3), 239-250.
    Finch (2009), Incremental calculation of weighted mean and variance, University of Cambridge, 9.
    """

    name: ClassVar[str] = "ewma"
    span: float = 48.0
    sigmas: float = 3.0
    least: int = 24
    exceeding: Exceeding = Exceeding.CAP

    def __post_init__(self) -> None:
        wanted = f"a number of windows from {_FEWEST} to {MOST_WINDOWS:,}"
        check_option("span", self.span, wanted=wanted, fits=_FEWEST <= self.span <= MOST_WINDOWS)
        _check_band(self.sigmas, self.least, most=MOST_WINDOWS)

    def start(self) -> State:
        """Return no window, mean 0 and variance 0."""
        return (0.0, 0.0, 0.0)

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return the weighted mean plus deviations, and count, mean and variance with this score."""
        count, mean, variance = state
        limit = _too_short(int(count), self.least)
        if limit is None:
            source = f"weighted mean + {self.sigmas:g} deviations over a span of {self.span:g} windows"
            limit = _finite(mean + self.sigmas * sqrt(variance), source)
        learnt = _learnt(found.score, limit, self.exceeding)
        if learnt is None:
            return limit, state
        weight = max(2 / (self.span + 1), 1 / (count + 1))
        step = learnt - mean
        after = (count + 1, mean + weight * step, (1 - weight) * (variance + weight * step * step))
        # A score too large for a variance would leave no limit for good.
        return limit, after if all(map(isfinite, after)) else state


def exceeds(score: float, limit: Limit) -> bool:
    """Whether a score is above its limit; False where there is none."""
    return limit.value is not None and score > limit.value


def _learnt(score: float, limit: Limit, exceeding: Exceeding) -> float | None:
    if exceeding is Exceeding.LEARN or limit.value is None or score <= limit.value:
        return score
    return limit.value if exceeding is Exceeding.CAP else None


def check_option(name: str, found: float, *, wanted: str, fits: bool) -> None:
    """Refuse an option that does not fit, or is not finite.

    Raises
    ------
    ThresholdOptionError
        With the option, what was found and what is wanted.
    """
    if not fits or not isfinite(found):
        raise ThresholdOptionError(f"`{name}`: found {found!r}, wanted {wanted}")


def _check_band(sigmas: float, least: int, *, most: int) -> None:
    check_option("sigmas", sigmas, wanted="a number above 0", fits=sigmas > 0)
    wanted = f"a whole number from {_FEWEST} to {most:,}"
    check_option("least", least, wanted=wanted, fits=_FEWEST <= least <= most)


def _too_short(windows: int, least: int) -> Limit | None:
    if windows >= least:
        return None
    return Limit(value=None, source=f"none yet: {windows} of {least} windows seen")


def _finite(value: float, source: str) -> Limit:
    if not isfinite(value):
        return Limit(value=None, source="none: the scores before are too large for a standard deviation")
    return Limit(value=value, source=source)
