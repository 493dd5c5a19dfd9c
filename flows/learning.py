"""Learns a reference from the first records of a run's own input."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from detectors.registry import BY_DEFAULT
from flows.decode.base import Decoder
from flows.input import InputSet
from flows.patience import OnWait, Patience, unwatched
from flows.record_spec import RecordSpec
from flows.reference_build import BuiltReference, build_reference
from flows.sources.base import RawBatch, Reader
from state.columns import Column
from state.outcome_layout import OutcomeSpec
from state.reference import BadReferenceError
from state.segments import NO_SEGMENTS, SegmentSpec

_POLL_RECORDS = 8_192


def learn_reference(
    source: InputSet,
    columns: tuple[Column, ...],
    *,
    model: str,
    rows: int,
    now_ms: int,
    segments: SegmentSpec = NO_SEGMENTS,
    detectors: Collection[str] = BY_DEFAULT,
    outcomes: OutcomeSpec | None = None,
    records: RecordSpec | None = None,
    on_wait: OnWait = unwatched,
    sleep: Callable[[float], None] = time.sleep,
) -> BuiltReference:
    """Build a reference from the first records of an input.

    Of files these are the first `rows` good rows, file after file, as ``reference build --rows`` takes them.
    Of a live input each partition gives its first ``rows / partitions`` records, refused ones included, so
    that which these are depends on neither the time nor the speed of reading; a partition that has fewer is
    waited for. They are held in memory meanwhile.

    Parameters
    ----------
    detectors
        As for `build_reference`.
    on_wait
        Called again and again while records are waited for.

    Raises
    ------
    BadReferenceError
        A bounded input has fewer good rows, or a column holds no value.
    """
    wanted: int | None = rows
    if source.live:
        source, wanted = _first_records(source, rows, on_wait, sleep), None
    built = build_reference(
        source,
        columns,
        model=model,
        now_ms=now_ms,
        rows=wanted,
        segments=segments,
        records=records,
        outcomes=outcomes,
        detectors=detectors,
    )
    found = built.reference.provenance.rows
    if wanted is not None and found < wanted:
        raise BadReferenceError(
            f"`reference.rows`: the input has {found:,} good rows, wanted {wanted:,} to learn a reference"
        )
    return built


def shares(rows: int, names: Sequence[str]) -> dict[str, int]:
    """Deal a number of records to partitions, the first ones taking what is left over.

    Examples
    --------
    >>> shares(10, ["a", "b", "c"])
    {'a': 4, 'b': 3, 'c': 3}
    """
    each, over = divmod(rows, len(names))
    return {name: each + (i < over) for i, name in enumerate(names)}


def _first_records(source: InputSet, rows: int, on_wait: OnWait, sleep: Callable[[float], None]) -> InputSet:
    """Read what each partition has to give, and return it as an input of its own."""
    parts = [
        _Part(name, share, *source.readers[name](None))
        for name, share in shares(rows, sorted(source.readers)).items()
    ]
    patience = Patience("learning a reference", service="records", on_wait=on_wait)
    try:
        while any(part.left for part in parts):
            if not sum(part.read() for part in parts):
                lacking = ", ".join(f"{part.left:,} more of {part.name}" for part in parts if part.left)
                sleep(patience.failed(f"wanted {lacking}"))
    finally:
        for part in parts:
            part.reader.close()
    return replace(source, readers={part.name: part.opened for part in parts})


@dataclass(slots=True)
class _Part:
    """One partition, and what was read of it."""

    name: str
    left: int
    reader: Reader
    decoder: Decoder
    batches: list[RawBatch] = field(default_factory=list)

    def read(self) -> int:
        """Read once; return how many records came."""
        raw = self.reader.read(min(self.left, _POLL_RECORDS)) if self.left else None
        if raw is None:
            return 0
        came = len(raw.records) + len(raw.refused)
        self.left -= came
        if came:
            self.batches.append(raw)
        return came

    def opened(self, _position: bytes | None) -> tuple[Reader, Decoder]:
        """Read the same again."""
        return _Held(iter(self.batches)), self.decoder


@dataclass(slots=True)
class _Held:
    """A reader of batches in memory."""

    batches: Iterator[RawBatch]

    def read(self, max_records: int) -> RawBatch | None:  # noqa: ARG002  # the protocol's signature
        return next(self.batches, None)

    def position(self) -> bytes:
        raise AssertionError("nothing is resumed here")

    def close(self) -> None:
        """Hold nothing that must be released."""
