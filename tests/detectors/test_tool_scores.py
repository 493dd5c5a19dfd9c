"""Scores of other tools against those tools' own figures, on real columns that scikit-learn brings along."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tool_pairs import Pair, pairs
from detectors import tool_scores
from detectors.tool_scores import ToolScore

# Evidently 0.7.23, NannyML 0.13.1, alibi-detect 0.13.0, Frouros 0.9.0; written by bench/tool_scores.py.
GOLDEN = Path(__file__).parents[1] / "golden" / "tool_scores.json"

NUMBERS: tuple[Callable[..., tuple[ToolScore, ...]], ...] = (
    tool_scores.evidently_numbers,
    tool_scores.nannyml_numbers,
    tool_scores.frouros_psi,
    tool_scores.frouros_numbers,
    tool_scores.alibi_numbers,
)
CATEGORIES: tuple[Callable[..., tuple[ToolScore, ...]], ...] = (
    tool_scores.evidently_categories,
    tool_scores.nannyml_categories,
    tool_scores.frouros_categories,
    tool_scores.alibi_categories,
)


@cache
def golden() -> Mapping[str, Mapping[str, float]]:
    read: dict[str, dict[str, float]] = json.loads(GOLDEN.read_text())
    return read


def sides(pair: Pair) -> tuple[Any, Any]:
    if pair.numeric:
        return pair.before, pair.now
    names = np.unique(np.concatenate((pair.before, pair.now)))
    return tuple((side[:, None] == names).sum(axis=0) for side in (pair.before, pair.now))


def test_the_golden_figures_are_of_these_pairs() -> None:
    assert golden().keys() == pairs().keys()


@pytest.mark.parametrize("name", list(pairs()))
def test_figures_are_those_of_the_tools(name: str) -> None:
    pair = pairs()[name]
    found = {
        f"{score.tool} {'default' if score.tool == 'Evidently' and score.decides else score.score}": score
        for ask in (NUMBERS if pair.numeric else CATEGORIES)
        for score in ask(*sides(pair))
    }
    compared = [key for key in golden()[name] if key in found]
    # Evidently's Jensen-Shannon distance is its default for categories, and named so.
    assert set(golden()[name]) - set(compared) <= {"Evidently jensen-shannon, nats"}
    for key in compared:
        # alibi-detect keeps p-values as float32.
        rel = 1e-6 if key.startswith("alibi") else 1e-9
        assert found[key].value == pytest.approx(golden()[name][key], rel=rel), key


def test_the_robust_distance_is_what_is_beyond_noise() -> None:
    # Deequ's formula by hand: shares 1/2 and 3/4 of 400 and 400 rows, .25 - 1.8 sqrt(800 / 160,000).
    (found,) = tool_scores.deequ_categories(np.array([200, 200]), np.array([300, 100]))
    assert found.value == pytest.approx(0.25 - 1.8 * 0.0707106781, rel=1e-8)
    assert found.drifted is True
    (same,) = tool_scores.deequ_numbers(np.arange(50.0), np.arange(50.0))
    assert (same.value, same.drifted) == (0.0, False)


@given(
    st.lists(st.integers(-20, 20), min_size=3, max_size=60),
    st.lists(st.integers(-20, 20), min_size=3, max_size=60),
)
def test_every_score_is_finite_and_none_calls_the_same_rows_drifted(
    before: list[int], now: list[int]
) -> None:
    first, second = np.array(before, dtype=np.float64), np.array(now, dtype=np.float64)
    for ask in (*NUMBERS, tool_scores.deequ_numbers):
        assert all(np.isfinite(score.value) and score.value >= 0 for score in ask(first, second))
        assert not any(score.drifted for score in ask(first, first))
