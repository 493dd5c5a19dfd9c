"""Cost of each detector: one comparison of a window, beside those that measure by default."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.measure import interleaved, pin, say, show
from detectors.base import Detector, Kind, Summary
from detectors.calibration import Calibration, measure_tails
from detectors.null_simulation import null_tables
from detectors.registry import BY_DEFAULT, detector_names, for_kind
from state.layout import categories, numeric_bins
from state.sketches.numeric import NumericBins

REFERENCE_ROWS, WINDOW_ROWS, CATEGORIES = 20_000, 1_000, 12
_ONE_PANE = np.zeros(1, dtype=np.int64)


def _numbers(rng: np.random.Generator) -> tuple[Summary, Summary]:
    rows = rng.normal(size=REFERENCE_ROWS)
    bins = numeric_bins(rows)
    known = Calibration(tails=measure_tails(rows, bins.edges))
    return _calibrated(_summary(bins, rows), known), _summary(bins, rng.normal(size=WINDOW_ROWS))


def _summary(bins: NumericBins, rows: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Summary:
    (sketch,) = bins.summarize(rows, _ONE_PANE, _ONE_PANE)
    return bins.summary(sketch)


def _names(rng: np.random.Generator) -> tuple[Summary, Summary]:
    shares = rng.dirichlet(np.full(CATEGORIES, 5.0))
    before, now = rng.multinomial(REFERENCE_ROWS, shares), rng.multinomial(WINDOW_ROWS, shares)
    groups = categories({f"name {place}": int(n) for place, n in enumerate(before)}).groups
    sides = [
        Summary(
            kind=Kind.CATEGORICAL, counts=np.append(counts, [0, 0]), groups=np.sort(groups), continuous=False
        )
        for counts in (before, now)
    ]
    return _calibrated(sides[0], Calibration(ordered=False)), sides[1]


def _calibrated(reference: Summary, known: Calibration) -> Summary:
    tables = null_tables(replace(reference, calibration=known), detector_names())
    return replace(reference, calibration=replace(known, tables=tables))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table per kind of column."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer comparisons")
    given = parser.parse_args(arguments)
    pin()
    number, repeats = (100, 5) if given.quick else (1_000, 15)
    say(f"One comparison, median of {repeats} x {number:,}; 'default' is the sum of those marked with *.")
    rng = np.random.default_rng(1)
    for kind, (reference, current) in ((Kind.NUMERIC, _numbers(rng)), (Kind.CATEGORICAL, _names(rng))):
        _show(kind, reference, current, number, repeats)


def _show(kind: Kind, reference: Summary, current: Summary, number: int, repeats: int) -> None:
    def repeated(each: Detector) -> None:
        for _ in range(number):
            each.compare(reference, current)

    detectors = for_kind(kind)
    cases = {each.name: lambda each=each: repeated(each) for each in detectors}
    found = {name: timing.cpu_s / number for name, timing in interleaved(cases, repeats=repeats).items()}
    default = sum(found[each.name] for each in for_kind(kind, BY_DEFAULT))
    rows = [
        (f"{name} *" if name in BY_DEFAULT else name, f"{cost * 1e6:.0f}", f"{cost / default:.2f}")
        for name, cost in found.items()
    ]
    rows.append(("default", f"{default * 1e6:.0f}", "1.00"))
    rows.append(("all", f"{sum(found.values()) * 1e6:.0f}", f"{sum(found.values()) / default:.2f}"))
    show(f"{kind} column", ("detector", "us", "of the default"), rows)


if __name__ == "__main__":
    main()
