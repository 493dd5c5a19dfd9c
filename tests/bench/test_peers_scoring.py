import math

import numpy as np
import pytest

from bench.peers_scoring import Answered, Flags, detection, false_alarms


def _flags(*windows: str) -> Flags:
    """One text per window, one character per column: x is called drifted."""
    return np.array([[each == "x" for each in window] for window in windows])


FIRST = Answered(
    drifted=np.array([True, False, True]),
    stationary=_flags("x..", "xx.", "...", "..x"),
    drifts={"shift": _flags("..x", ".xx", "x.x", "..x")},
)
SECOND = Answered(
    drifted=np.array([False, True]),
    stationary=_flags("..", ".."),
    drifts={"shift": _flags("x.", "x.")},
)


def test_false_alarms_are_counted_by_column_by_window_and_by_run_of_windows() -> None:
    found = false_alarms([FIRST, SECOND])
    # 4 of 12 cells and 0 of 4; windows 1, 2 and 4 of 4, and 0 of 2; two runs.
    assert found.cells == pytest.approx(4 / 16)
    assert found.windows == pytest.approx(3 / 6)
    assert (found.episodes, found.models, found.total) == (2, 2, 6)


def test_a_run_does_not_go_on_from_one_model_to_the_next() -> None:
    always = Answered(drifted=np.array([True]), stationary=_flags("x", "x"), drifts={})
    assert false_alarms([always, always]).episodes == 2


def test_detection_looks_at_the_drifted_columns_alone() -> None:
    found = detection([FIRST, SECOND], "shift")
    # Column 1 is called in window 3 alone, column 3 in all 4, and the second model's column 2 never.
    assert found.power == pytest.approx((1 + 4 + 0) / (4 + 4 + 2))
    assert found.first == 3
    assert found.found == pytest.approx(2 / 3)


def test_a_drift_that_half_of_the_columns_never_show_has_no_median() -> None:
    found = detection([SECOND], "shift")
    assert (found.power, found.found) == (0, 0)
    assert math.isinf(found.first)
