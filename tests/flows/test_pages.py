"""Bars of equal width from counts over frozen bins, and pages without what draws them."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.pages.page import PagesMissingError, filled_page
from service.bars import bars_of

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


@given(VALUES, VALUES, st.integers(1, 40))
def test_every_row_is_in_a_bar(before: list[float], now: list[float], bins: int) -> None:
    edges = np.unique(np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (before, now)]
    found = bars_of(edges, counts[0], counts[1], min(before + now), max(before + now))
    assert (np.diff(found.borders) > 0).all()
    assert (found.reference >= -1e-12).all()
    assert found.reference.sum() == pytest.approx(1)
    assert found.current.sum() == pytest.approx(1)


def test_rows_of_an_even_law_are_spread_evenly() -> None:
    # 20,000 draws over (0, 1): each of 24 bars holds a 24th, within four standard deviations of a share.
    values = np.random.default_rng(1).uniform(size=20_000)
    edges = np.quantile(values, np.linspace(0, 1, 65)[1:-1])
    counts = np.bincount(np.searchsorted(edges, values), minlength=64)
    found = bars_of(edges, counts, counts, values.min(), values.max())
    inner = found.reference[1:-1]
    assert np.abs(inner - 1 / 24).max() < 4 * np.sqrt(1 / 24 / 20_000) + 1 / 24 * 0.03


def test_whole_numbers_get_a_bar_each() -> None:
    # Bins that are one number, and some of several.
    edges = np.array([np.nextafter(3.0, -np.inf), 3.0, 4.0, 6.0])
    found = bars_of(edges, np.array([0, 50, 20, 20, 10]), np.array([0, 0, 0, 0, 0]), 3.0, 7.0)
    assert found.whole
    assert found.borders.tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    assert found.reference.tolist() == pytest.approx([0.5, 0.2, 0.1, 0.1, 0.1])
    assert found.current.tolist() == [0.0] * 5


def test_one_value_is_one_bar() -> None:
    found = bars_of(np.array([]), np.array([7]), np.array([3]), 0.25, 0.25)
    assert found.borders[0] < 0.25 < found.borders[-1]
    assert found.reference.sum() == found.current.sum() == pytest.approx(1)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(PagesMissingError, match=r"pip install 'driftflow\[report\]'"):
        filled_page("compare.html.j2", {})
