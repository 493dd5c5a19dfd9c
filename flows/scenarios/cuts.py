"""Rows are drawn in whole blocks, and any range of them is cut out of the blocks that hold it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from flows.scenarios.base import BLOCK_ROWS, ScenarioError, Values
from flows.scenarios.shapes import Shape

REFERENCE_STREAM: Final = 0
EVENT_STREAM: Final = 1
_TIME_STREAM: Final = 2
_LABEL_STREAM: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Which rows are to be drawn.

    Attributes
    ----------
    number
        Number of the block; its first row is ``number * BLOCK_ROWS``.
    rows
        Length of the stream; None: the rows are those of the reference.
    """

    seed: int
    number: int
    rows: int | None

    @property
    def numbers(self) -> IntArray:
        """Numbers of the rows, shape ``(BLOCK_ROWS,)``."""
        return np.arange(BLOCK_ROWS, dtype=np.int64) + self.number * BLOCK_ROWS

    @property
    def next(self) -> "Block":
        """The block after this one."""
        return Block(seed=self.seed, number=self.number + 1, rows=self.rows)

    def rng(self, part: int | None = None) -> np.random.Generator:
        """Return a generator of the block's own; each `part` of a row's values may have one."""
        stream = REFERENCE_STREAM if self.rows is None else EVENT_STREAM
        parts = [] if part is None else [part]
        return np.random.default_rng([self.seed, stream, self.number, *parts])

    def levels(self, rng: np.random.Generator, shape: Shape) -> FloatArray:
        """Return how far each row is moved, 0 to 1, shape ``(BLOCK_ROWS,)``; 0 in the reference."""
        if self.rows is None:
            return np.zeros(BLOCK_ROWS)
        return shape.levels(rng, self.numbers, self.rows)


def cut_rows(
    draw: Callable[[Block], dict[str, Values]], seed: int, start: int, count: int, *, rows: int | None
) -> dict[str, Values]:
    """Draw rows ``start .. start + count - 1`` of a stream of `rows` rows; None: of the reference.

    Raises
    ------
    ScenarioError
        The range is negative or leaves the stream.
    """
    if rows is not None and start + count > rows:
        raise ScenarioError(
            f"rows {start} to {start + count - 1} do not exist: the stream has {rows} rows; ask for fewer or "
            "generate more"
        )
    return _cut(lambda number: draw(Block(seed=seed, number=number, rows=rows)), start, count)


def delays_ms(seed: int, start: int, count: int, limit_ms: int) -> IntArray:
    """Draw what disorder adds to the event times of rows ``start .. start + count - 1``.

    Returns
    -------
    IntArray
        Whole milliseconds from 0 to `limit_ms`, both included, shape ``(count,)``.
    """

    def block(number: int) -> dict[str, Values]:
        rng = np.random.default_rng([seed, _TIME_STREAM, number])
        return {"delay": rng.integers(0, limit_ms, BLOCK_ROWS, endpoint=True)}

    return np.asarray(_cut(block, start, count)["delay"], dtype=np.int64)


def label_draws(seed: int, start: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Draw two evenly distributed numbers per row, in ``[0, 1)``: whether its label comes, and when.

    Returns
    -------
    tuple of FloatArray
        Each of shape ``(count,)``.
    """

    def block(number: int) -> dict[str, Values]:
        rng = np.random.default_rng([seed, _LABEL_STREAM, number])
        return {"comes": rng.random(BLOCK_ROWS), "delay": rng.random(BLOCK_ROWS)}

    drawn = _cut(block, start, count)
    return np.asarray(drawn["comes"], dtype=np.float64), np.asarray(drawn["delay"], dtype=np.float64)


def _cut(block: Callable[[int], dict[str, Values]], start: int, count: int) -> dict[str, Values]:
    """Join blocks and cut out rows ``start .. start + count - 1``."""
    if start < 0 or count < 0:
        raise ScenarioError(f"start is {start} and count {count}, wanted numbers that are not negative")
    first = start // BLOCK_ROWS
    blocks = [block(number) for number in range(first, max((start + count - 1) // BLOCK_ROWS, first) + 1)]
    low = start - first * BLOCK_ROWS
    return {name: _join([part[name] for part in blocks], low, low + count) for name in blocks[0]}


def _join(parts: list[Values], low: int, high: int) -> Values:
    """Concatenate parts of one column and return rows ``low .. high - 1``."""
    texts: list[str | None] = []
    arrays: list[NDArray[np.float64 | np.int64]] = []
    for part in parts:
        if isinstance(part, list):
            texts.extend(part)
        else:
            arrays.append(part)
    if not arrays:
        return texts[low:high]
    return np.concatenate(arrays)[low:high]
