"""Any number of features, none of which drifts: what false alarms are counted on."""

from typing import Final

from flows.scenarios.base import ScenarioError
from flows.scenarios.laws import (
    CategoricalLaw,
    Gamma,
    Law,
    LogNormal,
    Normal,
    NumericLaw,
    Poisson,
    Uniform,
    ZeroInflated,
    zipf_shares,
)
from flows.scenarios.table import Feature, TableScenario

DEFAULT_FEATURES: Final = 20

_FAMILIES: Final[tuple[tuple[str, Law], ...]] = (
    ("normal", NumericLaw(sampler=Normal(0.0, 1.0))),
    ("category4", CategoricalLaw(levels=("a", "b", "c", "d"), shares=(0.4, 0.3, 0.2, 0.1))),
    ("lognormal", NumericLaw(sampler=LogNormal(1.0, 0.8))),
    ("count", NumericLaw(sampler=Poisson(4.0), integer=True)),
    ("gamma", NumericLaw(sampler=Gamma(2.0, 3.0))),
    (
        "category12",
        CategoricalLaw(levels=tuple(f"level_{rank:02d}" for rank in range(12)), shares=zipf_shares(12)),
    ),
    ("uniform", NumericLaw(sampler=Uniform(0.0, 1.0))),
    ("zero_inflated", NumericLaw(sampler=ZeroInflated(0.6, LogNormal(0.0, 0.5)))),
)


def stationary(features: int = DEFAULT_FEATURES) -> TableScenario:
    """Build a scenario of `features` features that take turns through eight families, two categorical.

    Raises
    ------
    ScenarioError
        `features` is less than 1.
    """
    if features < 1:
        raise ScenarioError(f"features is {features}, wanted at least 1: pass a larger number")
    turns = ((number, *_FAMILIES[number % len(_FAMILIES)]) for number in range(features))
    return TableScenario(
        name="stationary",
        description="Features of eight families, none of which drifts.",
        features=tuple(
            Feature(name=f"{family}_{number:03d}", law=law, description=f"Family {family}; stays as it is.")
            for number, family, law in turns
        ),
    )
