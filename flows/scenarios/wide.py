"""The row of the benchmarks: thirty numbers, five texts, about 770 bytes of JSON."""

from typing import Final

from flows.scenarios.laws import (
    Beta,
    CategoricalLaw,
    Gamma,
    LogNormal,
    Normal,
    NumericLaw,
    Poisson,
    Sampler,
    Uniform,
    ZeroInflated,
    zipf_shares,
)
from flows.scenarios.shapes import STILL, sudden
from flows.scenarios.table import Feature, TableScenario
from state.columns import Role

_SAMPLERS: Final[tuple[Sampler, ...]] = (
    Normal(0.0, 1.0),
    LogNormal(2.0, 0.7),
    Gamma(2.0, 5.0),
    Uniform(-1.0, 1.0),
    ZeroInflated(0.5, LogNormal(1.0, 0.6)),
    Poisson(20.0),
)

_SHIFTED: Final = frozenset({0, 7, 14, 21, 25})
"""Numbers of the numeric features that drift: normal, lognormal twice, gamma and uniform."""

_LEVEL_COUNTS: Final = (3, 8, 20, 60, 200)

_LAST_THIRD: Final = sudden(2 / 3)


def _number(number: int) -> Feature:
    """Feature `number` of 30: the families take turns, the second half has six decimals."""
    drifts = number in _SHIFTED
    return Feature(
        name=f"f{number:02d}",
        law=NumericLaw(
            sampler=_SAMPLERS[number % len(_SAMPLERS)],
            decimals=None if number < 15 else 6,  # noqa: PLR2004  # half of thirty
            shift_sd=0.5 if drifts else 0.0,
        ),
        shape=_LAST_THIRD if drifts else STILL,
        description="Jumps in the last third." if drifts else "Stays as it is.",
    )


def _text(levels: int) -> Feature:
    """Build the feature with `levels` levels; in the one of eight the rarest becomes frequent."""
    shares = zipf_shares(levels)
    drifts = levels == 8  # noqa: PLR2004  # one of the level counts
    return Feature(
        name=f"c{levels}",
        law=CategoricalLaw(
            levels=tuple(f"value_{rank:03d}" for rank in range(levels)),
            shares=shares,
            drifted=(*(0.8 * share for share in shares[:-1]), 0.8 * shares[-1] + 0.2) if drifts else None,
        ),
        shape=_LAST_THIRD if drifts else STILL,
        description="Its rarest level becomes frequent in the last third." if drifts else "Stays as it is.",
    )


WIDE: Final = TableScenario(
    name="wide",
    description="Thirty numbers and five texts per row; six of them drift in the last third.",
    features=(
        *(_number(number) for number in range(30)),
        *(_text(levels) for levels in _LEVEL_COUNTS),
        Feature(
            name="prediction",
            law=NumericLaw(sampler=Beta(2.0, 2.0), decimals=6),
            role=Role.PREDICTION,
            nested=False,
            description="Predicted probability; stays as it is.",
        ),
        Feature(
            name="latency_ms",
            law=NumericLaw(sampler=LogNormal(2.5, 0.4), decimals=3),
            nested=False,
            description="Time the model took; stays as it is.",
        ),
    ),
)
"""The scenario of the benchmarks."""
