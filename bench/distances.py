"""Every distance against scipy on the raw rows, over random pairs: its error beside the stated bound."""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri
from scipy.stats import energy_distance, ks_2samp, rankdata, wasserstein_distance

from bench.measure import say, show
from detectors.base import FloatArray, Summary
from detectors.ordered import atom_bins
from detectors.registry import detector
from state.layout import numeric_bins
from state.sketches.numeric import NumericBins

SEED = 11
_ONE_PANE = np.zeros(1, dtype=np.int64)


@dataclass(slots=True)
class Errors:
    """Of one distance: relative to the raw figure, and as a share of the bound where there is one."""

    relative: list[float] = field(default_factory=list)
    of_bound: list[float] = field(default_factory=list)

    def take(
        self, found: float, exact: float, ends: tuple[float, float] | None, *, least: float, rounding: float
    ) -> None:
        """Count a pair.

        Parameters
        ----------
        ends
            Between which the raw figure is stated to lie, up to the rounding.
        least
            Raw figure below which an error is not relative to it.
        """
        self.relative.append(abs(found - exact) / max(abs(exact), least))
        if ends is not None:
            # 0 at the score, 1 at the end on the raw figure's side.
            end = ends[1] if exact >= found else ends[0]
            self.of_bound.append(max(abs(exact - found) - rounding, 0.0) / max(abs(end - found), 1e-12))

    def cells(self) -> tuple[str, ...]:
        """Median and largest relative error, largest share of the bound, pairs beyond it."""
        shares = self.of_bound
        return (
            f"{100 * float(np.median(self.relative)):.2g}",
            f"{100 * max(self.relative):.2g}",
            f"{max(shares):.2f}" if shares else "-",
            str(sum(share > 1 for share in shares)) if shares else "-",
        )


def _cramer_von_mises(before: FloatArray, now: FloatArray) -> float:
    distance, rows = _distance(before, now)
    return float(np.square(distance).sum()) / rows


def _anderson_darling(before: FloatArray, now: FloatArray) -> float:
    distance, rows = _distance(before, now)
    below = np.searchsorted(np.sort(np.concatenate([before, now])), _pooled(before, now), "right") / rows
    inside = below < 1
    return float((np.square(distance[inside]) / (below[inside] * (1 - below[inside]))).sum()) / rows


def _pooled(before: FloatArray, now: FloatArray) -> FloatArray:
    return np.concatenate([before, now])


def _distance(before: FloatArray, now: FloatArray) -> tuple[FloatArray, int]:
    pooled = _pooled(before, now)
    above = np.searchsorted(np.sort(now), pooled, "right") / now.size
    return above - np.searchsorted(np.sort(before), pooled, "right") / before.size, pooled.size


def _ranks(before: FloatArray, now: FloatArray, power: int) -> float:
    """Difference of mean scores of midranks in standard errors over all permutations."""
    pooled = _pooled(before, now)
    scores = ndtri((rankdata(pooled) - 0.5) / pooled.size) ** power
    noise = scores.var() * (1 / before.size + 1 / now.size) * pooled.size / (pooled.size - 1)
    return float((scores[before.size :].mean() - scores[: before.size].mean()) / math.sqrt(noise))


EXACT: Mapping[str, Callable[[FloatArray, FloatArray], float]] = {
    "ks": lambda before, now: float(ks_2samp(before, now, method="asymp").statistic),
    "cvm": _cramer_von_mises,
    "ad": _anderson_darling,
    "rank_mean": lambda before, now: _ranks(before, now, 1),
    "rank_scale": lambda before, now: _ranks(before, now, 2),
    "wasserstein": lambda before, now: float(wasserstein_distance(before, now)),
    "energy": lambda before, now: float(energy_distance(before, now)),
}
"""Figures of raw rows."""


def draw(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw a reference and a window of one of several laws, shifted and stretched by something."""
    laws: tuple[Callable[[int], FloatArray], ...] = (
        lambda n: rng.normal(size=n),
        lambda n: rng.lognormal(size=n),
        lambda n: rng.pareto(2.5, n),
        lambda n: rng.poisson(3.0, n).astype(np.float64),
        lambda n: np.where(rng.random(n) < 0.7, 0.0, rng.gamma(2.0, size=n)),
        lambda n: rng.uniform(-1e6, 1e6, n),
    )
    law = laws[int(rng.integers(len(laws)))]
    before, now = law(int(rng.integers(1_000, 20_000))), law(int(rng.integers(20, 5_000)))
    scale = float(before.std())
    return before, now * rng.uniform(0.7, 1.5) + scale * rng.choice([0.0, 0.1, 0.5, 2.0])


def _ends(name: str, reference: Summary, current: Summary, score: float) -> tuple[float, float] | None:
    """Stated ends of the raw figure; None where only an approximation is promised."""
    bound = detector(name).compare(reference, current).bound
    if bound is not None:
        return score, score + bound
    if name != "cvm" or reference.edges is None or reference.moments is None or current.moments is None:
        return None
    p, q = reference.counts / reference.n, current.counts / current.n
    pooled = (reference.counts + current.counts) / (reference.n + current.n)
    single = atom_bins(
        reference.edges,
        minimum=min(reference.moments.minimum, current.moments.minimum),
        maximum=max(reference.moments.maximum, current.moments.maximum),
    )
    reach = np.where(single, 0.0, np.maximum(p, q))
    reached = float((pooled * reach * (2 * np.abs((q - p).cumsum()) + reach)).sum())
    return score - reached, score + reached


def measure(pairs: int) -> dict[str, Errors]:
    """Compare the bins' figures with those of raw rows."""
    rng = np.random.default_rng(SEED)
    found: dict[str, Errors] = defaultdict(Errors)
    for _ in range(pairs):
        before, now = draw(rng)
        bins = numeric_bins(before)
        reference, current = _summary(bins, before), _summary(bins, now)
        for name, exact in EXACT.items():
            score = detector(name).compare(reference, current).score
            if score is not None:
                raw = exact(before, now)
                found[name].take(
                    score,
                    raw,
                    _ends(name, reference, current, score),
                    # Standard errors below one are noise, and their relative error says nothing.
                    least=1.0 if name.startswith("rank_") else 1e-12,
                    # Sums are of values rounded to 2^-16 of the scale, and the distance is a root.
                    rounding=2**-15 * bins.unit / raw if name == "energy" and raw else 1e-12,
                )
    return found


def _summary(bins: NumericBins, rows: FloatArray) -> Summary:
    (sketch,) = bins.summarize(rows, _ONE_PANE, _ONE_PANE)
    return bins.summary(sketch)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; exit with 1 where a figure lies outside its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--quick", action="store_true", help="100 pairs")
    given = parser.parse_args(arguments)
    pairs = 100 if given.quick else given.pairs
    found = measure(pairs)
    rows = [(name, *errors.cells()) for name, errors in found.items()]
    header = ("distance", "median error, %", "largest, %", "largest, of the bound", "beyond it")
    show(f"{pairs:,} random pairs, 64 bins", header, rows)
    laws = "six laws, references of 1,000 to 20,000 rows, windows of 20 to 5,000, with and without drift"
    say(f"Seed {SEED}: {laws}.")
    if any(share > 1 for errors in found.values() for share in errors.of_bound):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
