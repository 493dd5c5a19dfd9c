"""How often windows without a fault violate a check of data quality: at most as often as is promised."""

import numpy as np
import pytest
from numpy.random import Generator

from detectors.calibration import Calibration, Fault
from detectors.checking import check_share
from detectors.checks import CheckStatus, Counted, Family, Sensitivity
from state.quality import QualityRules, column_checks
from state.reference import FeatureReference
from state.spans import SPAN_ROWS
from tests.evidence import sketch_of
from tests.state.test_quality import categorical, numeric

LEVEL = 0.05
"""Far above the default, so that few windows show whether it holds."""

REFERENCES, WINDOWS = 60, 40
NAN = float("nan")


def numbers(rng: Generator, rows: int) -> list[float]:
    """Log-normal values with zeros and gaps: every check of numbers has something to count."""
    values = np.where(rng.random(rows) < 0.02, 0.0, rng.lognormal(0, 1, rows))
    return [*np.where(rng.random(rows) < 0.03, NAN, values).tolist()]


def names(rng: Generator, rows: int) -> list[str | None]:
    found = rng.zipf(1.5, rows).tolist()
    return [None if gap else f"m{name}" for name, gap in zip(found, rng.random(rows) < 0.03, strict=True)]


def in_clumps(rng: Generator, rows: int) -> list[float]:
    """Values with gaps of 20 rows each, 4 % of all."""
    values = rng.normal(size=rows)
    for start in np.flatnonzero(rng.random(rows) < 0.04 / 20).tolist():
        values[start : start + 20] = NAN
    return [*values.tolist()]


def knowing(rows: list[float]) -> FeatureReference:
    """A reference that knows where its gaps are, as one does that is built from rows in order."""
    missing = np.isnan(rows).reshape(-1, SPAN_ROWS).sum(axis=1)
    present = SPAN_ROWS - missing
    chunks = np.column_stack([present // 2, present - present // 2])
    return numeric(rows, Calibration(chunks=chunks, faults={Fault.MISSING: missing}))


@pytest.mark.statistical
def test_gaps_that_come_in_clumps_keep_to_the_level() -> None:
    rng = np.random.default_rng(82)
    limits = Sensitivity(level=LEVEL, min_excess=0.0)
    alarms, deaf = [], 0
    for _ in range(REFERENCES):
        rows = in_clumps(rng, 10_000)
        reference = knowing(rows)
        assert reference.calibration is not None
        clump = reference.calibration.clump(Fault.MISSING, 1_000)
        before = Counted(count=int(np.isnan(rows).sum()), n=len(rows))
        alarmed = 0
        for _ in range(WINDOWS):
            now = Counted(count=int(np.isnan(in_clumps(rng, 1_000)).sum()), n=1_000)
            found = (check_share("m", Family.QUALITY, now, before, limits, clump=c) for c in (clump, 1.0))
            one, other = (check.status is CheckStatus.VIOLATED for check in found)
            alarmed, deaf = alarmed + one, deaf + other
        alarms.append(alarmed / WINDOWS)
    error = float(np.std(alarms)) / REFERENCES**0.5
    assert np.mean(alarms) - 3 * error <= LEVEL
    # Taken for independent rows, gaps violate the check in every fourth window or more.
    assert deaf / (REFERENCES * WINDOWS) > 0.25


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["numeric", "categorical"])
@pytest.mark.parametrize(("rows", "window"), [(400, 60), (2_000, 400)])
def test_no_more_windows_violate_a_check_than_the_level_says(kind: str, rows: int, window: int) -> None:
    rng = np.random.default_rng([81, rows])
    # Not a row more than chance matters here, or the smallest excess would hide what the tests do.
    rules = QualityRules(level=LEVEL, min_excess=0.0, min_rows=50)
    alarms = []
    for _ in range(REFERENCES):
        reference = numeric(numbers(rng, rows)) if kind == "numeric" else categorical(names(rng, rows))
        alarmed = 0
        for _ in range(WINDOWS):
            drawn = numbers(rng, window) if kind == "numeric" else names(rng, window)
            found = column_checks(reference, sketch_of(reference.bins, drawn), rules)
            alarmed += any(check.status is CheckStatus.VIOLATED for check in found)
        alarms.append(alarmed / WINDOWS)
    # Windows of one reference are alike, references are not: the error is that of their mean.
    error = float(np.std(alarms)) / REFERENCES**0.5
    assert np.mean(alarms) - 3 * error <= LEVEL
    assert np.mean(alarms) > 0
