"""From p-values to e-values."""

import numpy as np

from detectors.base import FloatArray
from detectors.elementary import log

EXPONENTS = (0.05, 0.1, 0.2, 0.4, 0.7)
"""Powers of the calibrators in the mixture: small ones pay for tiny p-values, large ones for middling."""

_POWERS = np.array(EXPONENTS) - 1
_LOG_WEIGHTS = log(np.array(EXPONENTS) / len(EXPONENTS))


def calibrated(log_p: FloatArray | float) -> FloatArray:
    """Natural logarithm of the e-value of a p-value: the mean of ``k p^(k - 1)`` over `EXPONENTS`.

    Each ``k p^(k - 1)`` integrates to 1 over [0, 1] and falls with p, so the e-value of a valid p-value has
    an expectation of at most 1. Logarithms, because a p-value of 1e-400 is no double, and its e-value is.

    Parameters
    ----------
    log_p
        Natural logarithms of p-values, finite and at most 0, any shape.

    Returns
    -------
    FloatArray
        Of the same shape.

    References
    ----------
    Vovk & Wang (2021), E-values: calibration, combination and applications, Annals of Statistics 49(3),
    1736-1754.

    Examples
    --------
    >>> calibrated(np.log([1e-6, 0.05, 1.0])).round(2)
    array([ 9.46,  0.55, -1.24])
    """
    terms = np.multiply.outer(np.asarray(log_p, dtype=np.float64), _POWERS) + _LOG_WEIGHTS
    return np.asarray(np.logaddexp.reduce(terms, axis=-1))
