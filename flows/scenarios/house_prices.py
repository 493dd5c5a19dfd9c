"""A house-price model: features that drift, prices that leave it behind, and labels that come late."""

from typing import Final

import numpy as np

from detectors.base import Kind
from detectors.checks import Family
from flows.scenarios.base import BLOCK_ROWS, DriftKind, LateLabels, Values
from flows.scenarios.cuts import Block
from flows.scenarios.drawn import Drawn, DrawnScenario, Failing, pick, texts, within
from flows.scenarios.shapes import Shape, gradual, sudden
from flows.scenarios.traffic import OFFICE_HOURS, Traffic
from state.columns import Column, Role

_SMALLER: Final = gradual(0.3, 0.5)
_FARTHER: Final = sudden(0.5)
_DEARER: Final = sudden(0.7)
_BURST: Final = (0.8, 0.9, 8.0)
_LULL: Final = (0.92, 0.97, 0.2)

_MOVED: Final = Shape(kind=DriftKind.GRADUAL, spans=_SMALLER.spans, full_from=0.5)
"""Of the predictions: they follow the area first, and the distance from the middle on."""

_DISTRICTS: Final = ("north", "east", "south", "west", "centre", "harbour")
_DISTRICT_SHARES: Final = (0.24, 0.22, 0.2, 0.16, 0.12, 0.06)
_DISTRICT_WORTH: Final = np.array([0.0, -0.08, 0.05, 0.02, 0.3, 0.22])
_CONDITIONS: Final = ("poor", "fair", "good", "new")
_CONDITION_SHARES: Final = (0.1, 0.35, 0.4, 0.15)
_CONDITION_WORTH: Final = np.array([-0.15, 0.0, 0.08, 0.2])

_NOISE_SD: Final = 0.1
"""Of the logarithm of a price around what its features say."""

_MODEL_SD: Final = 0.05
"""Of the model's own error, on the same scale."""

_HALF_WIDTH: Final = 1.6449 * float(np.hypot(_NOISE_SD, _MODEL_SD))
"""Half of the 90 % interval: 1.6449 is the 95 % quantile of the standard normal."""

_RISE: Final = 0.2
"""What degradation adds to the logarithm of prices, and not to predictions."""


def _draw(block: Block) -> dict[str, Values]:
    rng, count = block.rng(), BLOCK_ROWS
    area = np.exp(rng.normal(np.log(95.0), 0.35, count))
    area *= 1.0 - 0.2 * block.levels(rng, _SMALLER)
    rooms = np.clip(np.rint(area / 26.0 + rng.normal(0.0, 0.7, count)), 1, 12)
    age = np.rint(rng.gamma(2.0, 18.0, count))
    distance = rng.gamma(2.0, 4.0, count) * (1.0 + 0.4 * block.levels(rng, _FARTHER))
    garden = np.where(rng.random(count) < 0.45, 0.0, rng.lognormal(5.0, 0.8, count))  # noqa: PLR2004  # share without
    district = pick(rng, _DISTRICT_SHARES, count)
    condition = pick(rng, _CONDITION_SHARES, count)
    worth = (
        12.4
        + 0.85 * np.log(area / 95.0)
        + 0.02 * rooms
        - 0.003 * age
        - 0.02 * distance
        + 0.0002 * np.minimum(garden, 1000.0)
        + _DISTRICT_WORTH[district]
        + _CONDITION_WORTH[condition]
    )
    price = worth + rng.normal(0.0, _NOISE_SD, count) + _RISE * block.levels(rng, _DEARER)
    predicted = worth + rng.normal(0.0, _MODEL_SD, count)
    return {
        "area_m2": np.round(area, 1),
        "rooms": rooms.astype(np.int64),
        "age_years": age.astype(np.int64),
        "distance_km": np.round(distance, 2),
        "garden_m2": np.round(garden, 1),
        "district": texts(district, _DISTRICTS),
        "condition": texts(condition, _CONDITIONS),
        "prediction": np.round(np.exp(predicted), 2),
        "interval_low": np.round(np.exp(predicted - _HALF_WIDTH), 2),
        "interval_high": np.round(np.exp(predicted + _HALF_WIDTH), 2),
        "price": np.round(np.exp(price), 2),
    }


def _interval(name: str, role: Role) -> Drawn:
    return Drawn(
        name=name,
        role=role,
        shape=_MOVED,
        effect="moves with the prediction",
        nested=False,
        description="End of the interval that holds 90 % of the prices.",
    )


HOUSE_PRICES: Final = DrawnScenario(
    name="house-prices",
    description="Prices of houses with intervals and late labels: two drifts, then a market that rises.",
    table=(
        Drawn(
            name="area_m2",
            shape=_SMALLER,
            effect="values times 0.8",
            description="Living area; from 30 % to 50 % of the stream small flats displace the usual ones.",
        ),
        Drawn(
            name="rooms",
            shape=_SMALLER,
            effect="one room less in about three of four",
            description="Number of rooms; follows the area.",
        ),
        Drawn(name="age_years", description="Age of the house; stays as it is."),
        Drawn(
            name="distance_km",
            shape=_FARTHER,
            effect="values times 1.4",
            description="Way to the centre; jumps in the middle of the stream.",
        ),
        Drawn(name="garden_m2", description="Size of the garden; 45 % have none."),
        Drawn(name="district", kind=Kind.CATEGORICAL, description="District; six levels."),
        Drawn(name="condition", kind=Kind.CATEGORICAL, description="Condition; four levels."),
        Drawn(
            name="prediction",
            role=Role.PREDICTION,
            shape=_MOVED,
            effect="lower by about a fifth",
            nested=False,
            description="Predicted price; follows area and distance.",
        ),
        _interval("interval_low", Role.INTERVAL_LOW),
        _interval("interval_high", Role.INTERVAL_HIGH),
    ),
    draw=_draw,
    failing=(
        *(
            Failing(
                family=Family.PERFORMANCE,
                check=check,
                shape=_DEARER,
                description="The market rises at 70 % of the stream; the model does not know.",
                effect="prices times 1.22",
            )
            for check in ("mae", "rmse", "mape", "bias", "r2")
        ),
        Failing(
            family=Family.PERFORMANCE,
            check="coverage",
            shape=_DEARER,
            description="The interval holds fewer of the prices than the 90 % it is made for.",
            effect="coverage 0.9 -> about 0.4",
        ),
        Failing(
            family=Family.QUALITY,
            check="volume_burst",
            shape=within(_BURST[:2]),
            description="A crawler asks for prices.",
            effect="8 times as many rows",
        ),
        Failing(
            family=Family.QUALITY,
            check="low_volume",
            shape=within(_LULL[:2]),
            description="Half of the callers lose their connection.",
            effect="a fifth of the rows",
        ),
    ),
    traffic=Traffic(hours=OFFICE_HOURS.hours, days=OFFICE_HOURS.days, paces=(_BURST, _LULL)),
    late_labels=LateLabels(
        column=Column(name="price", path="price", kind=Kind.NUMERIC, role=Role.LABEL),
        longest_steps=2_880,
        never=0.05,
    ),
)
"""The scenario of models whose truth comes late."""
