"""Every registered detector meets the contract, without being listed here."""

import pytest

from detectors import registry
from detectors.base import Detector
from tests.contracts.detector import DetectorContract


@pytest.fixture(scope="module", params=registry.detector_names())
def detector(request: pytest.FixtureRequest) -> Detector:
    return registry.detector(request.param)


class TestRegisteredDetectors(DetectorContract):
    pass
