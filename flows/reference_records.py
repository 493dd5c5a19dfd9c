"""Counts whole records while a reference is built: what the checks of records are held against."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from detectors.base import IntArray
from flows.record_spec import RecordSpec
from flows.record_watch import PlacedRows, record_keys
from flows.reference_parts import Part
from state.arrivals import ArrivalCounter
from state.record_facts import MOST_FIELDS, RecordFacts
from state.sketches.keys import key_sample, merge_keys

SAMPLED_MASK = 3
"""The fields of every fourth record are looked at: a rare field must not seem new later."""


@dataclass(slots=True)
class RecordCounts:
    """What is added up over the records of a reference."""

    spec: RecordSpec
    _rows: int = 0
    _keyed: int = 0
    _keys: IntArray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    _refused: Counter[str] = field(default_factory=Counter)
    _wrong: Counter[str] = field(default_factory=Counter)
    _sampled: int = 0
    _fields: Counter[str] | None = field(default_factory=Counter)
    _arrivals: ArrivalCounter = field(default_factory=ArrivalCounter)
    _untimed: bool = False

    def add(self, part: Part) -> None:
        """Take a batch."""
        self._refused.update(refusal.reason for refusal in part.raw.refused)
        self._refused.update(refusal.reason for refusal in part.decoded.refused)
        self._wrong.update(r.column for r in part.decoded.refused if r.column is not None)
        kept = part.decoded.kept
        if not len(kept):
            return
        self._rows += len(kept)
        nothing = np.zeros(0, dtype=np.int64)
        placed = PlacedRows(kept, nothing, nothing, part.decoded.numeric, part.decoded.categorical)
        keys = record_keys(part.raw, placed, self.spec.id_column)
        self._keyed += int(np.count_nonzero(keys >= 0))
        self._keys = merge_keys([self._keys, key_sample(keys)])
        self._look(part, kept[(keys >= 0) & ((keys & SAMPLED_MASK) == 0)])
        if part.times is None:
            self._untimed = True
        else:
            self._arrivals.add(part.times)

    def _look(self, part: Part, sampled: IntArray) -> None:
        self._sampled += len(sampled)
        for index in sampled.tolist():
            if self._fields is None:
                return
            self._fields.update(part.decoder.fields(part.raw.records[index]))
            if len(self._fields) > MOST_FIELDS:
                self._fields = None

    @property
    def facts(self) -> RecordFacts | None:
        """What was found; None of records that are not of the stream's form."""
        if self.spec.timed and self._untimed:
            return None
        return RecordFacts(
            rows=self._rows,
            keyed=self._keyed,
            keys=self._keys,
            refused=dict(self._refused),
            wrong=dict(self._wrong),
            sampled=self._sampled,
            fields=self._fields,
            arrivals=self._arrivals.arrivals if self.spec.timed else None,
        )
