import numpy as np
import pytest

from bench.peers_windows import appeared, moved, scaled, shifted, tilted, vanished

ROWS = 200_000
CODES = np.repeat([0, 1, 2, 3], [1, 10, 30, 59])
"""Shares .01, .1, .3 and .59."""


def _drawn(pool: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).choice(pool, size=ROWS)


def test_numeric_drifts_move_mean_and_deviation_of_the_whole_column() -> None:
    rng = np.random.default_rng(2)
    pool = np.random.default_rng(3).gamma(2.0, size=50_000)
    drawn = _drawn(pool)
    assert shifted(0.25)(pool, drawn, rng) - drawn == pytest.approx(0.25 * pool.std())
    stretched = scaled(1.5)(pool, drawn, rng)
    assert stretched.std() == pytest.approx(1.5 * drawn.std())
    assert stretched.mean() == pytest.approx(pool.mean(), abs=0.02)


def test_a_tilt_shifts_a_normal_column_by_its_deviations_and_makes_no_new_value() -> None:
    pool = np.random.default_rng(3).normal(size=50_000)
    tilt = tilted(0.25)(pool, _drawn(pool), np.random.default_rng(2))
    # A normal law tilted by exp(d x) is the same law shifted by d.
    assert tilt.mean() == pytest.approx(pool.mean() + 0.25 * pool.std(), abs=0.01)
    assert tilt.std() == pytest.approx(pool.std(), abs=0.01)
    assert np.isin(tilt, pool).all()


def test_a_share_of_all_rows_moves_from_the_largest_category_to_the_second() -> None:
    shares = _shares(moved(0.1)(CODES, _drawn(CODES), np.random.default_rng(2)))
    assert shares == pytest.approx([0.01, 0.1, 0.4, 0.49], abs=0.005)


def test_the_least_category_worth_a_mention_vanishes() -> None:
    # Not the one of 1 %.
    shares = _shares(vanished(CODES, _drawn(CODES), np.random.default_rng(2)))
    assert shares == pytest.approx([0.01, 0, 0.3, 0.69], abs=0.005)


def test_a_share_of_all_rows_becomes_a_category_that_was_never_seen() -> None:
    shares = _shares(appeared(0.02)(CODES, _drawn(CODES), np.random.default_rng(2)))
    assert shares == pytest.approx([0.0098, 0.098, 0.294, 0.5782, 0.02], abs=0.005)


def _shares(codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes) / codes.size
