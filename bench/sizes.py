"""Size of every test with a p-value: how often it is at most .05 and .01 without drift, by rows and kind."""

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.measure import say, show
from detectors.base import FloatArray, Kind, Reading, Summary
from detectors.calibration import Calibration, measure_tails
from detectors.null_simulation import null_tables
from detectors.registry import detector_names, for_kind
from state.layout import categories, numeric_bins, pools
from state.reference import Bins
from state.sketches.numeric import NumericBins

SEED = 5
REFERENCE_ROWS = 20_000
WINDOWS = {50: 15, 200: 15, 1_000: 15, 10_000: 5, 100_000: 2, 1_000_000: 1}
"""Windows per reference by their rows: with many rows the reference's error is all there is."""

ALPHAS = (0.05, 0.01)
ALLOWED = 1.2
POOL_ROWS = 1_000_000
"""From here on windows are taken from a few that all references share: beside the reference's own error that
of a window of so many rows is nothing."""

_POOL = 4
_ONE_PANE = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A numeric column; `draw` gives rows."""

    name: str
    draw: Callable[[np.random.Generator, int], FloatArray]

    def reference(self, rng: np.random.Generator) -> tuple[Bins, Summary]:
        """Build a reference of `REFERENCE_ROWS` rows as `driftflow reference build` does."""
        rows = self.draw(rng, REFERENCE_ROWS)
        bins = numeric_bins(rows)
        tails = measure_tails(rows, bins.edges)
        return bins, _calibrated(_summary(bins, rows), Calibration(tails=tails))

    def window(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw the rows of a window."""
        return self.draw(rng, n)

    def summary(self, bins: Bins, window: FloatArray) -> Summary:
        """Summarize a window as a run does."""
        assert isinstance(bins, NumericBins)
        return _summary(bins, window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """A categorical column; a window is the rows of each name."""

    name: str
    shares: FloatArray

    def reference(self, rng: np.random.Generator) -> tuple[Bins, Summary]:
        """Build a reference of `REFERENCE_ROWS` rows; a name without a row is one it never saw."""
        counts = rng.multinomial(REFERENCE_ROWS, self.shares)
        named = {name: int(n) for name, n in zip(self._names(), counts, strict=True) if n}
        if not pools(named):
            bins = categories(named)
        else:
            # As a reference is built: a quarter of the rows chooses, the others are counted.
            apart = rng.binomial(counts, 0.25)
            bins = categories(named, chosen_by=dict(zip(self._names(), apart.tolist(), strict=True)))
            counts = counts - apart
        return bins, _calibrated(self.summary(bins, counts.astype(np.float64)), Calibration(ordered=False))

    def window(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw the rows of each name."""
        return rng.multinomial(n, self.shares).astype(np.float64)

    def summary(self, bins: Bins, window: FloatArray) -> Summary:
        """Count the rows of each bin."""
        assert not isinstance(bins, NumericBins)
        counts = np.bincount(bins.places(list(self._names())), weights=window, minlength=bins.bins)
        return Summary(
            kind=Kind.CATEGORICAL, counts=counts.astype(np.int64), groups=bins.groups, continuous=False
        )

    def _names(self) -> Iterator[str]:
        return (f"name {place}" for place in range(self.shares.size))


Column = Numbers | Names


def _summary(bins: NumericBins, rows: FloatArray) -> Summary:
    (sketch,) = bins.summarize(rows, _ONE_PANE, _ONE_PANE)
    return bins.summary(sketch)


def _calibrated(reference: Summary, known: Calibration) -> Summary:
    tables = null_tables(replace(reference, calibration=known), detector_names())
    return replace(reference, calibration=replace(known, tables=tables))


def _zipf(names: int, power: float) -> FloatArray:
    weights = np.arange(1, names + 1) ** -power
    return np.asarray(weights / weights.sum(), dtype=np.float64)


COLUMNS: tuple[Column, ...] = (
    Numbers(name="continuous: normal", draw=lambda rng, n: rng.normal(size=n)),
    Numbers(name="continuous: exponential", draw=lambda rng, n: rng.exponential(size=n)),
    Numbers(name="heavy-tailed: Pareto 2.5", draw=lambda rng, n: rng.pareto(2.5, n)),
    Numbers(name="heavy-tailed: lognormal", draw=lambda rng, n: rng.lognormal(size=n)),
    Numbers(name="discrete: Poisson 3", draw=lambda rng, n: rng.poisson(3.0, n).astype(np.float64)),
    Numbers(
        name="zero-inflated: 70 % zeros",
        draw=lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.gamma(2.0, size=n)),
    ),
    Numbers(name="one value", draw=lambda _, n: np.full(n, 3.0)),
    Names(name="5 categories", shares=np.array([0.55, 0.25, 0.12, 0.06, 0.02])),
    Names(name="200 categories: Zipf", shares=_zipf(200, 1.0)),
    Names(name="200 categories: equal", shares=np.full(200, 0.005)),
)


@dataclass(slots=True)
class Sizes:
    """Rejections of one detector on one column at one number of rows, by reference."""

    windows: int = 0
    judged: int = 0
    rejected: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))
    reasons: Counter[str] = field(default_factory=Counter)

    def take(self, readings: Sequence[Reading]) -> None:
        """Count what the windows of one reference gave."""
        p_values = [reading.p_value for reading in readings if reading.p_value is not None]
        self.windows += len(readings)
        self.judged += len(p_values)
        self.reasons.update(reading.reason for reading in readings if reading.reason is not None)
        for alpha in ALPHAS if p_values else ():
            self.rejected[alpha].append(sum(p <= alpha for p in p_values) / len(p_values))

    def size(self, alpha: float) -> float:
        """Share of windows with a p-value of at most alpha."""
        return float(np.mean(self.rejected[alpha]))

    def error(self, alpha: float) -> float:
        """Two standard errors of the size: references are independent, their windows are not."""
        shares = self.rejected[alpha]
        scatter = float(np.std(shares)) / math.sqrt(len(shares))
        return 2 * max(scatter, math.sqrt(alpha * (1 - alpha) / self.judged))

    def cell(self) -> str:
        """Sizes at both levels; marked where the size is above the nominal one by more than is allowed."""
        if not self.judged:
            return "-"
        text = " ".join(f"{self.size(alpha):.3f}" for alpha in ALPHAS)
        return text + ("!" if any(self.above(alpha) for alpha in ALPHAS) else "")

    def above(self, alpha: float) -> bool:
        """Whether the size is above `ALLOWED` times nominal by more than the simulation's error."""
        return self.size(alpha) > ALLOWED * alpha + self.error(alpha)


Found = dict[tuple[str, int], Sizes]


def measure(column: Column, *, references: int, seed: int, windows: dict[int, int]) -> Found:
    """Compare windows of a column with references of the same column.

    Parameters
    ----------
    windows
        Windows per reference by their rows.
    """
    rng = np.random.default_rng([seed, *column.name.encode()])
    found: Found = defaultdict(Sizes)
    pools = {n: [column.window(rng, n) for _ in range(_POOL)] for n in windows if n >= POOL_ROWS}
    for _ in range(references):
        bins, reference = column.reference(rng)
        for n, number in windows.items():
            readings = defaultdict(list)
            for _ in range(number):
                pool = pools.get(n)
                rows = column.window(rng, n) if pool is None else pool[int(rng.integers(_POOL))]
                current = column.summary(bins, rows)
                for detector in for_kind(reference.kind):
                    readings[detector.name].append(detector.compare(reference, current))
            for name, given in readings.items():
                found[name, n].take(given)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table per column; exit with 1 where a cell is above its level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 references, not 200; up to 10,000 rows")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(arguments)
    windows = {n: w for n, w in WINDOWS.items() if not given.quick or n <= 10_000}
    references = 20 if given.quick else 200
    say(
        f"Size at .05 and at .01; {references} references of {REFERENCE_ROWS:,} rows each. '-': no p-value; "
        f"'!': above {ALLOWED} x nominal by more than two standard errors."
    )
    above = 0
    for column in COLUMNS:
        found = measure(column, references=references, seed=given.seed, windows=windows)
        cells = _show(column.name, found, list(windows))
        above += cells
    say(f"{above} cells above {ALLOWED} x nominal.")
    if above:
        sys.exit(1)


def _show(title: str, found: Found, sizes: list[int]) -> int:
    names = list(dict.fromkeys(name for name, _ in found))
    rows = [(name, *(found[name, n].cell() for n in sizes)) for name in names]
    show(title, ("test", *(f"n = {n:,}" for n in sizes)), rows)
    for name in names:
        missing = Counter[str]()
        for n in sizes:
            missing.update(found[name, n].reasons)
        for reason, windows in missing.most_common(1):
            say(f"  {name} without a p-value in {windows:,} windows, most often: {reason}")
    return sum(cell.endswith("!") for _, *cells in rows for cell in cells)


if __name__ == "__main__":
    main()
