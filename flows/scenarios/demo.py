"""A payment model with one drift of each kind among features that stay as they are."""

from typing import Final

from flows.scenarios.laws import (
    Beta,
    CategoricalLaw,
    Gamma,
    LogNormal,
    Normal,
    NumericLaw,
    Poisson,
    Uniform,
    ZeroInflated,
)
from flows.scenarios.shapes import gradual, incremental, recurring, sudden
from flows.scenarios.table import Decision, Feature, TableScenario
from state.columns import Role

_DRIFTING: Final = (
    Feature(
        name="income",
        law=NumericLaw(sampler=Normal(3200.0, 800.0), shift_sd=0.5, decimals=2),
        shape=sudden(0.5),
        description="Monthly income; jumps in the middle of the stream and stays.",
    ),
    Feature(
        name="country",
        law=CategoricalLaw(
            levels=("DE", "FR", "IT", "ES", "NL", "PL", "BR"),
            shares=(0.34, 0.22, 0.16, 0.12, 0.09, 0.07, 0.0),
            drifted=(0.29, 0.19, 0.14, 0.11, 0.08, 0.06, 0.13),
        ),
        shape=sudden(0.6),
        description="Country of the card; at 60 % a level appears that the reference does not know.",
    ),
    Feature(
        name="session_s",
        law=NumericLaw(sampler=Gamma(2.0, 90.0), factor=1.4, decimals=1),
        shape=gradual(0.4, 0.6),
        description="Length of the session; from 40 % to 60 % long ones displace the usual, one by one.",
    ),
    Feature(
        name="amount",
        law=NumericLaw(sampler=LogNormal(3.5, 0.6), factor=1.5, decimals=2),
        shape=incremental(0.3, 0.9),
        description="Amount paid; grows slowly from 30 % to 90 %, as prices do.",
    ),
    Feature(
        name="distance_km",
        law=NumericLaw(sampler=Uniform(0.0, 100.0), shift_sd=0.5, decimals=3),
        shape=recurring((0.2, 0.3), (0.5, 0.6), (0.8, 0.9)),
        description="Distance to the shop; moves away and returns three times.",
    ),
)

_STILL: Final = (
    Feature(
        name="items",
        law=NumericLaw(sampler=Poisson(3.0), integer=True),
        description="Number of items; small whole numbers.",
    ),
    Feature(
        name="discount",
        law=NumericLaw(sampler=ZeroInflated(0.7, LogNormal(1.5, 0.5)), decimals=2),
        description="Discount; 70 % of the rows have none.",
    ),
    Feature(
        name="tenure_months",
        law=NumericLaw(sampler=Gamma(3.0, 8.0), decimals=1),
        missing=0.01,
        description="Age of the account; missing in 1 % of the rows.",
    ),
    Feature(
        name="device",
        law=CategoricalLaw(levels=("phone", "desktop", "tablet"), shares=(0.62, 0.3, 0.08)),
        description="Device; three levels.",
    ),
    Feature(
        name="plan",
        law=CategoricalLaw(levels=("free", "basic", "plus", "business"), shares=(0.45, 0.3, 0.18, 0.07)),
        description="Plan; four levels.",
    ),
    Feature(
        name="score",
        law=NumericLaw(sampler=Beta(2.0, 5.0), decimals=4),
        role=Role.SCORE,
        nested=False,
        description="Probability that the payment is fraud.",
    ),
)

DEMO: Final = TableScenario(
    name="demo",
    description="Twelve columns of a payment model; five drift, each in its own way.",
    features=_DRIFTING + _STILL,
    decision=Decision(name="prediction", source="score", threshold=0.5, below="accept", above="decline"),
)
"""The scenario of the demonstration."""
