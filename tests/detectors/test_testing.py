"""The contracts that are given away find what they are for."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from detectors.base import Detector, Kind, Reading, Summary
from detectors.means import MeanShift
from detectors.ordered import KolmogorovSmirnov
from detectors.testing import DetectorContract, LevelContract


@dataclass(frozen=True)
class Eager:
    """Kolmogorov-Smirnov whose p-values are squared: .05 is reached by .22 of windows."""

    name: ClassVar[str] = "eager"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        found = KolmogorovSmirnov().compare(reference, current)
        squared = None if found.p_value is None else found.p_value**2
        return replace(found, method=self.name, p_value=squared)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        return KolmogorovSmirnov().limit(reference, n, level)


def test_p_values_that_are_too_small_are_found() -> None:
    contract = LevelContract()
    with pytest.raises(AssertionError, match=r"p <= 0.05 in 0\.\d+ of windows without drift"):
        contract.test_a_level_holds_on_a_numeric_column(Eager(), "normal", 500)
    # There it gives none.
    contract.test_a_level_holds_on_a_numeric_column(Eager(), "zeros", 500)
    contract.test_a_level_holds_on_a_categorical_column(Eager(), "two", 500)


@pytest.mark.parametrize("detector", [MeanShift()])
def test_a_sign_that_is_not_declared_is_found(detector: Detector) -> None:
    with pytest.raises(AssertionError):
        DetectorContract().test_readings_are_finite_and_well_formed(detector)
