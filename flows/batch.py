"""The rows that one poll returned, as columns placed in panes."""

from dataclasses import dataclass

from detectors.base import FloatArray, IntArray
from flows.decode.base import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that was refused: where it stands, why, and its bytes."""

    partition: str
    number: int
    reason: Reason
    detail: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRow:
    """A good record that came after its pane had ended."""

    partition: str
    number: int
    time: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of one partition, sorted by pane (rows of a pane keep their order).

    Attributes
    ----------
    rows
        Rows that are on time.
    panes, starts
        The panes that have rows, increasing, and the first row of each; shape ``(panes,)``.
    late
        Late rows by the pane in which time stood when they came.
    numeric, categorical
        Columns as the decoder gives them (`flows.decode.base.Decoded`), on-time rows only.
    frontier, last
        First pane that this partition leaves open, and the pane of its largest event time.
    skipped
        Half-open ranges of panes that a time-out closed for this partition.
    quiet
        Nothing that windows need to know: no rows, and the frontier has not moved.
    size
        What was read of the input for it, for progress: bytes of files, rows of generators.
    """

    partition: str
    rows: int
    panes: IntArray
    starts: IntArray
    late: dict[int, int]
    numeric: dict[str, FloatArray]
    categorical: dict[str, list[str | None]]
    frontier: int
    last: int
    quiet: bool
    size: int
    dead_letters: tuple[DeadLetter, ...] = ()
    late_rows: tuple[LateRow, ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
