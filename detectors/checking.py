"""Makes checks: of shares by exact tests, of figures with errors, and of values beside given limits."""

from dataclasses import replace
from math import floor, inf, isfinite, sqrt

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from detectors.checks import (
    Check,
    CheckStatus,
    Counted,
    Direction,
    Estimate,
    Family,
    Given,
    Sensitivity,
    status_of,
)
from detectors.effects import ONE_SIDED
from detectors.shares import largest_likely, largest_likely_at_rate, tail_above, tail_above_rate, wilson


def check_share(
    name: str,
    family: Family,
    current: Counted,
    reference: Counted,
    sensitivity: Sensitivity,
    *,
    direction: Direction = Direction.UP,
    clump: float = 1.0,
    detail: str = "",
) -> Check:
    """Hold a share against the reference's, by the sampling error of both sides.

    A violation is a share whose chance is at most the level (`detectors.shares.tail_above`, exact; half of
    it on either side for both directions) and that differs by more than matters. On the other side of the
    reference than the one that is looked at, the p-value is 1.

    Parameters
    ----------
    clump
        Variance of a share over that of independent rows, at least 1: as if rows came in clumps of so many.
    """
    value, expected = current.share, reference.share
    status, p_value, ends = CheckStatus.INSUFFICIENT, None, None
    lower = upper = None
    if min(current.n, reference.n) >= max(sensitivity.min_rows, 1):
        lower, upper, p_value = _limits(current, reference, sensitivity, direction, clump)
        ends = wilson(current.count / clump, current.n / clump)
        outside = (upper is not None and value > upper) or (lower is not None and value < lower)
        shift = {Direction.UP: value - expected, Direction.DOWN: expected - value}
        excess = shift.get(direction, abs(value - expected))
        status = status_of(excess, outside=outside, p_value=p_value, min_excess=sensitivity.min_excess)
    return Check(
        name=name,
        family=family,
        status=status,
        value=value if current.n else None,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        reference=expected if reference.n else None,
        lower=lower,
        upper=upper,
        source=f"reference: {expected:.4g} of {reference.n} rows",
        p_value=p_value,
        level=sensitivity.level,
        n=current.n,
        detail=detail,
    )


def check_rate(
    name: str,
    family: Family,
    current: Counted,
    allowed: float,
    sensitivity: Sensitivity,
    *,
    clump: float = 1.0,
    source: str = "configuration",
    detail: str = "",
) -> Check:
    """Hold a share against one that is allowed, by the sampling error of the window: the binomial tail.

    Parameters
    ----------
    allowed
        Largest share that is no fault, from 0 to 1; what counts is whether the window's true share is above.
    """
    share, upper, p_value, ends = current.share, None, None, None
    status = CheckStatus.INSUFFICIENT
    if current.n >= max(sensitivity.min_rows, 1):
        most = largest_likely_at_rate(current.n, allowed, clump=clump, level=sensitivity.level)
        upper = max(most / current.n, allowed + sensitivity.min_excess)
        p_value = tail_above_rate(current.count / clump, current.n / clump, allowed)
        ends = wilson(current.count / clump, current.n / clump)
        status = status_of(
            share - allowed,
            outside=share > upper,
            p_value=p_value,
            min_excess=sensitivity.min_excess,
        )
    return Check(
        name=name,
        family=family,
        status=status,
        value=share if current.n else None,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        reference=allowed,
        upper=upper,
        source=source,
        p_value=p_value,
        level=sensitivity.level,
        n=current.n,
        detail=detail,
    )


def check_estimate(
    name: str,
    family: Family,
    current: Estimate,
    reference: Estimate,
    sensitivity: Sensitivity,
    *,
    direction: Direction = Direction.BOTH,
    source: str = "reference",
    detail: str = "",
) -> Check:
    """Hold a figure with an error against an expected one with its own, as if both were normal.

    The difference over the root of the summed squared errors; by Student's law with the smaller degrees of
    freedom of the two sides, which is on the careful side of Welch's, and by the normal law where neither
    has any. A window's count against its mean over m windows of deviation s is
    ``Estimate(mean, s sqrt(1 + 1 / m), m, degrees=m - 1)`` beside an error of 0: a prediction interval.
    """
    found = Check(
        name=name,
        family=family,
        status=CheckStatus.INSUFFICIENT,
        value=current.value if isfinite(current.value) else None,
        reference=reference.value if isfinite(reference.value) else None,
        source=source,
        level=sensitivity.level,
        n=current.n,
        detail=detail,
    )
    error = sqrt(current.error**2 + reference.error**2)
    if not (isfinite(current.value) and isfinite(reference.value) and isfinite(error)):
        return found
    if current.n < sensitivity.min_rows:
        return found
    known = [each.degrees for each in (current, reference) if each.degrees is not None]
    degrees = min(known, default=None)
    sides = 2 if direction is Direction.BOTH else 1
    reach = max(error * _quantile(sensitivity.level / sides, degrees), sensitivity.min_excess)
    shift = current.value - reference.value
    away = {Direction.UP: shift, Direction.DOWN: -shift, Direction.BOTH: abs(shift)}[direction]
    chance = min(1.0, sides * _chance(away / error if error else (inf if away > 0 else -inf), degrees))
    lower = None if direction is Direction.UP else reference.value - reach
    upper = None if direction is Direction.DOWN else reference.value + reach
    outside = (upper is not None and current.value > upper) or (lower is not None and current.value < lower)
    return replace(
        found,
        status=status_of(away, outside=outside, p_value=chance, min_excess=sensitivity.min_excess),
        low=current.value - ONE_SIDED * current.error,
        high=current.value + ONE_SIDED * current.error,
        lower=lower,
        upper=upper,
        p_value=chance,
    )


def check_given(
    name: str,
    family: Family,
    value: float | None,
    n: int,
    given: Given,
    *,
    min_rows: int = 1,
    interval: tuple[float, float] | None = None,
    reference: float | None = None,
    detail: str = "",
) -> Check:
    """Hold a value against limits that were given, as it is: nothing is promised about chance."""
    status = CheckStatus.INSUFFICIENT
    if value is not None and n >= min_rows:
        above = given.upper is not None and value > given.upper
        below = given.lower is not None and value < given.lower
        status = CheckStatus.VIOLATED if above or below else CheckStatus.OK
    return Check(
        name=name,
        family=family,
        status=status,
        value=value,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        reference=reference,
        lower=given.lower,
        upper=given.upper,
        source=given.source,
        n=n,
        detail=detail,
    )


def _limits(
    current: Counted, reference: Counted, sensitivity: Sensitivity, direction: Direction, clump: float
) -> tuple[float | None, float | None, float]:
    """Return the smallest and the largest share that is no violation, and the chance of this one."""
    sides = 2 if direction is Direction.BOTH else 1
    level, least = sensitivity.level / sides, sensitivity.min_excess
    lower = upper = None
    p_value = 1.0
    if direction is not Direction.DOWN:
        most = _most_likely(current, reference, least, clump, level)
        upper = max(reference.share + least, most / current.n)
        p_value = _p_above(current, reference, clump)
    if direction is not Direction.UP:
        most = _most_likely(current.rest, reference.rest, least, clump, level)
        lower = min(reference.share - least, (current.n - most) / current.n)
        p_value = min(p_value, _p_above(current.rest, reference.rest, clump))
    return lower, upper, min(1.0, sides * p_value)


def _p_above(current: Counted, reference: Counted, clump: float) -> float:
    """Chance of so large a share; 1 where it is not above the reference's, which saves the sum."""
    if current.count * reference.n <= reference.count * current.n:
        return 1.0
    return tail_above(current.count / clump, current.n / clump, reference.count / clump, reference.n / clump)


def _most_likely(current: Counted, reference: Counted, min_excess: float, clump: float, level: float) -> int:
    """Largest count that is no violation, or the one below those that differ by more than matters."""
    start = floor(current.n * (reference.share + min_excess)) + 1
    if start > current.n:
        return current.n
    return largest_likely(current.n, reference.count, reference.n, clump=clump, level=level, start=start)


def _quantile(level: float, degrees: float | None) -> float:
    return float(-ndtri(level) if degrees is None else -stdtrit(degrees, level))


def _chance(deviations: float, degrees: float | None) -> float:
    return float(ndtr(-deviations) if degrees is None else stdtr(degrees, -deviations))
