"""Scores of many windows at once on coarse groups, for the simulation of their laws."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.elementary import log, log2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatistic:
    """A score on coarse groups that does not depend on their order.

    Attributes
    ----------
    scores
        Of reference counts, shape ``(groups,)``, and of many windows, shape ``(windows, groups)``.
    scale
        What the score grows with, see `detectors.nulls.NullTable`.
    factor
        Of the score (of its square where the scale is a root) over the PSI, to the first order; None where it
        is no divergence, so that its law has no closed form.
    """

    scores: Callable[[IntArray, IntArray], FloatArray]
    scale: str
    factor: float | None


def psi_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """PSI of many windows, see `detectors.divergences.psi`; shapes as in `GroupStatistic`."""
    p, q = _with_half_a_row(reference, windows)
    return _row_sums((q - p) * log(q / p))


def kullback_leibler_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Kullback-Leibler divergence of many windows from the reference; shapes as in `GroupStatistic`."""
    p, q = _with_half_a_row(reference, windows)
    return np.maximum(_row_sums(q * log(q / p)), 0.0)


def jensen_shannon_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Jensen-Shannon distance in bits of many windows; shapes as in `GroupStatistic`."""
    p, q = _shares(reference, windows)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * log2(p / middle), 0.0) + np.where(q > 0, q * log2(q / middle), 0.0)
    return np.asarray(np.sqrt(np.clip(terms.sum(axis=1) / 2, 0.0, 1.0)), dtype=np.float64)


def hellinger_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Hellinger distance of many windows; shapes as in `GroupStatistic`."""
    p, q = _shares(reference, windows)
    return np.sqrt(np.minimum(_row_sums(np.square(np.sqrt(q) - np.sqrt(p))) / 2, 1.0))


def total_variation_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Total variation of many windows; shapes as in `GroupStatistic`."""
    p, q = _shares(reference, windows)
    return _row_sums(np.abs(q - p)) / 2


def largest_difference_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Largest difference of a share of many windows; shapes as in `GroupStatistic`."""
    p, q = _shares(reference, windows)
    return np.asarray(np.abs(q - p).max(axis=1), dtype=np.float64)


GROUP_STATISTICS: Mapping[str, GroupStatistic] = MappingProxyType(
    {
        "psi": GroupStatistic(scores=psi_scores, scale="v", factor=1.0),
        "js": GroupStatistic(scores=jensen_shannon_scores, scale="sqrt v", factor=0.125 / math.log(2)),
        "kl": GroupStatistic(scores=kullback_leibler_scores, scale="v", factor=0.5),
        "hellinger": GroupStatistic(scores=hellinger_scores, scale="sqrt v", factor=0.125),
        "tv": GroupStatistic(scores=total_variation_scores, scale="sqrt v", factor=None),
        "linf": GroupStatistic(scores=largest_difference_scores, scale="sqrt v", factor=None),
    }
)
"""Statistics with a law of their own, by the detector's name; one more is one line."""


def _with_half_a_row(reference: IntArray, windows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Shares with half a row added to each group; groups that are empty on both sides have equal ones."""
    held = windows + reference > 0
    added = 0.5 * held.sum(axis=1, keepdims=True)
    p = (reference + 0.5) / (reference.sum() + added)
    q = (windows + 0.5) / (windows.sum(axis=1, keepdims=True) + added)
    return np.where(held, p, 1.0), np.where(held, q, 1.0)


def _shares(reference: IntArray, windows: IntArray) -> tuple[FloatArray, FloatArray]:
    p = np.broadcast_to(reference / reference.sum(), windows.shape)
    return p, windows / windows.sum(axis=1, keepdims=True)


def _row_sums(terms: FloatArray) -> FloatArray:
    return np.asarray(terms.sum(axis=1), dtype=np.float64)
