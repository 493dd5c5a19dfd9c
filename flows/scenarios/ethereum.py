"""Hourly returns of a coin: a crash, a spike of volatility, and a feed that reports no volume."""

from typing import Final

import numpy as np

from detectors.base import FloatArray
from detectors.checks import Family
from flows.scenarios.base import BLOCK_ROWS, Values
from flows.scenarios.cuts import Block
from flows.scenarios.drawn import Drawn, DrawnScenario, Failing, within
from state.columns import Role

_SHOCK: Final = within((0.4, 0.415))
_SPIKE: Final = within((0.55, 0.65))
_SILENT: Final = within((0.8, 0.9))
_MARKET: Final = within(*_SHOCK.spans, *_SPIKE.spans)
_FEED: Final = within(*_MARKET.spans, *_SILENT.spans)

_SCALE: Final = 0.8
"""Of hourly returns in percent; Student's t with four degrees of freedom, as tails of returns are fat."""

_DEGREES: Final = 4
_SHOCK_MEAN: Final = -3.0
_SPIKE_FACTOR: Final = 2.5
_SILENT_SHARE: Final = 0.3


def _returns(block: Block) -> FloatArray:
    """Draw the returns of a block; the block before it needs the first of them as its last label."""
    rng = block.rng(1)
    usual = _SCALE * rng.standard_t(_DEGREES, BLOCK_ROWS)
    return usual * (1.0 + (_SPIKE_FACTOR - 1.0) * block.levels(rng, _SPIKE)) + _SHOCK_MEAN * block.levels(
        rng, _SHOCK
    )


def _draw(block: Block) -> dict[str, Values]:
    rng, count = block.rng(), BLOCK_ROWS
    returns = _returns(block)
    coming = np.append(returns[1:], _returns(block.next)[0])
    size = np.abs(returns)
    spread = size * rng.uniform(1.0, 1.6, count) + 0.3 * rng.gamma(2.0, 0.5, count)
    volume = np.exp(9.0 + 0.3 * np.minimum(size / _SCALE, 6.0) + rng.normal(0.0, 0.4, count))
    silent = (rng.random(count) < _SILENT_SHARE) & (block.levels(rng, _SILENT) > 0)
    trades = rng.poisson(volume / 12.0)
    return {
        "return_pct": np.round(returns, 4),
        "range_pct": np.round(spread, 4),
        "volume": np.where(silent, 0.0, np.round(volume, 3)),
        "trades": np.where(silent, 0, trades).astype(np.int64),
        "prediction": np.round(0.5 * coming + rng.normal(0.0, 0.3, count), 4),
        "next_return_pct": np.round(coming, 4),
    }


ETHEREUM: Final = DrawnScenario(
    name="ethereum",
    description="Hourly returns of a coin and their forecast: a crash, wild days, volumes of zero.",
    table=(
        Drawn(
            name="return_pct",
            shape=_MARKET,
            effect="mean -3, later values times 2.5",
            description="Return of the hour in percent.",
        ),
        Drawn(
            name="range_pct",
            shape=_MARKET,
            effect="wider",
            description="Highest less lowest price of the hour, in percent.",
        ),
        Drawn(
            name="volume",
            shape=_FEED,
            effect="higher, later 30 % zeros",
            description="Traded volume; grows with the size of the return.",
        ),
        Drawn(
            name="trades",
            shape=_FEED,
            effect="higher, later 30 % zeros",
            description="Number of trades; follows the volume.",
        ),
        Drawn(
            name="prediction",
            role=Role.PREDICTION,
            shape=_MARKET,
            effect="follows the market",
            nested=False,
            description="Forecast of the next hour's return.",
        ),
        Drawn(
            name="next_return_pct",
            role=Role.LABEL,
            shape=_MARKET,
            effect="follows the market",
            nested=False,
            description="Return of the next hour.",
        ),
    ),
    draw=_draw,
    failing=(
        *(
            Failing(
                family=Family.QUALITY,
                check="zero_share",
                feature=feature,
                shape=_SILENT,
                description="One exchange reports nothing, and the feed makes 0 of it.",
                effect="share of zeros 0 -> 0.3",
            )
            for feature in ("volume", "trades")
        ),
        *(
            Failing(
                family=Family.PERFORMANCE,
                check=check,
                shape=_MARKET,
                description="The market moves more than the forecast dares to say.",
                effect="errors about 2 times as large",
            )
            for check in ("mae", "rmse")
        ),
    ),
    step_ms=3_600_000,
)
"""The scenario of fat tails."""
