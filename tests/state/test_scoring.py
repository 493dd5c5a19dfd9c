import numpy as np
import pytest

from detectors.base import Status
from detectors.registry import BY_DEFAULT, for_kind
from state.scoring import Gap, Scored, score
from state.sketches.base import LATE, empty
from state.windows import ClosedWindow, EmptySpan
from tests.evidence import FAMILY, MIN_EFFECT, reference, sketch_of, values_of


@pytest.mark.parametrize("column", FAMILY)
def test_a_score_is_what_the_detectors_say(column: str) -> None:
    feature = reference().feature(column)
    values = values_of(column, "slight", 300, 4)
    sketch = sketch_of(feature.bins, values)
    sketch.counters[LATE] = 7
    found = score(feature, ClosedWindow(1, 4, 6, sketch), version="v", min_effect=MIN_EFFECT)
    assert isinstance(found, Scored)
    current = feature.bins.summary(sketch)
    measured = for_kind(feature.column.kind, BY_DEFAULT)
    assert found.readings == tuple(each.compare(feature.summary, current) for each in measured)
    assert (found.feature, found.spec, found.start, found.end, found.reference) == (column, 1, 4, 6, "v")
    assert (found.rows, found.late, found.n) == (300, 7, current.n)
    assert found.missing + found.non_finite + found.n == found.rows
    assert np.frombuffer(found.counts, dtype="<i8").tolist() == current.counts.tolist()
    # y is half zeros, so the law of the grid KS would be wrong for it.
    assert found.test == {"x": "ks", "y": "chi2", "c": "chi2"}[column]
    psi, test = found.reading("psi"), found.reading(found.test)
    assert psi is not None
    assert test is not None
    assert (found.effect, found.p_value) == (psi.debiased, test.p_value)
    assert found.reading("no such detector") is None


def test_only_the_detectors_asked_for_measure() -> None:
    feature = reference().feature("x")
    window = ClosedWindow(0, 0, 1, sketch_of(feature.bins, values_of("x", "slight", 300, 4)))
    found = score(feature, window, version="v", min_effect=MIN_EFFECT, detectors={"cvm", "psi", "ks"})
    assert isinstance(found, Scored)
    # In the order of the registry, whatever the order of those asked for.
    assert [reading.method for reading in found.readings] == ["ks", "psi", "cvm"]


def test_a_window_without_values_is_scored_as_insufficient() -> None:
    feature = reference().feature("x")
    found = score(
        feature, ClosedWindow(0, 0, 1, empty(feature.bins.width)), version="v", min_effect=MIN_EFFECT
    )
    assert isinstance(found, Scored)
    assert {reading.status for reading in found.readings} == {Status.INSUFFICIENT}
    assert (found.p_value, found.effect, found.p_min_effect) == (None, None, None)


def test_an_empty_span_is_a_gap() -> None:
    wanted = Gap(feature="x", spec=1, start=2, end=9, reference="v", windows=4)
    assert (
        score(reference().feature("x"), EmptySpan(1, 2, 9, 4), version="v", min_effect=MIN_EFFECT) == wanted
    )
