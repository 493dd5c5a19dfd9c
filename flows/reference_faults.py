"""Counts where in a reference its faults are: missing, non-finite and zero values, span by span."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from detectors.calibration import Fault
from flows.decode.base import Decoded
from flows.reference_parts import Part
from state.reference import Bins
from state.sketches.numeric import NumericBins
from state.spans import Spans, joined


@dataclass(slots=True)
class FaultCounts:
    """Rows with each fault of each column, by span; those that occur."""

    _counts: dict[tuple[str, Fault], IntArray] = field(default_factory=dict)

    def add(self, name: str, bins: Bins, part: Part, spans: Spans) -> None:
        """Take one column of a batch."""
        for fault, marked in _marked(name, bins, part.decoded).items():
            if marked.any():
                counted = spans.tally(part.positions[marked])
                key = name, fault
                self._counts[key] = self._counts[key] + counted if key in self._counts else counted

    def of(self, name: str, *, groups: int) -> dict[Fault, IntArray]:
        """Give those of one column, in as many spans as are kept of a column of so many groups."""
        return {
            fault: joined(counts, groups=groups) for (of, fault), counts in self._counts.items() if of == name
        }


def _marked(name: str, bins: Bins, decoded: Decoded) -> dict[Fault, NDArray[np.bool_]]:
    """Mark the rows with each fault that the column can have."""
    if isinstance(bins, NumericBins):
        values = decoded.numeric[name]
        return {
            Fault.MISSING: np.isnan(values),
            Fault.NON_FINITE: np.isinf(values),
            Fault.ZERO: values == 0,
        }
    return {Fault.MISSING: np.array([value is None for value in decoded.categorical[name]], dtype=np.bool_)}
