"""What a reference of so many rows leaves possible: limits of shares, means and laws at a stated risk."""

import math

import numpy as np
from scipy.special import betainccinv, betaincinv, lambertw

from detectors.base import FloatArray
from detectors.elementary import dot, exp, geometric, log

_STEPS = geometric(1e-5, 4, 64)
"""Where the dual of `log_mean_limit` is tried, in units of its solution for a small radius or larger."""


def kolmogorov_limit(rows: float, risk: float) -> float:
    """Distance from a sample's distribution function within which the true one lies, but for `risk`.

    For every distribution and every number of rows, ``sqrt(ln(2 / risk) / (2 rows))``.

    References
    ----------
    Massart (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality, Annals of Probability
    18(3), 1269-1283.

    Examples
    --------
    >>> round(kolmogorov_limit(20_000, 0.05), 4)
    0.0096
    """
    return math.sqrt(math.log(2 / risk) / (2 * rows))


def share_limits(counts: FloatArray, risk: float) -> tuple[FloatArray, FloatArray]:
    """Lower and upper limits of the share of each cell, each of them exceeded with at most `risk`.

    Parameters
    ----------
    counts
        Rows per cell, shape ``(cells,)``, at least one row in all. They may be fractions: rows that depend on
        one another count for less.

    Returns
    -------
    tuple[FloatArray, FloatArray]
        Shape ``(cells,)`` each; the lower limit of an empty cell is 0, the upper limit of a full one is 1.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the
    binomial, Biometrika 26(4), 404-413. They hold for cells cut at quantiles of the same rows too: such a
    share follows a beta law between the two (Wilks 1941, Annals of Mathematical Statistics 12(1), 91-96).

    Examples
    --------
    >>> [limits.round(4).tolist() for limits in share_limits(np.array([0.0, 100.0]), 0.05)]
    [[0.0, 0.9705], [0.0295, 1.0]]
    """
    others = counts.sum() - counts
    low = np.where(counts > 0, betaincinv(np.maximum(counts, 1e-9), others + 1, risk), 0.0)
    high = np.where(others > 0, betainccinv(counts + 1, np.maximum(others, 1e-9), risk), 1.0)
    return low, high


def law_radius(rows: float, cells: int, risk: float) -> float:
    """Divergence ``sum p ln(p / P)`` of a sample's shares p from the true ones P that only `risk` exceeds.

    For every law on k cells, the chance of at least r is at most ``exp(-m r) (e m r / (k - 1))^(k - 1)``;
    this is the r where that is the risk.

    References
    ----------
    Agrawal (2020), Finite-sample concentration of the multinomial in relative entropy, IEEE Transactions on
    Information Theory 66(10), 6297-6302.

    Examples
    --------
    >>> round(20_000 * law_radius(20_000, 10, 0.05), 2)
    18.46
    """
    degrees = cells - 1
    if degrees == 0:
        return 0.0
    # -x + 1 + ln x = ln(risk) / degrees, with x = m r / degrees above 1.
    scaled = -lambertw(-math.exp(math.log(risk) / degrees - 1), k=-1).real
    return float(scaled) * degrees / rows


def log_mean_limit(shares: FloatArray, exponents: FloatArray, radius: float) -> FloatArray:
    """Logarithm of the largest mean of ``exp(exponents)`` under laws that the reference does not exclude.

    These are the laws P with ``sum p ln(p / P) <= radius``. For every number g above all values f the mean is
    at most ``g - exp(sum p ln(g - f) - radius)`` by Jensen's inequality, with equality at the best g; the
    smallest of many g is taken, so the limit is never too low.

    With ``radius = ln(1 / risk) / m`` the true mean lies above with a chance of at most `risk` where the bins
    are cut at quantiles of the reference: the true shares then follow Dirichlet's law with the counts as
    parameters, and Chernoff's bound on its gamma variables is this one. The same holds for a value that is
    one of two (Chernoff's bound on the binomial).

    Parameters
    ----------
    shares
        Of the reference, shape ``(bins,)``, with sum 1.
    exponents
        Shape ``(functions, bins)``.
    radius
        Above 0.

    Returns
    -------
    FloatArray
        Shape ``(functions,)``.

    References
    ----------
    Owen (1988), Empirical likelihood ratio confidence intervals for a single functional, Biometrika 75(2),
    237-249. Honda & Takemura (2010), An asymptotically optimal bandit algorithm for bounded support models,
    Conference on Learning Theory (the dual form).
    """
    peaks = exponents.max(axis=1, keepdims=True)
    values = exp(exponents - peaks)
    held = shares > 0
    weights, inside = shares[held], values[:, held]
    means = dot(inside, weights)
    deviations = np.sqrt(np.maximum(dot(inside * inside, weights) - means * means, 0.0))
    # The largest value is 1 once the peak is taken out.
    units = np.maximum(deviations / math.sqrt(2 * radius) + 1 - means, 1e-9)
    above = 1 + np.multiply.outer(units, _STEPS)
    entropies = dot(log(above[:, :, None] - inside[:, None, :]), weights)
    limits = np.maximum((above - exp(entropies - radius)).min(axis=1), means)
    return np.asarray(log(np.minimum(limits, 1.0)) + peaks[:, 0])
