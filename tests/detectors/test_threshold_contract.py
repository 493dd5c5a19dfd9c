"""Every registered threshold meets the contract, with the options it has by default and with others."""

import pytest

from detectors import threshold_registry
from detectors.thresholds import Threshold
from tests.contracts.threshold import ThresholdContract

REQUIRED: dict[str, dict[str, object]] = {"constant": {"value": 0.1}}
"""Options without a default."""

OTHERS: list[tuple[str, dict[str, object]]] = [
    ("history", {"exceeding": "learn", "least": 2, "windows": 5}),
    ("ewma", {"exceeding": "skip", "least": 2, "span": 2.5}),
    ("reference", {"quantile": 0.5}),
    ("constant", {"value": 0.1, "margin": 1.8}),
    ("constant", {"value": 0.1, "unit": "deviation"}),
    ("chunks", {"sigmas": 1.5, "least": 2}),
]

ALL = [(name, REQUIRED.get(name, {})) for name in threshold_registry.threshold_names()] + OTHERS


@pytest.fixture(scope="module", params=ALL, ids=str)
def threshold(request: pytest.FixtureRequest) -> Threshold:
    name, options = request.param
    return threshold_registry.threshold(name, options)


class TestRegisteredThresholds(ThresholdContract):
    pass
