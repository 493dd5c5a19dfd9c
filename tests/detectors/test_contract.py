"""Every registered detector meets the contracts, without being listed here."""

import pytest

from detectors import registry
from detectors.base import Detector
from detectors.testing import DetectorContract, LevelContract

SIGNED = frozenset({"mean_shift", "rank_mean", "rank_scale"})
"""Detectors whose documentation says that their score has a sign."""

ONE_WAY = frozenset({"mean_shift", "kl"})
"""Detectors that measure in units of the reference alone, so that the sides cannot change places."""

LAW_OF_REFERENCE = frozenset({"psi", "js", "hellinger"})
"""Detectors whose p-value rests on what the reference holds, so that it may exist one way round only."""


@pytest.fixture(scope="module", params=registry.detector_names())
def detector(request: pytest.FixtureRequest) -> Detector:
    return registry.detector(request.param)


class TestRegisteredDetectors(DetectorContract):
    def is_signed(self, detector: Detector) -> bool:
        return detector.name in SIGNED

    def is_symmetric(self, detector: Detector) -> bool:
        return detector.name not in ONE_WAY

    def has_symmetric_law(self, detector: Detector) -> bool:
        return detector.name not in LAW_OF_REFERENCE


@pytest.mark.statistical
class TestTheirLevels(LevelContract):
    pass
