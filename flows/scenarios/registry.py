"""Scenarios by name."""

from collections.abc import Callable
from typing import Final

from flows.scenarios.base import Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.churn import CHURN
from flows.scenarios.clinical import CLINICAL
from flows.scenarios.demo import DEMO
from flows.scenarios.ethereum import ETHEREUM
from flows.scenarios.house_prices import HOUSE_PRICES
from flows.scenarios.stationary import DEFAULT_FEATURES, stationary
from flows.scenarios.wide import WIDE

_FIXED: Final[dict[str, Scenario]] = {
    found.name: found for found in (DEMO, WIDE, HOUSE_PRICES, CHURN, ETHEREUM, CLINICAL)
}

_OPEN: Final[dict[str, Callable[[int], Scenario]]] = {"stationary": stationary}


def scenario_names() -> tuple[str, ...]:
    """Return the names of all scenarios, sorted."""
    return tuple(sorted(_FIXED | _OPEN))


def scenario(name: str, options: ScenarioOptions | None = None) -> Scenario:
    """Return a scenario by name, as wide as `options.features` says where it leaves that open.

    Raises
    ------
    ScenarioError
        There is no such scenario, or it has features of its own and `options.features` asks for others.
    """
    features = None if options is None else options.features
    if name in _OPEN:
        return _OPEN[name](DEFAULT_FEATURES if features is None else features)
    if name not in _FIXED:
        raise ScenarioError(f"scenario {name!r} is unknown, wanted one of {', '.join(scenario_names())}")
    if features is not None:
        raise ScenarioError(
            f"scenario {name} has columns of its own, features is {features}: leave it out, or take one of "
            f"{', '.join(sorted(_OPEN))}"
        )
    return _FIXED[name]
