"""Which part of the traffic a drift is in: the distance of each segment, and what each adds to the whole.

With a_s and b_s the shares of segment s in the reference and in the window, P_s and Q_s its distributions
over the groups of a column, and w_g = ln(q_g / p_g) for the whole, the PSI of the whole is sum_g (q_g - p_g)
w_g, and

    b_s Q_s - a_s P_s = (a_s + b_s) / 2 (Q_s - P_s)  +  (b_s - a_s) (P_s + Q_s) / 2 .

Weighted with w and added up, the first terms are what happened within segments and the second what a change
of the traffic did; together they are the PSI (Kitagawa's decomposition of a difference between two rates,
group by group). Since the b_s - a_s add up to 0, the second terms are taken about their mean over segments,
so that a segment counts where it has grown *and* is unlike the others.

References
----------
Kitagawa (1955), Components of a difference between two rates, Journal of the American Statistical Association
50, 1168-1194. Kish (1965), Survey Sampling, 8.2 (rows that a weighted sample is worth).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detectors.base import FloatArray, IntArray, Summary
from detectors.coarse import chi_square_ratios, divergence_inflation, inflation
from detectors.divergence_rows import HALF_A_ROW, BoolArray, DivergenceRows, psi_rows
from detectors.elementary import log
from detectors.scatter import Statistic
from detectors.significance_rows import chi_square_rows, ks_rows

LEFT = 0.25
"""Part of a drift that may be left where something is said to explain it.

The PSI grows with about the square of a shift: half as many shifted rows still give a quarter."""

EXPLAINED = 0.75
"""Part of a change of the traffic that the segments named for it make up."""


class Where(StrEnum):
    """Where the drift of a column is, as far as segments tell."""

    MIX = "mix"
    """In the traffic: with the reference's shares of the segments no more than a quarter of it is left."""
    SEGMENTS = "segments"
    """In some segments, at most half of them: the others together drift no more than a quarter as much."""
    EVERYWHERE = "everywhere"
    """In no half of the segments alone: the others drift too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentReadings:
    """Each segment's distance from the reference, and what it adds to the distance of the whole.

    Arrays have the shape ``(segments,)``; NaN where a side has no rows.

    Attributes
    ----------
    own
        Whether a segment was compared with its own rows of the reference, or with the whole column.
    n_reference
        Rows with a value that it was compared with.
    psi
        Debiased, with its interval.
    p_value
        Of the test that decides for the column.
    within, mix
        What happened within a segment and what a change of its share of the traffic did, in units of the
        PSI: both add up to that of the whole, but for the pseudocount.
    effect
        Debiased PSI of the whole; None where a side has no rows.
    reweighted
        The same with the segments of the window weighted as in the reference, over those that have rows on
        both sides; None where none has.
    where
        None where there is no drift, or too few rows to tell.
    named
        The segments that explain it, the largest part first; empty where it is everywhere.
    """

    own: BoolArray
    n_reference: IntArray
    psi: DivergenceRows
    p_value: FloatArray
    within: FloatArray
    mix: FloatArray
    effect: float | None
    reweighted: float | None
    where: Where | None
    named: tuple[int, ...]


def compare_segments(
    whole: Summary, reference: IntArray, current: IntArray, *, min_rows: int
) -> SegmentReadings:
    """Compare all segments of a window at once; they share out the rows of both sides.

    Rows of a segment count for as dependent as those of the whole window are: its neighbours in time are
    further apart, so that is on the careful side unless what moves them is of that segment alone.

    Parameters
    ----------
    whole
        The reference of the column.
    reference, current
        Rows with a value per segment and bin, shape ``(segments, bins)``.
    min_rows
        Rows of the reference from which a segment is compared with its own; below, with the whole column.
    """
    held, n_window = reference.sum(axis=1), int(current.sum())
    own = held >= min_rows
    against = np.where(own[:, None], reference, reference.sum(axis=0))
    before, now = _grouped(reference, whole.groups), _grouped(current, whole.groups)
    compared = np.where(own[:, None], before, before.sum(axis=0))
    within, mix = _parts(before, now)
    order = np.argsort(-within, kind="stable")
    half = int(((before + now).sum(axis=1) > 0).sum()) // 2
    standard = _reweighted(before, now)
    # All pairs at once: the segments, the window with the reference's traffic, and what is left of the whole.
    found = psi_rows(
        np.concatenate((compared, standard[0], _without(before[order], half))),
        np.concatenate((now, standard[1], _without(now[order], half))),
        inflation=divergence_inflation(whole, n_window) if n_window else 1.0,
    )
    segments, reweighted, left = found[: len(own)], found[len(own) : len(own) + 1], found[len(own) + 1 :]
    where, named = _where(order, mix, reweighted, left)
    return SegmentReadings(
        own=own,
        n_reference=against.sum(axis=1),
        psi=segments,
        p_value=_p_values(whole, against, current, compared, now),
        within=within,
        mix=mix,
        effect=_first(left.debiased),
        reweighted=_first(reweighted.debiased),
        where=where,
        named=named,
    )


def _grouped(counts: IntArray, groups: IntArray) -> FloatArray:
    """Sum the counts of the bins of each group, shape ``(segments, groups)``."""
    width = int(groups.max()) + 1
    cells = np.arange(len(counts))[:, None] * width + groups
    # Weighted sums are exact up to 2**53 rows, and take a tenth of a product of matrices of whole numbers.
    found = np.bincount(cells.ravel(), weights=counts.ravel(), minlength=len(counts) * width)
    return found.astype(np.float64, copy=False).reshape(-1, width)


def _parts(before: FloatArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What each segment adds to the PSI of the whole, see the head of this file."""
    held, rows = before.sum(axis=1), now.sum(axis=1)
    n_reference, n_current = held.sum(), rows.sum()
    if not n_reference or not n_current:
        return np.zeros(len(held)), np.zeros(len(held))
    # But for a constant, which differences of shares do not see, these are ln(q / p).
    weight = log((now.sum(axis=0) + HALF_A_ROW) / (before.sum(axis=0) + HALF_A_ROW))
    p = (before * weight).sum(axis=1) / np.maximum(held, 1.0)
    q = (now * weight).sum(axis=1) / np.maximum(rows, 1.0)
    # A segment that one side does not have has not changed within: it came or went.
    p, q = np.where(held > 0, p, q), np.where(rows > 0, q, p)
    a, b = held / n_reference, rows / n_current
    share, middle = (a + b) / 2, (p + q) / 2
    return share * (q - p), (b - a) * (middle - (share * middle).sum())


def _reweighted(before: FloatArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weigh the segments of the window as in the reference, over those with rows on both sides.

    Returns
    -------
    tuple[FloatArray, FloatArray]
        Rows per group of the reference and of the window, each of shape ``(1, groups)``; of the window as
        many rows as its weighted rows are worth, 1 / sum(weight^2 / rows).
    """
    common = (before.sum(axis=1) > 0) & (now.sum(axis=1) > 0)
    if not common.any():
        nothing = np.zeros((1, before.shape[1]))
        return nothing, nothing
    before, now = before[common], now[common]
    rows, total = now.sum(axis=1), before.sum(axis=0)
    weight = before.sum(axis=1) / total.sum()
    shares = (weight[:, None] * now / rows[:, None]).sum(axis=0)
    return total[None], (shares / (weight * weight / rows).sum())[None]


def _where(
    order: IntArray, mix: FloatArray, reweighted: DivergenceRows, left: DivergenceRows
) -> tuple[Where | None, tuple[int, ...]]:
    """Find the smallest change that explains the drift, by what is left without it.

    Parameters
    ----------
    order
        Segments by what happened within them, the largest part first.
    left
        Of the whole without the first 0, 1, ... of these, as far as half of them.
    """
    effect = left.debiased[0]
    if not effect > 0:
        return None, ()
    if _little(reweighted, effect)[0]:
        grown = np.argsort(-mix, kind="stable")
        enough = int(np.argmax(np.cumsum(mix[grown]) >= EXPLAINED * mix.sum()))
        return Where.MIX, tuple(grown[: enough + 1].tolist())
    explained = np.flatnonzero(_little(left[1:], effect))
    if len(explained):
        return Where.SEGMENTS, tuple(order[: int(explained[0]) + 1].tolist())
    return (Where.EVERYWHERE if left.low[-1] > 0 else None), ()


def _little(left: DivergenceRows, effect: float) -> BoolArray:
    """Say of what is left whether it is little, by its estimate and, twice as much, by its interval."""
    return (left.debiased <= LEFT * effect) & (left.high <= 2 * LEFT * effect)


def _without(counts: FloatArray, most: int) -> FloatArray:
    """Rows per group that are left without the first 0 to `most` segments, shape ``(most + 1, groups)``."""
    gone = np.cumsum(counts[:most], axis=0)
    return np.concatenate((counts.sum(axis=0)[None], counts.sum(axis=0) - gone))


def _p_values(
    whole: Summary, against: IntArray, current: IntArray, compared: FloatArray, now: FloatArray
) -> FloatArray:
    """P-value of each segment by the test that decides for the column."""
    n_window = int(current.sum())
    if not n_window:
        return np.full(len(current), np.nan)
    if whole.continuous:
        inflated = inflation(whole, n_window, Statistic.DISTRIBUTION)
        return ks_rows(against, current, inflation=inflated)
    ratios = chi_square_ratios(whole, n_window)
    return chi_square_rows(compared.astype(np.int64), now.astype(np.int64), ratios=ratios)


def _first(values: FloatArray) -> float | None:
    value = float(values[0])
    return None if np.isnan(value) else value
