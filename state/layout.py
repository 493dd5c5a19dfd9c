"""Choosing the bins and categories that a reference freezes."""

from collections.abc import Mapping, Sequence
from math import frexp, inf, isfinite

import numpy as np

from detectors.base import FloatArray, IntArray
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins

BINS = 64
"""Bins of equal share in a numeric column: enough for decisions, and 1 KB per pane."""

GROUPS = 10
"""Coarse groups of about equal share, on which PSI and its kin are read."""

ATOM_SHARE = 0.05
"""A single value with more of the rows than this makes a column discrete for the tests."""

FEW_VALUES = 32
"""With at most this many distinct values each has its own bin, and the column is discrete."""

TOP_CATEGORIES = 100
"""Categories with a bin of their own."""

KNOWN_CATEGORIES = 10_000
"""Names that a reference remembers, so that a name it never saw can be called new."""

TAIL = (0.95, 0.975, 0.99, 0.995, 0.999)
"""Quantiles where a column that is watched at its top has edges beside those of bins of equal share."""

BEYOND = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Multiples of its largest value where it has edges too: what is above has never been seen, and may come."""

_UNIT_BITS = 500

RARE_SHARE = 0.005
"""Categories rarer than this are read together in divergences and chi-square."""


def numeric_bins(
    sample: FloatArray,
    *,
    extent: tuple[float, float] | None = None,
    bins: int = BINS,
    groups: int = GROUPS,
    tail: bool = False,
) -> NumericBins:
    """Freeze bins of about equal share of a sample; a value that fills a bin alone gets one of its own.

    Parameters
    ----------
    sample
        Finite values, shape ``(rows,)``; may be empty (one bin then holds everything).
    extent
        Smallest and largest of all values that the sample is of; None: values outside are not counted.
    tail
        Whether there are more edges at the top: at the quantiles `TAIL`, and `BEYOND` all values.

    Notes
    -----
    An atom ``v`` is the bin ``(before v, v]``, where "before v" is the next smaller double: so ties cost the
    grid KS nothing, and a value next to an atom that never varied before is seen.
    """
    # Adding zero makes -0.0 to 0.0: the two are equal and differ in their bytes, so the version would too.
    sample = sample + 0.0 if len(sample) else np.zeros(1)
    values, counts = np.unique(sample, return_counts=True)
    few = len(values) <= FEW_VALUES
    atoms = values if few else values[counts >= len(sample) / bins]
    quantiles = np.quantile(
        sample, [*(np.arange(1, bins) / bins), *(TAIL if tail else ())], method="inverted_cdf"
    )
    with np.errstate(over="ignore"):
        before = np.nextafter(atoms, -np.inf)
        beyond = sample.max() * np.array(BEYOND) if tail and sample.max() > 0 else np.zeros(0)
    # Nothing stands before the smallest double.
    inner = [] if few else quantiles
    edges = np.unique(
        np.concatenate([atoms, before[np.isfinite(before)], inner, beyond[np.isfinite(beyond)]])
    )
    place = np.searchsorted(edges, sample, side="left")
    shares = np.bincount(place, minlength=len(edges) + 1) / len(sample)
    grouped = _ordered_groups(shares, groups)
    continuous = not few and float(counts.max()) / len(sample) <= ATOM_SHARE
    low, center, high = (float(q) for q in np.quantile(sample, [0.25, 0.5, 0.75], method="inverted_cdf"))
    # IQR/1.349 is the standard deviation of a normal law; heavy tails make the deviation the larger one.
    scale = max((high - low) / 1.349, _deviation(sample))
    return NumericBins(
        edges=edges.astype(np.float64),
        groups=_with_the_last(grouped, shares) if len(beyond) else grouped,
        continuous=continuous,
        center=center,
        unit=_power_of_two(scale if scale > 0 else abs(center)),
        # Adding zero: as above.
        extent=None if extent is None else (extent[0] + 0.0, extent[1] + 0.0),
    )


def _with_the_last(groups: IntArray, shares: FloatArray) -> IntArray:
    """Count bins above all values with the last group: a value there is a slow one, and not another kind."""
    last = int(np.flatnonzero(shares)[-1])
    joined = groups.copy()
    joined[last:] = groups[last]
    return joined


def _deviation(sample: FloatArray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(np.std(sample))
    return deviation if isfinite(deviation) else 0.0


def _power_of_two(scale: float) -> float:
    """Return the power of two above a scale, with room for its reciprocal and its square in a double."""
    return 2.0 ** min(max(frexp(scale)[1], -_UNIT_BITS), _UNIT_BITS) if 0 < scale < inf else 1.0


def _ordered_groups(shares: FloatArray, groups: int) -> IntArray:
    """Join neighbouring bins to groups of about equal share; bins without any share are one group together.

    A bin that the reference left empty must not join a full one, or a value that is new would look like its
    neighbour; and a group of its own for each would be noise.
    """
    result = np.empty(len(shares), dtype=np.int64)
    group, held, left = 0, 0.0, 1.0
    fill = 1 / groups
    for place, share in enumerate(shares.tolist()):
        if share == 0:
            result[place] = -1
            continue
        # A bin that would overfill the group starts the next one, so a large atom stands alone.
        if held > 0 and held + share / 2 > fill:
            group, held = group + 1, 0.0
            # What groups before did not fill is spread over the others, or one more would be left at the end.
            fill = max(1 / groups, left / max(groups - group, 1))
        result[place] = group
        held += share
        left -= share
    result[result < 0] = group + 1
    return result


def fixed_categories(names: Sequence[str]) -> Categories:
    """Freeze categories that are known beforehand, whether the reference holds them or not: to be counted.

    They are one coarse group: nothing compares their distribution.
    """
    groups = np.zeros(len(names) + 2, dtype=np.int64)
    return Categories(names=tuple(names), rare=(), complete=True, groups=groups)


def pools(counts: Mapping[str, int], *, top: int = TOP_CATEGORIES) -> bool:
    """Whether some of these categories are read together, so that it matters which ones."""
    return len(counts) > top or any(count < RARE_SHARE * sum(counts.values()) for count in counts.values())


def categories(
    counts: Mapping[str, int],
    *,
    chosen_by: Mapping[str, int] | None = None,
    top: int = TOP_CATEGORIES,
    known: int = KNOWN_CATEGORIES,
) -> Categories:
    """Freeze the most frequent categories (ties by name); the rest is counted together.

    Parameters
    ----------
    counts
        Of all names.
    chosen_by
        Counts over rows that will not be counted again, by which names are chosen; None: `counts`. A name
        that stands alone because its rows were many is one whose rows were many by luck as well, so over the
        same rows its share comes out too large, and that of the rest too small.
    """
    chosen_by = counts if chosen_by is None else chosen_by
    ranked = sorted(counts, key=lambda name: (-chosen_by.get(name, 0), name))
    names, rare = tuple(ranked[:top]), tuple(sorted(ranked[top:known]))
    total = sum(chosen_by.values()) or 1
    common = [chosen_by.get(name, 0) >= RARE_SHARE * total for name in names]
    pooled = sum(common)
    groups = [i if keep else pooled for i, keep in enumerate(common)]
    return Categories(
        names=names,
        rare=rare,
        complete=len(ranked) <= known,
        groups=np.array([*groups, pooled, pooled + 1], dtype=np.int64),
    )
