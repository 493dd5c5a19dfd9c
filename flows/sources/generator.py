"""Reads a scenario as if it were a partitioned input, without files or a broker."""

from collections.abc import Mapping

from flows.scenarios.base import BLOCK_ROWS, Scenario, ScenarioOptions
from flows.scenarios.lines import json_rows
from flows.sources.base import RawBatch, SourceError


class GeneratorReader:
    """One partition of a scenario: rows ``partition``, ``partition + partitions``, and so on.

    Lines are made a block ahead, because a block is drawn as a whole.

    Parameters
    ----------
    position
        What `position` returned, of the same partition; None: from the start.

    Raises
    ------
    SourceError
        There is no such partition, or the position is not one of it.
    """

    def __init__(
        self,
        scenario: Scenario,
        options: ScenarioOptions,
        *,
        partition: int = 0,
        partitions: int = 1,
        position: bytes | None = None,
    ) -> None:
        if not 0 <= partition < partitions:
            raise SourceError(
                f"generator partition is {partition} of {partitions}, wanted 0 to {partitions - 1}: "
                "count partitions from 0"
            )
        self._scenario = scenario
        self._options = options
        self._partition = partition
        self._partitions = partitions
        self._next = partition if position is None else self._row(position)
        self._ahead: list[bytes] = []
        self._taken = 0

    @property
    def total_bytes(self) -> int:
        """Size of the partition in the unit of `RawBatch.size`, which here is records, not bytes."""
        return len(range(self._partition, self._options.rows, self._partitions))

    def read(self, max_records: int) -> RawBatch | None:
        """Return up to `max_records` records, or None at the end of the scenario."""
        if self._taken == len(self._ahead):
            self._fill()
            if not self._ahead:
                return None
        records = self._ahead[self._taken : self._taken + max_records]
        first = self._next // self._partitions
        self._taken += len(records)
        self._next += len(records) * self._partitions
        return RawBatch(records=records, numbers=range(first, first + len(records)), size=len(records))

    def position(self) -> bytes:
        """Where the next read starts: its row in the whole scenario, in decimal digits."""
        return str(self._next).encode()

    def close(self) -> None:
        """Release the lines made ahead."""
        self._ahead = []
        self._taken = 0

    def _fill(self) -> None:
        """Make the lines from the next row to the end of its block."""
        block_end = (self._next // BLOCK_ROWS + 1) * BLOCK_ROWS
        rows = range(self._next, min(block_end, self._options.rows), self._partitions)
        self._ahead = json_rows(self._scenario, self._options, rows) if rows else []
        self._taken = 0

    def _row(self, position: bytes) -> int:
        text = position.decode("ascii", errors="replace")
        if not (text.isascii() and text.isdigit()) or int(text) % self._partitions != self._partition:
            raise SourceError(
                f"generator position is {text!r}, wanted a row of partition {self._partition} of "
                f"{self._partitions}: keep the number of partitions, or start again without the old state"
            )
        return int(text)


def generator_readers(
    scenario: Scenario,
    options: ScenarioOptions,
    *,
    partitions: int = 1,
    positions: Mapping[int, bytes] | None = None,
) -> tuple[GeneratorReader, ...]:
    """Build the readers of all partitions, each at its position in `positions` or at the start.

    Raises
    ------
    SourceError
        `partitions` is less than 1, or a position is not one of its partition.
    """
    if partitions < 1:
        raise SourceError(f"generator has {partitions} partitions, wanted at least 1: pass a larger number")
    known = positions or {}
    return tuple(
        GeneratorReader(
            scenario, options, partition=partition, partitions=partitions, position=known.get(partition)
        )
        for partition in range(partitions)
    )
