"""Thirty measurements of cells that depend on each other, and class probabilities: the worst values move."""

from typing import Final

import numpy as np

from detectors.base import FloatArray
from flows.scenarios.base import BLOCK_ROWS, Values
from flows.scenarios.cuts import Block
from flows.scenarios.drawn import Drawn, DrawnScenario
from flows.scenarios.shapes import STILL, sudden
from state.columns import Role

_CENTRES: Final = {
    "radius": (13.7, 0.345, 15.6),
    "texture": (18.8, 1.11, 25.0),
    "perimeter": (89.0, 2.43, 103.0),
    "area": (580.0, 29.4, 747.0),
    "smoothness": (0.0953, 0.00655, 0.13),
    "compactness": (0.0925, 0.0207, 0.212),
    "concavity": (0.0583, 0.024, 0.196),
    "concave_points": (0.0364, 0.0108, 0.0983),
    "symmetry": (0.179, 0.0193, 0.284),
    "fractal_dimension": (0.0624, 0.00325, 0.0823),
}
"""Geometric means of mean, error and worst: those of scikit-learn's copy of the Wisconsin data set."""

_SPREADS: Final = {
    "radius": (0.24, 0.54, 0.28),
    "texture": (0.22, 0.43, 0.24),
    "perimeter": (0.25, 0.54, 0.29),
    "area": (0.48, 0.73, 0.55),
    "smoothness": (0.15, 0.37, 0.17),
    "compactness": (0.49, 0.65, 0.62),
    "concavity": (1.08, 0.84, 0.98),
    "concave_points": (0.86, 0.48, 0.64),
    "symmetry": (0.15, 0.34, 0.2),
    "fractal_dimension": (0.11, 0.53, 0.2),
}
"""Standard deviations of their logarithms, from the same data."""

_NAMES: Final = tuple(
    form.format(measure) for form in ("mean_{}", "{}_error", "worst_{}") for measure in _CENTRES
)
_CENTRE: Final = np.array([_CENTRES[measure][i] for i in range(3) for measure in _CENTRES])
_SPREAD: Final = np.array([_SPREADS[measure][i] for i in range(3) for measure in _CENTRES])

_FACTORS: Final = 4
_SHARED: Final = 0.8
"""Correlation of a measurement with what it shares with the others."""

_CLASSES: Final = ("benign", "suspicious", "malignant")
_OFFSETS: Final = np.array([1.2, 0.3, -0.8])
_SLOPES: Final = np.array([-1.5, 0.0, 1.5])
"""Of the logarithms of what class probabilities are proportional to."""

_SHIFT_SD: Final = 0.5
_MOVED: Final = sudden(0.5)
_MOVING: Final = np.array([name.startswith("worst_") for name in _NAMES])


def _loadings() -> FloatArray:
    """Return how much of each factor is in each measurement; each row has length `_SHARED`."""
    raw = np.cos(np.outer(np.arange(1, len(_NAMES) + 1), np.arange(1, _FACTORS + 1)))
    lengths: FloatArray = np.linalg.norm(raw, axis=1, keepdims=True)
    return _SHARED * raw / lengths


_LOADINGS: Final = _loadings()


def _draw(block: Block) -> dict[str, Values]:
    rng = block.rng()
    factors = rng.normal(size=(BLOCK_ROWS, _FACTORS))
    own = rng.normal(size=(BLOCK_ROWS, len(_NAMES)))
    # A sum in a fixed order: a matrix product may add its terms in another on another machine.
    shared = sum(factors[:, [factor]] * _LOADINGS[:, factor] for factor in range(_FACTORS))
    standard = shared + np.sqrt(1.0 - _SHARED**2) * own
    standard += np.outer(block.levels(rng, _MOVED), _SHIFT_SD * _MOVING)
    values = _CENTRE * np.exp(_SPREAD * standard)
    measured: dict[str, Values] = {name: np.round(values[:, number], 6) for number, name in enumerate(_NAMES)}
    return measured | _probabilities(np.mean(standard[:, _MOVING], axis=1))


def _probabilities(worst: FloatArray) -> dict[str, Values]:
    """Return the probability of each class, from the mean of the worst values in standard deviations."""
    odds = np.exp(np.outer(worst, _SLOPES) + _OFFSETS)
    shares = odds / odds.sum(axis=1, keepdims=True)
    return {name: np.round(shares[:, number], 6) for number, name in enumerate(_CLASSES)}


def _measurement(name: str) -> Drawn:
    moves = name.startswith("worst_")
    return Drawn(
        name=name,
        shape=_MOVED if moves else STILL,
        effect=f"mean of the logarithm +{_SHIFT_SD:g} sd" if moves else "none",
        description="Jumps in the middle of the stream." if moves else "Stays as it is.",
    )


def _score(name: str) -> Drawn:
    return Drawn(
        name=name,
        role=Role.SCORE,
        shape=_MOVED,
        effect="follows the worst values",
        nested=False,
        class_name=name,
        description=f"Probability that the cells are {name}.",
    )


CLINICAL: Final = DrawnScenario(
    name="clinical",
    description="Thirty correlated measurements of cells and three class probabilities; the worst ones move.",
    table=(*map(_measurement, _NAMES), *map(_score, _CLASSES)),
    draw=_draw,
)
"""The scenario of many columns that depend on each other."""
