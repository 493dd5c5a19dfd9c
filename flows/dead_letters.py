"""The records of a batch that were refused, by the reader, the decoder or their event time."""

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from flows.batch import DeadLetter
from flows.decode.base import Decoded, Finding, Reason
from flows.sources.base import RawBatch
from flows.time_bounds import TimeBounds


def dead_letters(
    partition: str,
    raw: RawBatch,
    decoded: Decoded,
    times: IntArray,
    inside: NDArray[np.bool_] | None,
    bounds: TimeBounds,
) -> tuple[DeadLetter, ...]:
    """Return what was refused, by the number of the record.

    Parameters
    ----------
    times, inside
        Of each decoded row its event time and whether that is within bounds (None: all are), shape
        ``(rows,)``.
    """
    letters = [
        DeadLetter(partition=partition, number=r.number, reason=r.reason, detail=r.detail, raw=r.raw)
        for r in raw.refused
    ]
    refused = [(r.index, Finding(r.reason, r.detail, r.column)) for r in decoded.refused]
    if inside is not None:
        outside = zip(decoded.kept[~inside].tolist(), times[~inside].tolist(), strict=True)
        refused += [(index, _out_of_range(time, bounds)) for index, time in outside]
    letters += [
        DeadLetter(
            partition=partition,
            number=raw.numbers[index],
            reason=found.reason,
            detail=found.detail,
            raw=raw.records[index],
            column=found.column,
        )
        for index, found in refused
    ]
    return tuple(sorted(letters, key=lambda letter: letter.number))


def _out_of_range(time: int, bounds: TimeBounds) -> Finding:
    ahead = "" if bounds.max_ahead is None else f", or over {bounds.max_ahead} ms ahead of the record"
    return Finding(Reason.TIME_OUT_OF_RANGE, f"event time {time} is outside time.earliest/latest{ahead}")
