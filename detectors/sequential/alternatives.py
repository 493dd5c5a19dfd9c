"""What a block of rows is asked: how much better an alternative explains it than any law without drift.

Each answer is the logarithm of an e-value: a number whose expectation is at most 1 under every law that the
reference does not exclude. What an alternative looks like may depend on the number of rows of the block and
on nothing else of it, else the expectation would not hold.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from scipy.special import gammaln, ndtri, xlogy

from detectors.base import FloatArray, IntArray
from detectors.elementary import arcsin, dot, geometric, log, log1p, sin
from detectors.sequential.calibrators import calibrated
from detectors.sequential.limits import kolmogorov_limit, law_radius, log_mean_limit, share_limits

SIZES = (0.7, 1.4, 2.8, 5.6)
"""Shifts of an ordered column that are asked for, in standard errors of a block."""

SHARE_SIZES = (1.4, 2.8, 5.6)
"""Shifts of single shares, in standard errors of a block; small ones move the mean or the mix as well."""

MIX_SIZES = (1.0, 4.0)
"""Widths of the laws around the reference in which other mixes are sought, in the same unit."""

_LARGEST_SCORE = 2.5
"""Normal scores are cut here, so that a bin the reference hardly filled cannot carry the mean by itself."""

_PULLS = geometric(0.01, 1, 16)
"""Weights of the block in the law between it and the reference at which the dual of `Mix` is tried."""


class Alternatives(Protocol):
    """A group of questions about one column, with one answer each."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is asked, such as "mean up"; a name stands once for each size that is asked for."""
        ...

    def log_e(self, counts: FloatArray, rows: float) -> FloatArray:
        """Logarithms of the e-values of a block, shape ``(len(names),)``.

        Parameters
        ----------
        counts
            Rows per bin, shape ``(bins,)``; fractions where rows depend on one another.
        rows
            Their sum, above 0.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Kolmogorov-Smirnov distance of the block, less what the reference's own error may add to it.

    By the triangle inequality the distance from the true distribution function is at least the one from the
    reference less the reference's limit, so ``2 exp(-2 n d^2)`` of that is a p-value: for every number of
    rows, with ties and on any bins (Massart 1990, see `kolmogorov_limit`).
    """

    names: tuple[str, ...]
    cumulated: FloatArray
    limit: float

    @classmethod
    def prepare(cls, counts: FloatArray, risk: float) -> Self:
        """Freeze what depends on the reference alone; `counts` are its rows per bin in order."""
        rows = float(counts.sum())
        return cls(names=("ks",), cumulated=counts.cumsum() / rows, limit=kolmogorov_limit(rows, risk))

    def log_e(self, counts: FloatArray, rows: float) -> FloatArray:
        """See `Alternatives.log_e`."""
        distance = float(np.abs(counts.cumsum() / rows - self.cumulated).max())
        excess = max(0.0, distance - self.limit)
        return calibrated(np.array([min(0.0, math.log(2) - 2 * rows * excess * excess)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifts:
    """Shifts of location and of scale of an ordered column, in ranks, up and down.

    The alternative tilts the reference by ``exp(t s)``, s being the standardised normal scores of the bins
    (or their standardised squares) and ``t`` a size divided by the root of the rows:
    ``log e = t sum(counts s) - n log(limit of the mean of exp(t s))``, see `log_mean_limit`. The mean is
    exact, not that of a normal law: with a quadratic instead the expectation is 2.9 for the scale at 500
    rows.
    """

    names: tuple[str, ...]
    scores: FloatArray
    shares: FloatArray
    radius: float
    _tilts: dict[float, tuple[FloatArray, FloatArray]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def prepare(cls, counts: FloatArray, risk: float) -> Self:
        """Freeze what depends on the reference alone; `counts` are its rows per bin in order."""
        rows = float(counts.sum())
        shares = counts / rows
        smooth = (counts + 0.5) / (rows + 0.5 * counts.size)
        ranks = ndtri(smooth.cumsum() - smooth / 2).clip(-_LARGEST_SCORE, _LARGEST_SCORE)
        scores, names = [], []
        for name, score in (("mean", ranks), ("scale", (ranks - dot(ranks, shares)) ** 2)):
            centred = score - dot(score, shares)
            deviation = math.sqrt(dot(centred * centred, shares))
            # Two bins of equal share have no scale, one bin has no mean either.
            if deviation > 1e-6:  # noqa: PLR2004  of scores whose unit is 1
                scores += [centred / deviation, -centred / deviation]
                names += [f"{name} {way}" for way in ("up", "down") for _ in SIZES]
        return cls(
            names=tuple(names),
            scores=np.array(scores).reshape(len(scores), counts.size),
            shares=shares,
            radius=math.log(1 / risk) / rows,
        )

    def log_e(self, counts: FloatArray, rows: float) -> FloatArray:
        """See `Alternatives.log_e`."""
        tilts, log_limits = self._tilted(_on_grid(rows))
        return dot(tilts, counts) - rows * log_limits

    def _tilted(self, rows: float) -> tuple[FloatArray, FloatArray]:
        found = self._tilts.get(rows)
        if found is None:
            sizes = np.array(SIZES) / math.sqrt(rows)
            tilts = (self.scores[:, None, :] * sizes[:, None]).reshape(-1, self.shares.size)
            found = self._tilts[rows] = (tilts, log_mean_limit(self.shares, tilts, self.radius))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The share of each group, up and down, against the worst share that the reference leaves possible.

    ``log e = k ln(q (1 - p) / (p (1 - q))) + n ln((1 - q) / (1 - p))``, the likelihood ratio of a share q
    against the limit p. It falls with the distance of the true share from q's side, so its expectation is at
    most 1 for every share within the limit. q lies a size away on the scale where every share has the same
    standard error, the arcsine of its root, and half-way to the end of that scale at most.
    """

    names: tuple[str, ...]
    groups: IntArray
    index: IntArray
    bounds: FloatArray
    signed_sizes: FloatArray
    _odds: dict[float, tuple[FloatArray, FloatArray]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def prepare(cls, counts: FloatArray, groups: IntArray, labels: tuple[str, ...], risk: float) -> Self:
        """Freeze what depends on the reference alone.

        Parameters
        ----------
        counts, groups
            Rows per bin, and the group of each bin, both of shape ``(bins,)``.
        labels
            One for each group.
        risk
            That one limit of one group is wrong.
        """
        low, high = share_limits(_grouped(counts, groups), risk)
        # Nothing is less than never, and nothing more than always.
        asked = [(g, low[g], -1.0) for g in range(low.size) if low[g] > 0]
        asked += [(g, high[g], 1.0) for g in range(low.size) if high[g] < 1]
        each = [(*one, size) for one in asked for size in SHARE_SIZES]
        return cls(
            names=tuple(f"share of {labels[g]} {'up' if way > 0 else 'down'}" for g, _, way, _ in each),
            groups=groups,
            index=np.array([g for g, *_ in each], dtype=np.int64),
            bounds=np.array([bound for _, bound, _, _ in each]),
            signed_sizes=np.array([way * size for *_, way, size in each]),
        )

    def log_e(self, counts: FloatArray, rows: float) -> FloatArray:
        """See `Alternatives.log_e`."""
        log_odds, log_means = self._ratios(_on_grid(rows))
        of_groups = _grouped(counts, self.groups)
        return log_odds * of_groups[self.index] - rows * log_means

    def _ratios(self, rows: float) -> tuple[FloatArray, FloatArray]:
        found = self._odds.get(rows)
        if found is None:
            angles = arcsin(np.sqrt(self.bounds))
            ends = np.where(self.signed_sizes > 0, math.pi / 2, 0.0)
            moved = angles + self.signed_sizes / (2 * math.sqrt(rows))
            halfway = (angles + ends) / 2
            moved = np.where(self.signed_sizes > 0, np.minimum(moved, halfway), np.maximum(moved, halfway))
            shares = sin(moved) ** 2
            log_means = log1p(-self.bounds) - log1p(-shares)
            log_odds = log(shares) - log(self.bounds) + log_means
            found = self._odds[rows] = (log_odds, log_means)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Any other mix of the groups, against the law without drift that explains the block best.

    The alternative is a Dirichlet law around the reference, wide by a size, so its answer is the
    Dirichlet-multinomial likelihood over the largest likelihood that a law within the reference's radius
    gives (universal inference: Wasserman, Ramdas & Balakrishnan 2020, PNAS 117(29), 16880-16890). The largest
    is bounded by its Lagrange dual: for every a >= 0 it is at most
    ``sum x ln x - (n + a) ln(n + a) + a (H + radius)`` with ``x = counts + a p`` and H the entropy of the
    reference's shares p; the smallest over some a is taken, so the answer is never too large.
    """

    names: tuple[str, ...]
    groups: IntArray
    shares: FloatArray
    centre: FloatArray
    slack: float
    """Entropy of the reference plus the radius."""

    @classmethod
    def prepare(cls, counts: FloatArray, groups: IntArray, risk: float) -> Self:
        """Freeze what depends on the reference alone; `counts` and `groups` are of shape ``(bins,)``."""
        of_groups = _grouped(counts, groups)
        rows = float(of_groups.sum())
        shares = of_groups / rows
        return cls(
            names=("mix",) * len(MIX_SIZES),
            groups=groups,
            shares=shares,
            centre=np.asarray((of_groups + 0.5) / (rows + 0.5 * of_groups.size)),
            slack=law_radius(rows, shares.size, risk) - float(xlogy(shares, shares).sum()),
        )

    def log_e(self, counts: FloatArray, rows: float) -> FloatArray:
        """See `Alternatives.log_e`."""
        of_groups = _grouped(counts, self.groups)
        pulls = rows * (1 / _PULLS - 1)
        pooled = of_groups + np.multiply.outer(pulls, self.shares)
        weights = rows + pulls
        largest = xlogy(pooled, pooled).sum(axis=1) - weights * log(weights) + pulls * self.slack
        # Wide by a size: as many rows of prior as give a share that many of the block's standard errors.
        prior = rows / np.square(MIX_SIZES)
        cells = np.multiply.outer(prior, self.centre)
        mixed = gammaln(prior) - gammaln(prior + rows)
        mixed += (gammaln(cells + of_groups) - gammaln(cells)).sum(axis=1)
        return np.asarray(mixed - largest.min())


def _grouped(counts: FloatArray, groups: IntArray) -> FloatArray:
    return np.bincount(groups, weights=counts).astype(np.float64)


def _on_grid(rows: float) -> float:
    # Steps of a root of two: sizes are off by a tenth at most, and what they need is computed once.
    return float(2 ** (round(2 * math.log2(rows)) / 2))
