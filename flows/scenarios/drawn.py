"""A scenario whose columns depend on each other: one function draws a whole block of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import Kind
from detectors.checks import Family
from flows.scenarios.base import STEP_MS, DriftKind, Fault, LateLabels, Truth, Values
from flows.scenarios.cuts import Block, cut_rows
from flows.scenarios.shapes import STILL, Shape
from flows.scenarios.traffic import EVEN, Traffic
from state.columns import Column, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One column and the course of its drift; the law is in the scenario's `draw`.

    Attributes
    ----------
    nested
        Stands in the record's object `features`; else beside it.
    class_name
        The class whose probability a score is.
    """

    name: str
    description: str
    kind: Kind = Kind.NUMERIC
    role: Role = Role.FEATURE
    shape: Shape = STILL
    effect: str = "none"
    nested: bool = True
    class_name: str | None = None

    @property
    def column(self) -> Column:
        """The column as readers of the records see it."""
        path = f"features.{self.name}" if self.nested else self.name
        return Column(name=self.name, path=path, kind=self.kind, role=self.role, class_name=self.class_name)

    def truth(self, rows: int) -> Truth:
        """What drifts in a stream of `rows` rows."""
        return Truth(
            feature=self.name,
            kind=self.shape.kind,
            spans=self.shape.row_spans(rows),
            description=self.description,
            effect=self.effect,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A fault other than drift, and the parts of the stream with it."""

    family: Family
    check: str
    feature: str = ""
    shape: Shape
    description: str
    effect: str

    def fault(self, rows: int) -> Fault:
        """What is wrong in a stream of `rows` rows."""
        return Fault(
            family=self.family,
            check=self.check,
            feature=self.feature,
            spans=self.shape.row_spans(rows),
            description=self.description,
            effect=self.effect,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnScenario:
    """A scenario drawn block by block.

    Attributes
    ----------
    draw
        Returns the values of one block by the name of their column, in the order of `table`, then late
        labels; each column has as many as the block has rows.
    """

    name: str
    description: str
    table: tuple[Drawn, ...]
    draw: Callable[[Block], dict[str, Values]]
    failing: tuple[Failing, ...] = ()
    step_ms: int = STEP_MS
    traffic: Traffic = EVEN
    late_labels: LateLabels | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a row, in the order of its fields."""
        return tuple(drawn.column for drawn in self.table)

    def truth(self, rows: int) -> tuple[Truth, ...]:
        """What drifts in a stream of `rows` rows, one value per column and in their order."""
        return tuple(drawn.truth(rows) for drawn in self.table)

    def faults(self, rows: int) -> tuple[Fault, ...]:
        """What else is wrong in a stream of `rows` rows."""
        return tuple(failing.fault(rows) for failing in self.failing)

    def reference_columns(self, seed: int, start: int, count: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of the reference, by column name."""
        return cut_rows(self.draw, seed, start, count, rows=None)

    def events(self, seed: int, start: int, count: int, rows: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of a stream of `rows` rows, by column name.

        Raises
        ------
        ScenarioError
            The range leaves the stream.
        """
        return cut_rows(self.draw, seed, start, count, rows=rows)


def within(*spans: tuple[float, float]) -> Shape:
    """Let a fault last from start to end of each part of the stream; one that never ends is sudden."""
    if spans[1:] or spans[0][1] < 1.0:
        return Shape(kind=DriftKind.RECURRING, spans=spans)
    return Shape(kind=DriftKind.SUDDEN, spans=spans)


def texts(values: NDArray[np.bool_ | np.intp], levels: tuple[str, ...]) -> list[str | None]:
    """Return the level of each number or flag, shape ``(count,)``, as texts."""
    chosen: list[str | None] = np.array(levels, dtype=object)[np.asarray(values, dtype=np.intp)].tolist()
    return chosen


def pick(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> NDArray[np.intp]:
    """Draw numbers of levels with these shares, which sum to 1; shape ``(count,)``."""
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(count), side="right")
