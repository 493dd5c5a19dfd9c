"""What every detector must do; a class of tests to inherit, given a fixture `detector` of wide scope."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Detector, IncompatibleSummaryError, Kind, Reading, Status, Summary
from detectors.testing.summaries import categorical, frozen_floats, frozen_ints, numeric, summary_pairs

examples = settings(max_examples=50)


def _identical_numeric() -> tuple[Summary, Summary]:
    rows = [0.5, 1.5, 1.5, 2.5, 2.5, 2.5, 7.0]
    return numeric(rows, [1.0, 2.0, 3.0]), numeric(rows, [1.0, 2.0, 3.0])


def _identical_categorical() -> tuple[Summary, Summary]:
    return categorical([5, 0, 20, 3]), categorical([5, 0, 20, 3])


def _pair(kind: Kind) -> tuple[Summary, Summary]:
    return _identical_numeric() if kind is Kind.NUMERIC else _identical_categorical()


def _emptied(summary: Summary) -> Summary:
    return dataclasses.replace(summary, counts=frozen_ints(summary.counts * 0), moments=None)


def _repeated(summary: Summary, times: int) -> Summary:
    moments = summary.moments
    if moments is not None:
        moments = dataclasses.replace(moments, bin_sums=frozen_floats(moments.bin_sums * times))
    return dataclasses.replace(summary, counts=frozen_ints(summary.counts * times), moments=moments)


def _tolerance(summary: Summary) -> float:
    """Rounding that a score in the column's own units may carry."""
    if summary.moments is None:
        return 1e-9
    return 1e-9 * max(1.0, abs(summary.moments.minimum), abs(summary.moments.maximum))


def _check_form(detector: Detector, reading: Reading, *, signed: bool) -> None:
    assert reading.method == detector.name
    if reading.status is not Status.OK:
        assert (reading.score, reading.p_value, reading.bound, reading.debiased) == (None,) * 4
        assert (reading.effect_low, reading.effect_high, reading.n_effective) == (None,) * 3
        assert reading.reason
        return
    assert type(reading.score) is float
    assert math.isfinite(reading.score)
    assert reading.score >= 0 or signed
    for each in (reading.p_value, reading.bound, reading.debiased, reading.effect_low, reading.effect_high):
        assert each is None or (type(each) is float and math.isfinite(each) and each >= 0)
    assert reading.p_value is None or (detector.has_p_value and reading.p_value <= 1)
    assert reading.debiased is None or reading.debiased <= abs(reading.score)
    _check_interval(reading)
    assert reading.n_effective is not None
    assert 0 < reading.n_effective <= reading.n_current
    assert (reading.reason is None) == (reading.p_value is not None)


def _check_interval(reading: Reading) -> None:
    assert (reading.effect_low is None) == (reading.effect_high is None)
    if reading.effect_low is not None and reading.effect_high is not None:
        assert reading.debiased is not None
        assert reading.effect_low <= reading.debiased <= reading.effect_high


def _check_equal(
    one: Reading, other: Reading, tolerance: float, *, p_values: bool = True, signed: bool = False
) -> None:
    """Hold two readings equal up to rounding, and scores with a sign up to that."""
    assert one.status is other.status
    for name in ("score", "bound", "debiased", *(["p_value"] if p_values else [])):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        if name == "score" and signed and left is not None:
            left, right = abs(left), abs(right)
        assert left is None or left == pytest.approx(right, rel=1e-9, abs=tolerance)


class DetectorContract:
    """Tests of one detector, from the fixture `detector`; override what it does not do."""

    def is_signed(self, detector: Detector) -> bool:
        """Whether the score has a sign, as its documentation then says."""
        del detector
        return False

    def is_symmetric(self, detector: Detector) -> bool:
        """Whether reference and window can change places: not where one is the unit of measure."""
        del detector
        return True

    def has_symmetric_law(self, detector: Detector) -> bool:
        """Whether p-values stay when they do: not where a law rests on what the reference holds."""
        del detector
        return True

    def _check(self, detector: Detector, reading: Reading) -> None:
        _check_form(detector, reading, signed=self.is_signed(detector))

    def test_says_what_it_is(self, detector: Detector) -> None:
        assert detector.name
        assert detector.name == detector.name.strip().lower()
        assert detector.kinds
        assert detector.kinds <= frozenset(Kind)
        assert isinstance(detector.has_p_value, bool)
        assert type(detector).__name__ in repr(detector)
        assert type(detector).__name__ in str(detector)

    @examples
    @given(data=st.data())
    def test_readings_are_finite_and_well_formed(self, detector: Detector, data: st.DataObject) -> None:
        reference, current = data.draw(summary_pairs(detector.kinds))
        reading = detector.compare(reference, current)
        self._check(detector, reading)
        assert reading.status is not Status.INSUFFICIENT
        assert (reading.n_reference, reading.n_current) == (reference.n, current.n)
        assert reading == detector.compare(reference, current)

    @examples
    @given(data=st.data(), n=st.integers(1, 10**6))
    def test_a_limit_is_finite_and_rises_as_the_level_falls(
        self, detector: Detector, data: st.DataObject, n: int
    ) -> None:
        reference, _ = data.draw(summary_pairs(detector.kinds))
        limits = [detector.limit(reference, n, level) for level in (0.5, 0.05, 0.01, 0.001)]
        assert limits == [detector.limit(reference, n, level) for level in (0.5, 0.05, 0.01, 0.001)]
        known = [each for each in limits if each is not None]
        assert all(type(each) is float and math.isfinite(each) and each >= 0 for each in known)
        assert known == sorted(known)

    def test_a_limit_needs_a_reference_with_rows(self, detector: Detector) -> None:
        for kind in sorted(detector.kinds):
            assert detector.limit(_emptied(_pair(kind)[0]), 100, 0.05) is None

    @examples
    @given(data=st.data())
    def test_equal_sides_score_zero(self, detector: Detector, data: st.DataObject) -> None:
        reference, _ = data.draw(summary_pairs(detector.kinds))
        reading = detector.compare(reference, reference)
        assert reading.status is Status.UNAVAILABLE or reading.score == 0
        assert reading.p_value is None or reading.p_value > 0.99

    @examples
    @given(data=st.data(), times=st.integers(2, 50))
    def test_equal_shares_score_zero(self, detector: Detector, data: st.DataObject, times: int) -> None:
        reference, _ = data.draw(summary_pairs(detector.kinds))
        reading = detector.compare(reference, _repeated(reference, times))
        if reading.score is not None:
            # A score may hold the noise that it expects of so few rows, if it says how much that is.
            score = reading.score if reading.debiased is None else reading.debiased
            assert score == pytest.approx(0, abs=_tolerance(reference))

    @examples
    @given(data=st.data())
    def test_sides_can_change_places(self, detector: Detector, data: st.DataObject) -> None:
        if not self.is_symmetric(detector):
            return
        reference, current = data.draw(summary_pairs(detector.kinds))
        forth, back = detector.compare(reference, current), detector.compare(current, reference)
        _check_equal(
            back,
            forth,
            _tolerance(reference),
            p_values=self.has_symmetric_law(detector),
            signed=self.is_signed(detector),
        )

    @examples
    @given(data=st.data())
    def test_inputs_stay_as_they_were(self, detector: Detector, data: st.DataObject) -> None:
        reference, current = data.draw(summary_pairs(detector.kinds))
        before = repr((reference, current))
        # The arrays are read-only, so that a write in place raises.
        assert not reference.counts.flags.writeable
        detector.compare(reference, current)
        assert repr((reference, current)) == before

    @examples
    @given(data=st.data())
    def test_the_order_of_categories_means_nothing(self, detector: Detector, data: st.DataObject) -> None:
        if Kind.CATEGORICAL not in detector.kinds:
            return
        reference, current = data.draw(summary_pairs(frozenset({Kind.CATEGORICAL})))
        order = np.array(data.draw(st.permutations(range(reference.counts.size))))
        shuffled = [
            categorical(each.counts[order].tolist(), groups=each.groups[order])
            for each in (reference, current)
        ]
        straight, mixed = detector.compare(reference, current), detector.compare(*shuffled)
        _check_equal(mixed, straight, 1e-9)

    @pytest.mark.parametrize("empty_reference", [False, True])
    @pytest.mark.parametrize("empty_current", [False, True])
    def test_an_empty_side_is_insufficient(
        self, detector: Detector, *, empty_reference: bool, empty_current: bool
    ) -> None:
        for kind in sorted(detector.kinds):
            reference, current = _pair(kind)
            if empty_reference:
                reference = _emptied(reference)
            if empty_current:
                current = _emptied(current)
            reading = detector.compare(reference, current)
            self._check(detector, reading)
            wanted = Status.INSUFFICIENT if empty_reference or empty_current else Status.OK
            assert reading.status is wanted
            assert (reading.n_reference, reading.n_current) == (reference.n, current.n)

    def test_one_row_a_side_is_enough_to_answer(self, detector: Detector) -> None:
        for kind in sorted(detector.kinds):
            one = numeric([1.0], [0.0]) if kind is Kind.NUMERIC else categorical([1, 0])
            other = numeric([-1.0], [0.0]) if kind is Kind.NUMERIC else categorical([0, 1])
            self._check(detector, detector.compare(one, other))

    def test_a_kind_it_cannot_measure_is_unavailable(self, detector: Detector) -> None:
        for kind in sorted(frozenset(Kind) - detector.kinds):
            reading = detector.compare(*_pair(kind))
            self._check(detector, reading)
            assert reading.status is Status.UNAVAILABLE

    def test_other_bins_are_refused(self, detector: Detector) -> None:
        rows, edges = [0.5, 1.5, 2.5], [1.0, 2.0]
        with pytest.raises(IncompatibleSummaryError, match="4 bins compared with a reference of 3 bins"):
            detector.compare(numeric(rows, edges), numeric(rows, [1.0, 2.0, 3.0]))
        with pytest.raises(IncompatibleSummaryError, match="edges or groups differ"):
            detector.compare(numeric(rows, edges), numeric(rows, [1.0, 2.5]))
        with pytest.raises(IncompatibleSummaryError, match="edges or groups differ"):
            detector.compare(numeric(rows, edges), numeric(rows, edges, groups=[0, 0, 1]))
        with pytest.raises(IncompatibleSummaryError, match=r"categorical summary .* numeric reference"):
            detector.compare(numeric(rows, edges), categorical([1, 1, 1]))
        # Also where a side is empty: the bins are wrong all the same.
        with pytest.raises(IncompatibleSummaryError, match="2 bins compared with a reference of 3 bins"):
            detector.compare(categorical([1, 1, 1]), categorical([0, 0]))
