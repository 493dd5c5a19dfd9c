from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import IntArray
from detectors.checks import Check, CheckStatus, Direction, Family
from detectors.volume import FEWEST_WINDOWS, Volumes, check_volume

WEEK = 7 * 24
DAY_SHAPE = 1.0 + 0.8 * np.sin(2 * np.pi * np.arange(WEEK) / 24)
"""Nine times more rows at noon than at midnight."""


def check(rows: int, known: IntArray, direction: Direction, level: float = 1e-4) -> Check:
    volumes = Volumes(rows=known, apart=len(known), source="known")
    return check_volume("volume", Family.QUALITY, rows, volumes, direction=direction, level=level, factor=2.0)


def steady(rng: np.random.Generator) -> IntArray:
    return rng.poisson(500, WEEK)


def seasonal(rng: np.random.Generator) -> IntArray:
    return rng.poisson(300 * DAY_SHAPE)


def sparse(rng: np.random.Generator) -> IntArray:
    return rng.poisson(3, WEEK)


def bursty(rng: np.random.Generator) -> IntArray:
    # Negative binomial: a Poisson count whose mean is itself gamma distributed, as with sessions of users.
    return rng.negative_binomial(2, 2 / (2 + 200), WEEK)


@pytest.mark.parametrize("law", [steady, seasonal, sparse, bursty])
def test_a_further_week_of_the_same_stream_is_no_violation(
    law: Callable[[np.random.Generator], IntArray],
) -> None:
    rng = np.random.default_rng(5)
    violated = 0
    for _ in range(40):
        known, further = law(rng).astype(np.int64), law(rng)
        for rows in further[::4].tolist():
            for direction in (Direction.DOWN, Direction.UP):
                violated += check(rows, known, direction).status is CheckStatus.VIOLATED
    # 3,360 checks at a level of 1e-4 may have .34; more than 3 of them have a chance below 1e-3.
    assert violated <= 3


@pytest.mark.parametrize(
    ("law", "low", "burst"), [(steady, 200, 1_300), (seasonal, 0, 5_000), (bursty, 0, 8_000)]
)
def test_outages_and_floods_are_seen(
    law: Callable[[np.random.Generator], IntArray], low: int, burst: int
) -> None:
    known = law(np.random.default_rng(6)).astype(np.int64)
    # With three rows in the emptiest window none at all may be luck.
    if known.min() > 20:
        assert check(low, known, Direction.DOWN).status is CheckStatus.VIOLATED
    assert check(burst, known, Direction.UP).status is CheckStatus.VIOLATED


def test_the_limits_are_those_that_the_status_goes_by() -> None:
    known = steady(np.random.default_rng(7)).astype(np.int64)
    for direction in (Direction.DOWN, Direction.UP):
        for rows in range(0, 1_500, 7):
            found = check(rows, known, direction)
            beyond = (found.lower is not None and rows < found.lower) or (
                found.upper is not None and rows > found.upper
            )
            assert (found.status is CheckStatus.VIOLATED) == beyond


def test_a_window_that_may_be_empty_by_luck_is_never_too_empty() -> None:
    known = np.array([0, 3, 5, 2, 0, 4, 3, 1, 2, 6])
    found = check(0, known, Direction.DOWN)
    assert (found.status, found.lower) == (CheckStatus.OK, 0.0)


def test_few_windows_say_nothing() -> None:
    known = np.full(FEWEST_WINDOWS - 1, 1_000)
    found = check(0, known, Direction.DOWN)
    assert (found.status, found.value, found.upper) == (CheckStatus.INSUFFICIENT, 0.0, None)
    assert check(0, np.full(FEWEST_WINDOWS, 1_000), Direction.DOWN, 1e-2).status is CheckStatus.VIOLATED
