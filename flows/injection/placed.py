"""A fault on its way through a file: which rows it hits, and what it does to them."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detectors.base import FloatArray
from flows.injection.changes import Change, value_change
from flows.injection.faults import InjectedFault, InjectionError
from flows.injection.forms import FaultKind
from flows.injection.survey import Survey
from flows.injection.truth import InjectedTruth

_BLOCK_ROWS: Final = 1024

_OF_ROWS: Final = frozenset(
    {FaultKind.DUPLICATE, FaultKind.DROP, FaultKind.BURST, FaultKind.ABSENT, FaultKind.EXTRA}
)
"""Kinds that change more of a row than one value."""


@dataclass(slots=True, kw_only=True)
class Placed:
    """One fault and the rows that it may hit.

    Attributes
    ----------
    entropy
        Seed and place among the faults.
    start, end
        Half-open range of rows of the file that is read.
    change
        What it does to a value; None where it does something to the row.
    """

    fault: InjectedFault
    entropy: tuple[int, int]
    start: int
    end: int
    change: Change | None
    changed: int = 0
    output_start: int = 0
    output_end: int = 0
    _block: int = -1
    _draws: FloatArray = field(default_factory=lambda: np.zeros((2, 0)))

    @classmethod
    def of(cls, fault: InjectedFault, index: int, seed: int, survey: Survey) -> "Placed":
        """Place a fault in the file that was looked at.

        Raises
        ------
        InjectionError
            There is no row between its bounds, or the file does not hold what it needs.
        """
        change = None if fault.kind in _OF_ROWS else value_change(fault, survey.of(fault.field))
        start, end = fault.start.of(survey.rows), fault.end.of(survey.rows)
        if start >= end:
            raise InjectionError(
                f"fault {fault.text!r}: of {survey.rows:,} rows there is none from {start:,} to {end:,}"
            )
        return cls(fault=fault, entropy=(seed, index), start=start, end=end, change=change)

    def hits(self, row: int) -> bool:
        """Whether it hits this row: a function of seed, place among the faults and row alone."""
        return self.start <= row < self.end and self._draw(0, row) < self.fault.share

    def amount(self, row: int) -> float:
        """An evenly distributed number of this row, within ``(0, 1)``."""
        return self._draw(1, row)

    def pass_by(self, row: int, written: int) -> None:
        """Note where in the copy the fault begins and ends."""
        if row <= self.start:
            self.output_start = written
        if row <= self.end:
            self.output_end = written

    def truth(self) -> InjectedTruth:
        """What has become of it."""
        form = self.fault.form
        return InjectedTruth(
            fault=self.fault.text,
            kind=self.fault.kind,
            family=form.family,
            check=form.check,
            feature=self.fault.field,
            input_rows=(self.start, self.end),
            output_rows=(self.output_start, self.output_end),
            changed=self.changed,
            description=form.description,
        )

    def _draw(self, which: int, row: int) -> float:
        block, place = divmod(row, _BLOCK_ROWS)
        if block != self._block:
            # The smallest double stands in for 0, of which a normal quantile is infinite.
            drawn = np.random.default_rng([*self.entropy, block]).random((2, _BLOCK_ROWS))
            self._block, self._draws = block, np.maximum(drawn, 2.0**-53)
        return float(self._draws[which, place])
