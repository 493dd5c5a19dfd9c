"""Puts decoded columns together, without the rows that were refused after decoding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.base import FloatArray
from flows.decode.base import Decoded, Finding, Refusal
from flows.decode.event_time import parse_times
from state.columns import TimeColumn

MICRO_BATCH = 128
"""Records decoded at once: with more, their Python objects fall out of the cache before they are columns."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """Columns of one batch while it is decoded.

    Attributes
    ----------
    matrix
        Numeric columns, shape ``(columns, records)``; the first ``len(kept)`` of each row are filled.
    texts
        Categorical columns, a list of texts each.
    times
        Values of the time field; empty where there is none.
    kept
        Index in the batch of each row so far.
    refused
        Records that never became rows.
    wrong
        Rows to take out again, by row number.
    """

    matrix: FloatArray
    texts: list[list[str | None]]
    times: list[object] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    wrong: dict[int, Finding] = field(default_factory=dict)


def new_draft(*, numeric: int, categorical: int, records: int) -> Draft:
    """Return a draft with room for so many columns and records."""
    return Draft(
        matrix=np.empty((numeric, records), dtype=np.float64), texts=[[] for _ in range(categorical)]
    )


def finish(
    draft: Draft, *, numeric: Mapping[str, int], categorical: Mapping[str, int], time: TimeColumn | None
) -> Decoded:
    """Read the times, take out refused rows, and name the columns.

    Parameters
    ----------
    numeric, categorical
        Where each column stands in `Draft.matrix` and `Draft.texts`.
    """
    rows = len(draft.kept)
    times_ms = None
    wrong = draft.wrong
    if time is not None:
        times_ms, bad = parse_times(draft.times, time)
        for row, reason, detail in bad:
            wrong.setdefault(row, Finding(reason, detail))
    kept = np.array(draft.kept, dtype=np.int64)
    matrix = draft.matrix[:, :rows]
    texts: Sequence[list[str | None]] = draft.texts
    refused = draft.refused
    if wrong:
        good = np.ones(rows, dtype=np.bool_)
        good[list(wrong)] = False
        refused = [*refused, *(Refusal(draft.kept[row], *finding) for row, finding in wrong.items())]
        kept, matrix = kept[good], np.compress(good, matrix, axis=1)
        texts = [[text for row, text in enumerate(column) if row not in wrong] for column in texts]
        times_ms = None if times_ms is None else times_ms[good]
    return Decoded(
        kept=kept,
        numeric={name: matrix[place] for name, place in numeric.items()},
        categorical={name: texts[place] for name, place in categorical.items()},
        time_ms=times_ms,
        refused=tuple(sorted(refused, key=lambda refusal: refusal.index)),
    )
