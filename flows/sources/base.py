"""What a reader of raw records takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.base import DriftflowError
from flows.decode.base import Reason


class SourceError(DriftflowError):
    """Input cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """A record that the reader itself refused, because it must not be held in memory or is cut off.

    `raw` is its beginning, at most 1,000 bytes; of a record from Kafka all of it.
    """

    number: int
    reason: Reason
    detail: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """Records that one read returned.

    Attributes
    ----------
    records
        Each without its line end; never empty lines.
    numbers
        Number of each record in its partition: 0 is the first record (a CSV header and empty lines are not
        counted; refused records are). Increasing, not necessarily without gaps.
    refused
        Records that the reader refused.
    size
        Bytes read from the input for this batch, for progress.
    times_ms
        When each of `records` was written, milliseconds since the epoch; -1 where a record does not say. None
        where the input keeps no such time.
    caught_up
        Whether a live input held nothing more a moment ago. Never so while it cannot be asked.
    """

    records: Sequence[bytes]
    numbers: Sequence[int]
    refused: tuple[RefusedRecord, ...] = ()
    size: int = 0
    times_ms: Sequence[int] | None = None
    caught_up: bool = False


class Reader(Protocol):
    """Reads the records of one partition in order and can say where it stands.

    Life: built at a position (None: from the start), `read` until it returns None, `close`.
    """

    def read(self, max_records: int) -> RawBatch | None:
        """Return up to `max_records` records, or None at the end of the input.

        Records and their numbers do not depend on how reads are cut.
        """
        ...

    def position(self) -> bytes:
        """Where the next read starts, as bytes that outlive the process."""
        ...

    def close(self) -> None:
        """Release the input; called once."""
        ...
