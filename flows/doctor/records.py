"""The first records of an input, decoded as a run would decode them."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from detectors.base import IntArray
from flows.config import Config
from flows.decode.base import Decoder, Reason
from flows.doctor.findings import Finding, broken, doubtful, fine
from flows.render.words import count_text, number_text
from flows.sources.base import Reader
from state.durations import Axis
from state.event_data import instant

SAMPLE = 500
"""Records of each partition that are decoded."""

PATIENCE_S = 5.0
"""How long to wait for records that a broker says are there."""

_PAUSE_S = 0.02


@dataclass(slots=True)
class Looked:
    """What some records turned into."""

    good: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    example: str = ""
    first: int | None = None
    last: int | None = None
    missing: Counter[str] = field(default_factory=Counter)

    @property
    def seen(self) -> int:
        """Records that were looked at."""
        return self.good + self.refused.total()

    def add(self, reader: Reader, decoder: Decoder, *, record_time: bool) -> None:
        """Read and decode up to `SAMPLE` records."""
        deadline, wanted = time.monotonic() + PATIENCE_S, SAMPLE
        while wanted > 0 and (raw := reader.read(wanted)) is not None:
            wanted -= len(raw.records) + len(raw.refused)
            decoded = decoder.decode(raw.records)
            told = [(refused.reason, refused.detail) for refused in raw.refused]
            told += [(refused.reason, refused.detail) for refused in decoded.refused]
            for reason, detail in told:
                self.refused[reason] += 1
                self.example = self.example or detail
            self.good += len(decoded.kept)
            for name, numbers in decoded.numeric.items():
                self.missing[name] += int(np.isnan(numbers).sum())
            for name, texts in decoded.categorical.items():
                self.missing[name] += sum(text is None for text in texts)
            times = decoded.time_ms
            if record_time and raw.times_ms is not None:
                times = np.array(raw.times_ms, dtype=np.int64)
            self._span(times)
            if not raw.records and not raw.refused:
                if raw.caught_up or time.monotonic() > deadline:
                    return
                time.sleep(_PAUSE_S)

    def _span(self, times: IntArray | None) -> None:
        if times is None or not len(times):
            return
        low, high = int(times.min()), int(times.max())
        self.first = low if self.first is None else min(self.first, low)
        self.last = high if self.last is None else max(self.last, high)


def record_findings(config: Config, found: Looked, *, now_ms: int, live: bool) -> Iterator[Finding]:
    """Say what the records are like: refused ones, empty columns, clocks that are wrong."""
    if not found.seen:
        yield doubtful("input", "holds no record yet", "send some, and look again")
        return
    yield _refusals(found)
    for column in config.fields:
        if found.good and found.missing[column.name] == found.good:
            yield doubtful(
                "columns",
                f"{column.name} (path {column.read.path}) holds no value in "
                f"{count_text(found.good, 'record')}",
                f"check `columns.{column.name}.path`: a nested field is written a.b",
            )
    if found.first is None or found.last is None or config.grid.axis is Axis.ROWS:
        return
    axis = config.grid.axis
    yield fine("time", f"event times from {instant(found.first, axis)} to {instant(found.last, axis)}")
    ahead = found.last - now_ms
    allowed = config.bounds.max_ahead
    if live and allowed is not None and ahead > allowed:
        yield doubtful(
            "time",
            f"the newest event time is {number_text(ahead / 1000)} s ahead of this machine's clock",
            "check the clocks, `time.format` and `time.zone`; such records are refused (`time.max_ahead`)",
        )


def _refusals(found: Looked) -> Finding:
    refused = found.refused.total()
    text = f"{count_text(found.good, 'record')} of {found.seen:,} looked at can be used"
    if not refused:
        return fine("input", text)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.refused.most_common())
    tell = broken if not found.good else doubtful
    return tell(
        "input",
        f"{text}; refused: {reasons}",
        f"the first of them: {found.example}" if found.example else "see docs/input.md for the reasons",
    )


def sampled(pairs: Iterator[tuple[Reader, Decoder]], *, record_time: bool) -> Looked:
    """Look at the beginning of each partition; closes the readers."""
    found = Looked()
    for reader, decoder in pairs:
        try:
            found.add(reader, decoder, record_time=record_time)
        finally:
            with suppress(OSError):
                reader.close()
    return found
