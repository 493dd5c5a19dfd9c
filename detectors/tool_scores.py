"""Scores that other tools give two samples, over raw values: what frozen bins cannot repeat.

Each function takes what a tool takes and follows its arithmetic, quirks included; docs/presets.md says which.
Numbers are finite, at least one a side; categories are rows per category, in the same order on both sides,
each of them with a row on one.
"""

from math import isnan, sqrt
from sys import float_info
from warnings import catch_warnings

import msgspec
import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, chisquare, ks_2samp, norm, wasserstein_distance

from detectors.base import FloatArray, IntArray
from detectors.elementary import log

LEVEL = 0.05
"""P-value below which the tools that test call a column drifted."""

_FEW, _PAIR, _KEYS = 5, 2, 20
_SMALL_REFERENCE = 1_000
_BINS = 10


class ToolScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score as a tool gives it.

    Attributes
    ----------
    tool, score
        Whose it is, and what it is called.
    limit
        What the tool holds it against; None where it takes more than two samples to know.
    decides
        Whether the tool decides by it where nothing else is asked for.
    drifted
        What the tool then says; None without a limit.
    """

    tool: str
    score: str
    value: float
    limit: float | None
    decides: bool
    drifted: bool | None


def evidently_numbers(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Score numbers as Evidently 0.7 does: its default choice, then PSI and Jensen-Shannon distance.

    Bins of the last two are Sturges' over both sides, or single values where the reference has up to 20.
    Source: ``evidently/legacy/calculations/stattests``, there `_get_default_stattest` and `get_binned_data`.
    """
    values = np.unique(np.concatenate((before, now)))
    if values.size <= _FEW:
        return evidently_categories(*_counted(before, now, values))
    if before.size <= _SMALL_REFERENCE:
        p_value = _kolmogorov_smirnov(before, now)
        first = _evidently("ks p-value", p_value, LEVEL, drifted=p_value <= LEVEL, decides=True)
    else:
        distance = float(wasserstein_distance(before, now)) / max(float(np.std(before)), 0.001)
        first = _evidently("wasserstein / sd", distance, 0.1, drifted=distance >= 0.1, decides=True)  # noqa: PLR2004
    if np.unique(before).size > _KEYS:
        edges = np.histogram_bin_edges(np.concatenate((before, now)), bins="sturges")
        counts = (np.histogram(before, edges)[0], np.histogram(now, edges)[0])
    else:
        counts = _counted(before, now, values)
    return first, _evidently_psi(*counts), _evidently_js(*counts, decides=False)


def evidently_categories(before: IntArray, now: IntArray) -> tuple[ToolScore, ...]:
    """Score categories as Evidently 0.7 does; with up to 1,000 reference rows by a p-value.

    The chi-square is one of fit, with the reference's shares for expectations; of two categories it is a
    z-test of the share.
    """
    psi = _evidently_psi(before, now)
    if before.sum() > _SMALL_REFERENCE:
        return _evidently_js(before, now, decides=True), psi
    name, p_value = "chi2 p-value", _fit(before, now)
    if before.size <= _PAIR:
        name, p_value = "z p-value", _z_test(before, now)
    first = _evidently(name, p_value, LEVEL, drifted=p_value < LEVEL, decides=True)
    return first, psi, _evidently_js(before, now, decides=False)


def nannyml_numbers(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Score numbers as NannyML 0.13 does: Jensen-Shannon distance in bits over Doane's bins of the reference.

    What lies outside of the bins is one more. Source: ``nannyml/drift/univariate/methods.py``.
    """
    edges = np.histogram_bin_edges(before, bins="doane")
    p, q = (np.histogram(side, edges)[0] / side.size for side in (before, now))
    left = 1 - float(q.sum())
    if left > 0:
        p, q = np.append(p, 0.0), np.append(q, left)
    return (_nannyml(_jensen_shannon(p, q, base=2)),)


def nannyml_categories(before: IntArray, now: IntArray) -> tuple[ToolScore, ...]:
    """Score categories as NannyML 0.13 does: Jensen-Shannon distance in bits."""
    return (_nannyml(_jensen_shannon(before / before.sum(), now / now.sum(), base=2)),)


def frouros_psi(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Score numbers by Frouros' PSI: ten bins of equal width over both sides, empty ones of the least double.

    Source: ``frouros/detectors/data_drift/batch/distance_based``. It has no limit; .1 is the customary one.
    """
    edges = np.histogram_bin_edges(np.concatenate((before, now)), bins=_BINS)
    p, q = (np.histogram(side, edges)[0] / side.size for side in (before, now))
    p, q = (np.where(side == 0, float_info.min, side) for side in (p, q))
    value = float(((q - p) * log(q / p)).sum())
    return (
        ToolScore(tool="Frouros", score="psi", value=value, limit=0.1, decides=True, drifted=value > 0.1),  # noqa: PLR2004
    )


def frouros_numbers(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Test numbers as Frouros does: Kolmogorov-Smirnov by scipy, exact where it can be."""
    return (_tested("Frouros", "ks p-value", _kolmogorov_smirnov(before, now), LEVEL),)


def frouros_categories(before: IntArray, now: IntArray) -> tuple[ToolScore, ...]:
    """Test categories as Frouros does: chi-square of both sides, of two categories with Yates' correction."""
    return (_tested("Frouros", "chi2 p-value", _contingency(before, now), LEVEL),)


def alibi_numbers(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Test numbers as alibi-detect's `KSDrift` does: by its asymptotic law, the level split over columns."""
    p_value = float(ks_2samp(before, now, method="asymp").pvalue)
    return (_tested("alibi-detect", "ks p-value", p_value, LEVEL),)


def alibi_categories(before: IntArray, now: IntArray) -> tuple[ToolScore, ...]:
    """Test categories as alibi-detect's `ChiSquareDrift` does."""
    return (_tested("alibi-detect", "chi2 p-value", _contingency(before, now), LEVEL),)


def deequ_numbers(before: FloatArray, now: FloatArray) -> tuple[ToolScore, ...]:
    """Score numbers by Deequ's robust distance, over exact distribution functions in the place of sketches.

    Source: ``com.amazon.deequ.analyzers.Distance``: the largest difference less ``1.8 sqrt((n + m) / nm)``.
    """
    return (_deequ(float(ks_2samp(before, now, method="asymp").statistic), before.size, now.size),)


def deequ_categories(before: IntArray, now: IntArray) -> tuple[ToolScore, ...]:
    """Score categories likewise: the largest difference of a category's share."""
    n, m = int(before.sum()), int(now.sum())
    return (_deequ(float(np.abs(before / n - now / m).max()), n, m),)


def _jensen_shannon(p: FloatArray, q: FloatArray, base: float | None = None) -> float:
    # Of equal shares scipy may take the root of a number just below 0.
    with np.errstate(invalid="ignore"):
        found = float(jensenshannon(p, q, base))
    return 0.0 if isnan(found) else found


def _kolmogorov_smirnov(before: FloatArray, now: FloatArray) -> float:
    # Where the exact law fails scipy takes the other one, and warns: so do the tools.
    with catch_warnings(action="ignore", category=RuntimeWarning):
        return float(ks_2samp(before, now).pvalue)


def _counted(before: FloatArray, now: FloatArray, values: FloatArray) -> tuple[IntArray, IntArray]:
    first, second = (
        np.bincount(np.searchsorted(values, side), minlength=values.size) for side in (before, now)
    )
    return first, second


def _evidently(score: str, value: float, limit: float, *, drifted: bool, decides: bool) -> ToolScore:
    return ToolScore(
        tool="Evidently", score=score, value=value, limit=limit, decides=decides, drifted=drifted
    )


def _evidently_psi(before: IntArray, now: IntArray) -> ToolScore:
    p, q = (_filled(side / side.sum()) for side in (before, now))
    value = float(((p - q) * log(p / q)).sum())
    return _evidently("psi", value, 0.1, drifted=value >= 0.1, decides=False)  # noqa: PLR2004


def _filled(shares: FloatArray) -> FloatArray:
    """Put .0001 in the place of zeros, or a millionth of the smallest share where that is no larger."""
    smallest = float(shares[shares > 0].min())
    return np.where(shares == 0, smallest / 10**6 if smallest <= 0.0001 else 0.0001, shares)  # noqa: PLR2004


def _evidently_js(before: IntArray, now: IntArray, *, decides: bool) -> ToolScore:
    value = _jensen_shannon(before / before.sum(), now / now.sum())
    return _evidently("jensen-shannon, nats", value, 0.1, drifted=value >= 0.1, decides=decides)  # noqa: PLR2004


def _fit(before: IntArray, now: IntArray) -> float:
    # A category that is new has no expectation: its term is infinite, and p is 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(chisquare(now, before * (now.sum() / before.sum())).pvalue)


def _z_test(before: IntArray, now: IntArray) -> float:
    if before.size == 1:
        return 1.0
    n, m = int(before.sum()), int(now.sum())
    pooled = (before[1] + now[1]) / (n + m)
    z = (before[1] / n - now[1] / m) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return 2 * (1 - float(norm.cdf(abs(z))))


def _contingency(before: IntArray, now: IntArray) -> float:
    return float(chi2_contingency(np.vstack((before, now))).pvalue)


def _tested(tool: str, score: str, p_value: float, level: float) -> ToolScore:
    return ToolScore(
        tool=tool, score=score, value=p_value, limit=level, decides=True, drifted=p_value < level
    )


def _nannyml(value: float) -> ToolScore:
    return ToolScore(
        tool="NannyML", score="jensen-shannon, bits", value=value, limit=None, decides=True, drifted=None
    )


def _deequ(distance: float, n: int, m: int) -> ToolScore:
    value = max(0.0, distance - 1.8 * sqrt((n + m) / (n * m)))
    return ToolScore(
        tool="Deequ",
        score="robust distance",
        value=value,
        limit=0.1,
        decides=True,
        drifted=value > 0.1,  # noqa: PLR2004
    )
