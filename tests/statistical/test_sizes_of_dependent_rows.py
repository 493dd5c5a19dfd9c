"""Windows of autocorrelated rows: every test takes the effective rows that the reference's chunks show."""

import dataclasses
import math
from functools import cache

import numpy as np
import pytest
from scipy.signal import lfilter

from detectors.base import FloatArray, Kind, Reading, Summary
from detectors.calibration import Calibration, measure_tails
from detectors.null_simulation import null_tables
from detectors.registry import detector_names, for_kind
from state.layout import numeric_bins
from state.sketches.numeric import NumericBins

pytestmark = pytest.mark.statistical

PHI, ROWS, REFERENCE_ROWS, WINDOWS, SPANS, GAP = 0.6, 500, 20_000, 25, 200, 1_500
_ONE_PANE = np.zeros(1, dtype=np.int64)


def _summary(bins: NumericBins, rows: FloatArray) -> Summary:
    (sketch,) = bins.summarize(rows, _ONE_PANE, _ONE_PANE)
    return bins.summary(sketch)


def _reference(rows: FloatArray, *, knows: bool) -> tuple[NumericBins, Summary]:
    bins = numeric_bins(rows)
    groups = bins.groups[bins.places(rows)]
    spans = [np.bincount(span, minlength=int(bins.groups.max()) + 1) for span in np.split(groups, SPANS)]
    known = Calibration(chunks=np.array(spans) if knows else None, tails=measure_tails(rows, bins.edges))
    summary = dataclasses.replace(_summary(bins, rows), calibration=known)
    return bins, dataclasses.replace(
        summary, calibration=dataclasses.replace(known, tables=null_tables(summary, detector_names()))
    )


@cache
def _readings(*, knows: bool) -> dict[str, list[Reading]]:
    rng = np.random.default_rng(51)
    found: dict[str, list[Reading]] = {}
    for _ in range(8):
        noise = rng.normal(size=REFERENCE_ROWS + WINDOWS * (GAP + ROWS)) * math.sqrt(1 - PHI * PHI)
        rows = np.asarray(lfilter([1.0], [1.0, -PHI], noise), dtype=np.float64)
        bins, reference = _reference(rows[:REFERENCE_ROWS], knows=knows)
        # Between windows, rows that no one looks at: what is one window apart is independent.
        for window in rows[REFERENCE_ROWS:].reshape(WINDOWS, GAP + ROWS):
            for detector in for_kind(Kind.NUMERIC):
                reading = detector.compare(reference, _summary(bins, window[GAP:]))
                found.setdefault(detector.name, []).append(reading)
    return found


def _size(readings: list[Reading], alpha: float) -> float:
    assert all(reading.p_value is not None for reading in readings)
    return sum(r.p_value is not None and r.p_value <= alpha for r in readings) / len(readings)


@pytest.mark.parametrize("name", [detector.name for detector in for_kind(Kind.NUMERIC)])
def test_the_level_holds_for_autocorrelated_rows(name: str) -> None:
    readings = _readings(knows=True)[name]
    assert len(readings) == 8 * WINDOWS
    error = 4 * math.sqrt(0.05 * 0.95 / len(readings))
    assert _size(readings, 0.05) <= 0.05 + error
    # The mean of an AR(1) series has 1 / 4 of its rows: (1 - .6) / (1 + .6).
    effective = np.mean([reading.n_effective for reading in readings if reading.n_effective is not None])
    assert 0.15 * ROWS < effective < 0.85 * ROWS
    if name == "mean_shift":
        assert 0.15 * ROWS < effective < 0.35 * ROWS


@pytest.mark.parametrize("name", ["ks", "chi2", "psi", "wasserstein", "mean_shift"])
def test_without_the_chunks_it_would_not(name: str) -> None:
    # KS .30 and chi-square .24 at .05 in a longer simulation.
    assert _size(_readings(knows=False)[name], 0.05) > 0.12
