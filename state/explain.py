"""What moved: direction, the groups that contribute most, and both histograms."""

import numpy as np

from detectors.base import IntArray
from detectors.coarse import coarsen
from detectors.elementary import log
from state.event_data import Contributor, Histogram
from state.reference import FeatureReference
from state.scoring import Scored
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins

TOP = 3
"""Contributors that an event names."""

CLEAR_SHIFT = 3.0
"""Standard errors from which the mean is said to have moved up or down."""


def direction(found: Scored) -> str:
    """Return "up" or "down" where the mean clearly moved, "shape" where not, "mix" for categories."""
    shift = found.reading("mean_shift")
    if shift is None:
        return "mix"
    if shift.score is None or abs(shift.score) < CLEAR_SHIFT:
        return "shape"
    return "up" if shift.score > 0 else "down"


def contributors(feature: FeatureReference, counts: IntArray) -> tuple[Contributor, ...]:
    """Return the groups with the largest part of the PSI (pseudocount 0.5), largest first.

    Parameters
    ----------
    counts
        The window's counts per bin, shape ``(bins,)``.
    """
    groups = feature.bins.groups
    reference, current = coarsen(feature.summary.counts, groups), coarsen(counts, groups)
    p = (reference + 0.5) / (reference + 0.5).sum()
    q = (current + 0.5) / (current + 0.5).sum()
    parts = (q - p) * log(q / p)
    ranked = sorted(range(len(parts)), key=lambda group: (-float(parts[group]), group))
    n, m = max(int(counts.sum()), 1), max(feature.summary.n, 1)
    return tuple(
        Contributor(
            label=group_label(feature, group),
            reference=int(reference[group]) / m,
            current=int(current[group]) / n,
            psi=float(parts[group]),
        )
        for group in ranked[:TOP]
        # A group empty on both sides has no part in the PSI: only its pseudocounts differ.
        if parts[group] > 0 and (reference[group] or current[group])
    )


def group_label(feature: FeatureReference, group: int) -> str:
    """Name a group of bins for people: a range, a value, or categories."""
    bins = feature.bins
    places = np.flatnonzero(bins.groups == group)
    if isinstance(bins, Categories):
        if len(places) == 1:
            return bins.label(int(places[0]))
        return "rare categories"
    return _range_label(bins, places, feature.summary.counts)


def _range_label(bins: NumericBins, places: IntArray, counts: IntArray) -> str:
    if not counts[places].any():
        return "values the reference never held"
    first, last = int(places[0]), int(places[-1])
    low = float(bins.edges[first - 1]) if first else None
    high = float(bins.edges[last]) if last < len(bins.edges) else None
    if low is not None and high is not None and np.nextafter(low, np.inf) == high:
        return f"= {high:.6g}"
    if low is None:
        return "all values" if high is None else f"<= {high:.6g}"
    return f"> {low:.6g}" if high is None else f"{low:.6g} to {high:.6g}"


def histogram(feature: FeatureReference, counts: IntArray) -> Histogram:
    """Both sides over the reference's bins."""
    bins = feature.bins
    return Histogram(
        edges=bins.edges.tolist() if isinstance(bins, NumericBins) else None,
        categories=[bins.label(place) for place in range(bins.bins)]
        if isinstance(bins, Categories)
        else None,
        reference=feature.summary.counts.tolist(),
        current=counts.tolist(),
    )
