"""Figures of a rule from its answers: false alarms, power, delay; the same for every tool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
"""Whether a window of a column is called drifted, shape ``(windows, columns)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one rule said of one model.

    Attributes
    ----------
    drifted
        Columns that drift in the drifted windows, shape ``(columns,)``.
    stationary
        Answers for the windows without drift.
    drifts
        Answers for the windows of each drift, by its name.
    """

    drifted: Flags
    stationary: Flags
    drifts: Mapping[str, Flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """How often a rule calls drift where there is none.

    Attributes
    ----------
    cells
        Share of windows of single columns.
    windows
        Share of windows of models in which any column is called.
    episodes
        Runs of such windows: what a person would be paged for.
    models, total
        Models, and their windows together.
    """

    cells: float
    windows: float
    episodes: int
    models: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How soon and how often a rule calls a drift, over the columns that drift.

    Attributes
    ----------
    power
        Share of their windows that are called.
    first
        Median window of the first call, counted from 1; infinite where half of the columns are never called.
    found
        Share of the columns that are ever called.
    """

    power: float
    first: float
    found: float


def false_alarms(answered: Sequence[Answered]) -> FalseAlarms:
    """Count over the windows without drift of all models, at least one."""
    cells = np.concatenate([each.stationary.ravel() for each in answered])
    any_column = [each.stationary.any(axis=1) for each in answered]
    return FalseAlarms(
        cells=float(cells.mean()),
        windows=float(np.concatenate(any_column).mean()),
        # A run begins where a called window follows one that is not, or none.
        episodes=sum(
            int(np.count_nonzero(np.diff(each.astype(np.int8), prepend=0) > 0)) for each in any_column
        ),
        models=len(answered),
        total=sum(each.size for each in any_column),
    )


def detection(answered: Sequence[Answered], drift: str) -> Detection:
    """Count over the drifted columns of all models, at least one, in the windows of one drift."""
    columns = [column for each in answered for column in each.drifts[drift][:, each.drifted].T]
    firsts = [int(column.argmax()) + 1 if column.any() else inf for column in columns]
    return Detection(
        power=float(np.concatenate(columns).mean()),
        first=float(np.median(firsts)),
        found=float(np.mean(np.isfinite(firsts))),
    )


def _runs(called: Flags) -> int:
    """Count the called windows, shape ``(windows,)``, that follow one which is not, or none."""
    return int(np.count_nonzero(np.diff(called.astype(np.int8), prepend=0) > 0))
