"""The contracts of driftflow, and what is this detector's own."""

import numpy as np
import pytest
from driftflow_kuiper import Kuiper, kuiper_grid

from detectors.base import Detector
from detectors.registry import detector as registered
from detectors.testing import DetectorContract, LevelContract


@pytest.fixture(scope="module")
def detector() -> Detector:
    # By its name: so the entry point is tested as well.
    return registered("kuiper")


class TestKuiper(DetectorContract, LevelContract):
    pass


def test_the_entry_point_leads_here(detector: Detector) -> None:
    assert isinstance(detector, Kuiper)


def test_where_the_circle_is_cut_makes_no_difference() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.multinomial(1_000, [1 / 24] * 24), rng.multinomial(200, [1 / 24] * 24)
    there = kuiper_grid(reference, current)
    for hours in range(1, 24):
        assert kuiper_grid(np.roll(reference, hours), np.roll(current, hours)) == pytest.approx(there)
