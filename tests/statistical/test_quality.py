"""How often windows without a fault violate a check of data quality: at most as often as is promised."""

import numpy as np
import pytest
from numpy.random import Generator

from detectors.checks import CheckStatus
from state.quality import QualityRules, column_checks
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
