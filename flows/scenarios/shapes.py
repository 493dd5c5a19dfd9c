"""When a feature follows its drifted law, and how strongly."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from detectors.base import FloatArray, IntArray
from flows.scenarios.base import DriftKind, ScenarioError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The course of a drift over a stream, in fractions of its length.

    Attributes
    ----------
    spans
        Half-open parts ``(start, end)`` of the stream with drift, in ``0..1``, increasing and apart.
    full_from
        Where the drift has its full strength; before, it grows evenly from the start of the first span.
        None: at once.

    Raises
    ------
    ScenarioError
        The fractions are not increasing within ``0..1``, or `full_from` is not within the first span.
    """

    kind: DriftKind
    spans: tuple[tuple[float, float], ...] = ()
    full_from: float | None = None

    def __post_init__(self) -> None:
        cuts = [0.0, *(cut for span in self.spans for cut in span), 1.0]
        if any(low > high for low, high in pairwise(cuts)):
            raise ScenarioError(
                f"spans are {self.spans}, wanted increasing fractions within 0..1: reorder them"
            )
        if self.full_from is not None and not any(
            start < self.full_from <= end for start, end in self.spans[:1]
        ):
            raise ScenarioError(
                f"full_from is {self.full_from}, wanted a fraction within the first span of {self.spans}"
            )

    def row_spans(self, rows: int) -> tuple[tuple[int, int], ...]:
        """Return the spans in rows of a stream of `rows` rows; those without a row are left out."""
        exact = ((round(start * rows), round(end * rows)) for start, end in self.spans)
        return tuple((start, end) for start, end in exact if start < end)

    def strengths(self, numbers: IntArray, rows: int) -> FloatArray:
        """Return the strength of the drift in each row, 0 to 1.

        Parameters
        ----------
        numbers
            Row numbers, shape ``(count,)``.
        rows
            Length of the whole stream.

        Returns
        -------
        FloatArray
            Shape ``(count,)``; positive in exactly the rows of `row_spans`.
        """
        strengths = np.zeros(numbers.shape, dtype=np.float64)
        for start, end in self.row_spans(rows):
            inside = (numbers >= start) & (numbers < end)
            if self.full_from is None:
                strengths[inside] = 1.0
            else:
                length = max(round(self.full_from * rows) - start, 1)
                strengths[inside] = np.minimum((numbers[inside] - start + 1) / length, 1.0)
        return strengths

    def levels(self, rng: np.random.Generator, numbers: IntArray, rows: int) -> FloatArray:
        """Return how far each row's law is moved, 0 (reference) to 1 (drifted), shape ``(count,)``.

        An incremental drift moves the law of every row a little; all others mix rows of the two laws, so
        their levels are 0 or 1.
        """
        strengths = self.strengths(numbers, rows)
        if self.kind in (DriftKind.INCREMENTAL, DriftKind.NONE):
            return strengths
        return (rng.random(numbers.size) < strengths).astype(np.float64)


STILL: Final = Shape(kind=DriftKind.NONE)
"""No drift."""


def sudden(at: float) -> Shape:
    """Drift at full strength from fraction `at` to the end."""
    return Shape(kind=DriftKind.SUDDEN, spans=((at, 1.0),))


def gradual(start: float, full_from: float) -> Shape:
    """Drifted rows from fraction `start` on, more and more, and only they from `full_from` to the end."""
    return Shape(kind=DriftKind.GRADUAL, spans=((start, 1.0),), full_from=full_from)


def incremental(start: float, full_from: float) -> Shape:
    """Let the law move evenly from fraction `start` to `full_from`; it stays there to the end."""
    return Shape(kind=DriftKind.INCREMENTAL, spans=((start, 1.0),), full_from=full_from)


def recurring(*spans: tuple[float, float]) -> Shape:
    """Drift at full strength within each span, and none between them."""
    return Shape(kind=DriftKind.RECURRING, spans=spans)
