"""From a number of false alarms that someone will put up with to the threshold that keeps it."""

import math
from dataclasses import dataclass

from detectors.base import DriftflowError


class BudgetError(DriftflowError):
    """A budget that no threshold can mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so many false alarms, in expectation, in a period of so many evidence blocks.

    Without drift the detectors of the columns grow together by at most `columns` a block in expectation. An
    alarm of `e_benjamini_hochberg` at threshold c names k columns whose detectors are ``columns c / k`` or
    more each, and restarting them takes at least ``columns c`` away. The sum is never negative, so up to
    block T there are at most ``T / c`` alarms in expectation, however the columns depend on one another.

    Attributes
    ----------
    columns
        Columns of the family.
    blocks
        Evidence blocks in the period: those of the column that has the most.
    episodes
        False alarms allowed in it; an alarm may name several columns.

    Raises
    ------
    BudgetError
        No columns, no episodes, or more episodes than blocks.

    Examples
    --------
    >>> budget = Budget(columns=50, blocks=24 * 90, episodes=1)
    >>> budget.threshold, round(budget.lone_log_threshold, 2)
    (2160.0, 11.59)
    """

    columns: int
    blocks: float
    episodes: float

    def __post_init__(self) -> None:
        if self.columns < 1 or not 0 < self.episodes <= self.blocks < math.inf:
            raise BudgetError(
                f"A budget of {self.episodes} false episodes in {self.blocks} blocks of {self.columns} "
                "columns; wanted at least 1 column, and more than 0 episodes but at most one per block."
            )

    @property
    def threshold(self) -> float:
        """The c of `e_benjamini_hochberg`: blocks for each false alarm allowed."""
        return self.blocks / self.episodes

    @property
    def log_threshold(self) -> float:
        """Natural logarithm of `threshold`."""
        return math.log(self.threshold)

    @property
    def lone_log_threshold(self) -> float:
        """Natural logarithm of what a column has to reach when no other one moves."""
        return math.log(self.threshold * self.columns)

    def expected(self, blocks: float) -> float:
        """False alarms to expect at most, without drift, in so many blocks."""
        return blocks / self.threshold

    def words(self, period: str) -> str:
        """Say what the budget means to whom it is shown.

        Examples
        --------
        >>> print(Budget(columns=50, blocks=2160, episodes=1).words("90 days"))
        at most 1 false alarm of the model in 90 days (2,160 evidence blocks): a column that moves alone
        among 50 alarms at evidence of 108,000 to 1, columns that move together sooner
        """
        lone = self.threshold * self.columns
        alarms = f"{self.episodes:g} false alarm{'' if self.episodes == 1 else 's'}"
        promise = f"at most {alarms} of the model in {period} ({self.blocks:,.0f} evidence blocks)"
        if self.columns == 1:
            return f"{promise}: the column alarms at evidence of {lone:,.0f} to 1"
        return (
            f"{promise}: a column that moves alone among {self.columns} alarms at evidence of {lone:,.0f} "
            "to 1, columns that move together sooner"
        )
