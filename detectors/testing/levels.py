"""Whether p-values hold their level; a class of tests to inherit, given a fixture `detector`."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest

from detectors.base import Detector, FloatArray, Kind, Moments, Summary
from detectors.calibration import Calibration, measure_tails

REFERENCE_ROWS, REFERENCES, WINDOWS = 20_000, 25, 25
"""Each reference is an estimate, so a level holds over references: so many, each with some windows."""

BINS, GROUPS = 64, 10

Draw = Callable[[np.random.Generator, int], FloatArray]

NUMERIC: Mapping[str, Draw] = MappingProxyType(
    {
        "normal": lambda rng, n: rng.normal(size=n),
        "lognormal": lambda rng, n: rng.lognormal(size=n),
        "counts": lambda rng, n: rng.poisson(3.0, n).astype(np.float64),
        "zeros": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.gamma(2.0, size=n)),
    }
)
"""Columns without and with ties."""

CATEGORICAL: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"two": (0.7, 0.3), "ten": (0.1,) * 10, "rare": (0.5, 0.3, 0.19, 0.005, 0.003, 0.0015, 0.0005)}
)
"""Shares of categories."""


class LevelContract:
    """Tests of the p-values of one detector, from the fixture `detector`, in seconds.

    Where it gives a p-value at all, it is at most alpha in a share alpha of windows without drift, whatever
    the column: no p-value with a reason is better than a wrong one.
    """

    @pytest.mark.parametrize("n", [50, 500])
    @pytest.mark.parametrize("law", NUMERIC)
    def test_a_level_holds_on_a_numeric_column(self, detector: Detector, law: str, n: int) -> None:
        if Kind.NUMERIC in detector.kinds and detector.has_p_value:
            _check(detector, _numeric_pairs(law, n))

    @pytest.mark.parametrize("n", [50, 500])
    @pytest.mark.parametrize("law", CATEGORICAL)
    def test_a_level_holds_on_a_categorical_column(self, detector: Detector, law: str, n: int) -> None:
        if Kind.CATEGORICAL in detector.kinds and detector.has_p_value:
            _check(detector, _categorical_pairs(law, n))


_Pairs = tuple[tuple[Summary, tuple[Summary, ...]], ...]
"""References, each with its windows."""


def _check(detector: Detector, pairs: _Pairs) -> None:
    found = [
        detector.compare(reference, window).p_value for reference, windows in pairs for window in windows
    ]
    p_values = np.array([p_value for p_value in found if p_value is not None])
    for alpha in (0.05, 0.01) if p_values.size else ():
        error = 4 * math.sqrt(alpha * (1 - alpha) / p_values.size)
        size = float((p_values <= alpha).mean())
        assert size <= 1.1 * alpha + error, f"p <= {alpha} in {size:.3f} of windows without drift"


@cache
def _numeric_pairs(law: str, n: int) -> _Pairs:
    rng = np.random.default_rng([n, *law.encode()])
    return tuple(_numeric_pair(rng, NUMERIC[law], n) for _ in range(REFERENCES))


@cache
def _categorical_pairs(law: str, n: int) -> _Pairs:
    rng = np.random.default_rng([n, *law.encode()])
    return tuple(_categorical_pair(rng, np.array(CATEGORICAL[law]), n) for _ in range(REFERENCES))


def _numeric_pair(rng: np.random.Generator, draw: Draw, n: int) -> tuple[Summary, tuple[Summary, ...]]:
    """Draw a reference and windows over bins of about equal share; a frequent value has one of its own."""
    rows = draw(rng, REFERENCE_ROWS)
    values, times = np.unique(rows, return_counts=True)
    atoms = values[times >= REFERENCE_ROWS / BINS]
    quantiles = np.quantile(rows, np.arange(1, BINS) / BINS, method="inverted_cdf")
    edges = np.unique(np.concatenate([quantiles, atoms, np.nextafter(atoms, -np.inf)]))
    shares = np.bincount(np.searchsorted(edges, rows), minlength=edges.size + 1) / rows.size
    middles = shares.cumsum() - shares / 2
    groups = np.unique((middles * GROUPS).astype(np.int64), return_inverse=True)[1].astype(np.int64)
    continuous = bool(times.max() <= 0.05 * REFERENCE_ROWS)
    known = Calibration(tails=measure_tails(rows, edges))

    def summary(side: FloatArray, calibration: Calibration | None) -> Summary:
        place = np.searchsorted(edges, side)
        return Summary(
            kind=Kind.NUMERIC,
            counts=np.bincount(place, minlength=edges.size + 1).astype(np.int64),
            groups=groups,
            continuous=continuous,
            edges=edges,
            moments=Moments(
                bin_sums=np.bincount(place, weights=side, minlength=edges.size + 1).astype(np.float64),
                mean=float(side.mean()),
                variance=float(side.var()),
                minimum=float(side.min()),
                maximum=float(side.max()),
            ),
            calibration=calibration,
        )

    return summary(rows, known), tuple(summary(draw(rng, n), None) for _ in range(WINDOWS))


def _categorical_pair(
    rng: np.random.Generator, shares: FloatArray, n: int
) -> tuple[Summary, tuple[Summary, ...]]:
    groups = np.arange(shares.size)
    reference, *windows = [
        Summary(kind=Kind.CATEGORICAL, counts=counts, groups=groups, continuous=False)
        for counts in (rng.multinomial(REFERENCE_ROWS, shares), *rng.multinomial(n, shares, WINDOWS))
    ]
    return reference, tuple(windows)
