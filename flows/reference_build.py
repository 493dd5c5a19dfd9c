"""Builds a reference from files in two passes: choose the bins, then count over them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from detectors.base import Kind
from flows.decode.base import Decoded, Reason
from flows.input import InputSet, OpenReader
from flows.sampling import CategoryCounts, NumericSample, row_hash
from flows.sources.base import RawBatch
from flows.summarize import whole_sketch
from state.columns import Column
from state.layout import categories, numeric_bins
from state.reference import BadReferenceError, Bins, FeatureReference, Provenance, Reference
from state.sketches.base import Sketch, empty

_BATCH_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class BuiltReference:
    """A reference, and what was passed over while it was built: records by reason."""

    reference: Reference
    refused: dict[Reason, int]


@dataclass(frozen=True, slots=True)
class _Part:
    raw: RawBatch
    decoded: Decoded


def build_reference(
    source: InputSet,
    columns: tuple[Column, ...],
    *,
    model: str,
    now_ms: int,
    rows: int | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> BuiltReference:
    """Build the reference of a model from all rows of an input, or its first `rows`.

    The input is read twice, in batches: memory does not grow with the number of rows.

    Parameters
    ----------
    on_read
        Called with what each batch read, in the unit of `source.total`; the whole sums to twice that.

    Raises
    ------
    BadReferenceError
        There is no good row, or a column holds no value at all.
    """
    bins = _choose_bins(source, columns, rows, on_read)
    sketches = {column.name: empty(bins[column.name].width) for column in columns}
    digest = sha256()
    refused = Counter[Reason]()
    total, start, end = 0, None, None
    for part in _parts(source, rows, on_read):
        for record in part.raw.records:
            digest.update(record)
            digest.update(b"\n")
        refused.update(refusal.reason for refusal in part.raw.refused)
        refused.update(refusal.reason for refusal in part.decoded.refused)
        total += len(part.decoded.kept)
        for column in columns:
            if len(part.decoded.kept):
                sketches[column.name] = sketches[column.name].merge(
                    whole_sketch(column.name, bins[column.name], part.decoded)
                )
        times = part.decoded.time_ms
        if times is not None and len(times):
            start = min(int(times.min()), start) if start is not None else int(times.min())
            end = max(int(times.max()), end) if end is not None else int(times.max())
    _check(sketches, columns, bins, total, refused)
    made = Provenance(
        rows=total,
        refused=refused.total(),
        start_ms=start,
        end_ms=end,
        sources=source.names,
        sha256=digest.hexdigest(),
        created_ms=now_ms,
    )
    features = tuple(FeatureReference(c, bins[c.name], sketches[c.name]) for c in columns)
    return BuiltReference(Reference(model, features, made), dict(refused))


def _choose_bins(
    source: InputSet, columns: tuple[Column, ...], rows: int | None, on_read: Callable[[int], None]
) -> dict[str, Bins]:
    numeric = {c.name: NumericSample() for c in columns if c.kind is Kind.NUMERIC}
    counts = {c.name: CategoryCounts() for c in columns if c.kind is Kind.CATEGORICAL}
    seen = 0
    for part in _parts(source, rows, on_read):
        decoded = part.decoded
        hashes = row_hash(np.arange(seen, seen + len(decoded.kept)))
        seen += len(decoded.kept)
        for name, sample in numeric.items():
            sample.add(decoded.numeric[name], hashes)
        for name, counter in counts.items():
            counter.add(decoded.categorical[name])
    chosen: dict[str, Bins] = {name: numeric_bins(sample.values) for name, sample in numeric.items()}
    chosen |= {name: categories(counter.counts) for name, counter in counts.items()}
    return chosen


def _parts(source: InputSet, rows: int | None, on_read: Callable[[int], None]) -> Iterator[_Part]:
    """Read partitions one after the other, up to a number of good rows."""
    left = rows
    for opener in source.readers.values():
        for part in _read(opener, on_read):
            if left is None:
                yield part
                continue
            kept = len(part.decoded.kept)
            yield part if kept <= left else _first(part, left)
            left -= min(kept, left)
            if left == 0:
                return


def _read(opener: OpenReader, on_read: Callable[[int], None]) -> Iterator[_Part]:
    reader, decoder = opener(None)
    try:
        while (raw := reader.read(_BATCH_ROWS)) is not None:
            on_read(raw.size)
            yield _Part(raw, decoder.decode(raw.records))
    finally:
        reader.close()


def _first(part: _Part, rows: int) -> _Part:
    """Keep the first good rows of a part, and only the records up to the last of them."""
    raw, decoded = part.raw, part.decoded
    last = int(decoded.kept[rows - 1]) + 1
    return _Part(
        RawBatch(
            records=raw.records[:last],
            numbers=raw.numbers[:last],
            refused=tuple(r for r in raw.refused if r.number <= raw.numbers[last - 1]),
        ),
        Decoded(
            kept=decoded.kept[:rows],
            numeric={name: values[:rows] for name, values in decoded.numeric.items()},
            categorical={name: values[:rows] for name, values in decoded.categorical.items()},
            time_ms=None if decoded.time_ms is None else decoded.time_ms[:rows],
            refused=tuple(r for r in decoded.refused if r.index < last),
        ),
    )


def _check(
    sketches: dict[str, Sketch],
    columns: tuple[Column, ...],
    bins: dict[str, Bins],
    total: int,
    refused: Counter[Reason],
) -> None:
    if not total:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.most_common())
        raise BadReferenceError(f"found no good row to build a reference from (refused: {reasons or 'none'})")
    for column in columns:
        if bins[column.name].summary(sketches[column.name]).n == 0:
            raise BadReferenceError(
                f"column {column.name!r} (path {column.path!r}) holds no value in {total:,} rows; check "
                f"`columns.{column.name}.path`, or take the column out"
            )
