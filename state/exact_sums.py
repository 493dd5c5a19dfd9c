"""Sums of real numbers that are the same in any order: fixed point, in limbs that int64 counters hold."""

from fractions import Fraction

import numpy as np

from detectors.base import FloatArray, IntArray

LIMBS = 4
"""Counters of one sum."""

BITS = 48
"""Binary places that are kept: each value is rounded to a multiple of 2**-48."""

LARGEST = 2.0**76
"""Values beyond cannot be summed; up to it, 2**28 of them can before a counter would wrap around."""

_LIMB_BITS = 32


def limbs(values: FloatArray) -> IntArray:
    """Write values in fixed point, least limb first; limbs of many values may be added one by one.

    All steps are exact but the rounding itself: scaling by a power of two, cutting to a whole number, and the
    difference of a double and its own leading bits.

    Parameters
    ----------
    values
        Shape ``(rows,)``, finite, at most `LARGEST` in absolute value.

    Returns
    -------
    IntArray
        Shape ``(rows, LIMBS)``; the limbs of a value have its sign.

    Examples
    --------
    >>> exact_sum(limbs(np.array([0.5, -2.0])).sum(axis=0))
    Fraction(-3, 2)
    """
    rest = np.rint(values * 2.0**BITS)
    found = np.empty((len(values), LIMBS), dtype=np.int64)
    for place in range(LIMBS - 1, 0, -1):
        size = 2.0 ** (_LIMB_BITS * place)
        limb = np.trunc(rest / size)
        rest -= limb * size
        found[:, place] = limb
    found[:, 0] = rest
    return found


def exact_sum(counters: IntArray) -> Fraction:
    """Read a sum from its limbs, shape ``(LIMBS,)``."""
    whole = sum(limb << (_LIMB_BITS * place) for place, limb in enumerate(counters.tolist()))
    return Fraction(whole, 1 << BITS)
