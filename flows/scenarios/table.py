"""A scenario as a table of features, each with a law and the course of its drift."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import IntArray, Kind
from flows.scenarios.base import STEP_MS, DriftKind, Fault, LateLabels, ScenarioError, Truth, Values
from flows.scenarios.cuts import Block, cut_rows
from flows.scenarios.laws import Law
from flows.scenarios.shapes import STILL, Shape
from flows.scenarios.traffic import EVEN, Traffic
from state.columns import Column, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column: what it follows and when it drifts.

    Attributes
    ----------
    nested
        Stands in the record's object `features`; else beside it.
    missing
        Probability that a value is missing, independent of everything else.

    Raises
    ------
    ScenarioError
        The law does not say what drift does although the shape drifts, or whole numbers have gaps.
    """

    name: str
    law: Law
    description: str
    shape: Shape = STILL
    role: Role = Role.FEATURE
    nested: bool = True
    missing: float = 0.0

    def __post_init__(self) -> None:
        drifts = self.shape.kind is not DriftKind.NONE
        if drifts != (self.law.effect != "none"):
            raise ScenarioError(
                f"feature {self.name}: shape {self.shape.kind} does not go with effect {self.law.effect!r}: "
                "a law that drift changes wants a shape, and the other way round"
            )

    @property
    def column(self) -> Column:
        """The column as readers of the records see it."""
        path = f"features.{self.name}" if self.nested else self.name
        return Column(name=self.name, path=path, kind=self.law.kind, role=self.role)

    def draw(self, rng: np.random.Generator, numbers: IntArray, rows: int | None) -> Values:
        """Draw the values of rows `numbers`, shape ``(count,)``; `rows` None: of the reference."""
        levels = np.zeros(numbers.shape) if rows is None else self.shape.levels(rng, numbers, rows)
        values = self.law.draw(rng, levels)
        if not self.missing:
            return values
        absent = rng.random(numbers.size) < self.missing
        if isinstance(values, list):
            return [None if gap else text for gap, text in zip(absent.tolist(), values, strict=True)]
        return np.where(absent, np.nan, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A predicted class: `above` where the score `source` is at least `threshold`, else `below`."""

    name: str
    source: str
    threshold: float
    below: str
    above: str

    @property
    def column(self) -> Column:
        """The column as readers of the records see it."""
        return Column(name=self.name, path=self.name, kind=Kind.CATEGORICAL, role=Role.PREDICTION)

    def decide(self, score: Values) -> list[str | None]:
        """Return the class of each row."""
        above = np.asarray(score, dtype=np.float64) >= self.threshold
        return [self.above if high else self.below for high in above.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableScenario:
    """A scenario of independent features; rows are independent too.

    Attributes
    ----------
    decision
        The predicted class, from a score that does not drift; None: no such column.
    """

    name: str
    description: str
    features: tuple[Feature, ...]
    decision: Decision | None = None
    step_ms: int = STEP_MS
    traffic: Traffic = EVEN
    late_labels: LateLabels | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a row, in the order of its fields."""
        drawn = tuple(feature.column for feature in self.features)
        return drawn if self.decision is None else (*drawn, self.decision.column)

    def truth(self, rows: int) -> tuple[Truth, ...]:
        """What drifts in a stream of `rows` rows, one value per column and in their order."""
        drawn = tuple(
            Truth(
                feature=feature.name,
                kind=feature.shape.kind,
                spans=feature.shape.row_spans(rows),
                description=feature.description,
                effect=feature.law.effect,
            )
            for feature in self.features
        )
        if self.decision is None:
            return drawn
        description = (
            f"{self.decision.above} where {self.decision.source} is at least {self.decision.threshold:g}"
        )
        decided = Truth(
            feature=self.decision.name, kind=DriftKind.NONE, spans=(), description=description, effect="none"
        )
        return (*drawn, decided)

    def faults(self, rows: int) -> tuple[Fault, ...]:  # noqa: ARG002  # as every scenario is asked
        """Return nothing: independent rows drift, and have no other faults."""
        return ()

    def reference_columns(self, seed: int, start: int, count: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of the reference, by column name."""
        return cut_rows(self._block, seed, start, count, rows=None)

    def events(self, seed: int, start: int, count: int, rows: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of a stream of `rows` rows, by column name.

        Raises
        ------
        ScenarioError
            The range leaves the stream.
        """
        return cut_rows(self._block, seed, start, count, rows=rows)

    def _block(self, block: Block) -> dict[str, Values]:
        rng, numbers = block.rng(), block.numbers
        columns = {feature.name: feature.draw(rng, numbers, block.rows) for feature in self.features}
        if self.decision is not None:
            columns[self.decision.name] = self.decision.decide(columns[self.decision.source])
        return columns
