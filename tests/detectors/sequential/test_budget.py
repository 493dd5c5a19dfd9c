"""Budgets of false alarms: what they mean in thresholds and words."""

import math

import pytest

from detectors.sequential.budget import Budget, BudgetError


def test_one_episode_in_ninety_days_of_hours() -> None:
    budget = Budget(columns=50, blocks=2_160, episodes=1)
    assert budget.threshold == 2_160
    assert math.exp(budget.log_threshold) == pytest.approx(2_160)
    assert math.exp(budget.lone_log_threshold) == pytest.approx(108_000)
    assert budget.expected(2_160) == 1
    assert budget.expected(10_000) == pytest.approx(4.63, abs=0.005)


def test_words_of_a_single_column_and_of_several_episodes() -> None:
    words = Budget(columns=1, blocks=100, episodes=2.5).words("a week")
    assert words == (
        "at most 2.5 false alarms of the model in a week (100 evidence blocks): the column alarms at "
        "evidence of 40 to 1"
    )


@pytest.mark.parametrize(
    ("columns", "blocks", "episodes"),
    [(0, 10, 1), (1, 10, 0), (1, 10, 11), (1, math.inf, 1), (1, 10, math.nan)],
)
def test_a_budget_that_means_nothing_is_refused(columns: int, blocks: float, episodes: float) -> None:
    with pytest.raises(BudgetError, match="wanted at least 1 column"):
        Budget(columns=columns, blocks=blocks, episodes=episodes)
