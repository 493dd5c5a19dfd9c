"""The rows that one poll returned, as columns placed in panes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from detectors.base import FloatArray, IntArray
from flows.decode.base import Reason
from state.halves import Side

_LABELS = f"{Side.LABELS}:"


def label_partition(name: str) -> str:
    """Name a partition of labels, so that it cannot be taken for one of events."""
    return _LABELS + name


def side_of(partition: str) -> Side:
    """Which half of a record the rows of a partition are."""
    return Side.LABELS if partition.startswith(_LABELS) else Side.PREDICTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that was refused: where it stands, why, and its bytes.

    `column` is the first one that holds another type; None where that is not the reason.
    """

    partition: str
    number: int
    reason: Reason
    detail: str
    raw: bytes
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRow:
    """A good record that came after its pane had ended."""

    partition: str
    number: int
    time: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecords:
    """What a batch tells of its records beside their columns.

    Attributes
    ----------
    keys
        Hash of the key of each row, in the order of the columns, shape ``(rows,)``.
    fields
        By pane: of the rows whose fields were looked at, how many had exactly these.
    refused
        Refused records by the pane in which time stood when they came, then by reason and column.
    """

    keys: IntArray
    fields: Mapping[int, Mapping[tuple[str, ...], int]] = field(default_factory=dict)
    refused: Mapping[int, Mapping[tuple[str, str | None], int]] = field(default_factory=dict)


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
    records
        None where records are not looked at beside their columns.
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
    records: BatchRecords | None = None

    def with_refused(self, refused: Mapping[int, Mapping[tuple[str, str | None], int]]) -> "Batch":
        """Tell refused records too, where records are looked at."""
        if self.records is None or not refused:
            return self
        return replace(self, records=replace(self.records, refused=refused), quiet=False)

    @property
    def side(self) -> Side:
        """Which half of a record the rows are; without labels of their own, records are whole."""
        return side_of(self.partition)
