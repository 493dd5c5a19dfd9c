import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, skew

from detectors.calibration import measure_tails

VALUES = st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=1, max_size=60)


@given(values=VALUES, edges=st.lists(st.integers(-4, 4).map(float), unique=True, max_size=5))
def test_tails_are_those_of_scipy_and_of_the_rows_of_each_bin(
    values: list[float], edges: list[float]
) -> None:
    rows, borders = np.array(values), np.array(sorted(edges))
    found = measure_tails(rows, borders)
    if found is None:
        assert not rows.std() > 1e-12 * np.abs(rows).max()
        return
    # SciPy takes powers of the rows as they are, which are 0 where rows are tiny; both have no unit.
    scaled = rows / np.abs(rows).max()
    assert found.skewness == pytest.approx(skew(scaled), rel=1e-6, abs=1e-6)
    assert found.excess_kurtosis == pytest.approx(kurtosis(scaled), rel=1e-6, abs=1e-6)
    place = np.searchsorted(borders, rows, side="left")
    wanted = [rows[place == i].std() if (place == i).any() else 0.0 for i in range(len(edges) + 1)]
    assert found.bin_deviations == pytest.approx(np.array(wanted), rel=1e-6, abs=1e-9 * rows.std())


@given(values=VALUES, data=st.data())
def test_the_order_of_the_rows_does_not_change_a_bit(values: list[float], data: st.DataObject) -> None:
    turned = data.draw(st.permutations(values))
    one, other = (measure_tails(np.array(rows), np.array([0.0])) for rows in (values, turned))
    if one is None or other is None:
        assert one is other
        return
    assert (one.skewness, one.excess_kurtosis) == (other.skewness, other.excess_kurtosis)
    assert one.bin_deviations.tobytes() == other.bin_deviations.tobytes()


@pytest.mark.parametrize("rows", [[], [0.1, 0.1, 0.1], [1e308, -1e308, 1e308], [0.0, 5e-324]])
def test_where_no_figure_exists_there_are_no_tails(rows: list[float]) -> None:
    assert measure_tails(np.array(rows), np.array([0.0])) is None
