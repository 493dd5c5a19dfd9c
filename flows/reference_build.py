"""Builds a reference from files in two passes: choose the bins, then count over them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from detectors.base import IntArray, Kind
from detectors.calibration import Calibration, Tails, measure_tails
from detectors.null_simulation import null_tables
from detectors.registry import BY_DEFAULT
from flows.decode.base import Decoded, Reason
from flows.input import InputSet
from flows.record_spec import RecordSpec
from flows.reference_faults import FaultCounts
from flows.reference_outcomes import OutcomeBuilder
from flows.reference_parts import Part, offered, read_parts
from flows.reference_records import RecordCounts
from flows.sampling import CategoryCounts, NumericSample, row_hash, set_apart
from flows.summarize import ONE_SPAN, whole_sketch
from state.columns import Column, Role
from state.layout import categories, fixed_categories, numeric_bins, pools
from state.outcome_layout import OutcomeSpec
from state.reference import BadReferenceError, Bins, FeatureReference, Provenance, Reference
from state.segments import NO_SEGMENTS, SegmentColumn, Segments, SegmentSpec, frozen_values
from state.sketches.base import Sketch, empty
from state.sketches.numeric import NumericBins
from state.spans import Spans, bounded


@dataclass(frozen=True, slots=True)
class BuiltReference:
    """A reference, and what was passed over while it was built: records by reason."""

    reference: Reference
    refused: dict[Reason, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the first pass chooses; without spans where the rows have no order.

    `chosen` are the columns some of whose categories are read together: the rows by which those were chosen
    are not counted again.
    """

    bins: dict[str, Bins]
    chosen: frozenset[str]
    tails: dict[str, Tails | None]
    spans: Spans | None
    segments: Segments


def build_reference(
    source: InputSet,
    columns: tuple[Column, ...],
    *,
    model: str,
    now_ms: int,
    rows: int | None = None,
    before: int | None = None,
    segments: SegmentSpec = NO_SEGMENTS,
    errors: tuple[Column, ...] = (),
    outcomes: OutcomeSpec | None = None,
    records: RecordSpec | None = None,
    in_order: bool = True,
    detectors: Collection[str] = BY_DEFAULT,
    on_read: Callable[[int], None] = lambda _: None,
) -> BuiltReference:
    """Build the reference of a model from all rows of an input, or its first `rows`.

    The input is read twice, in batches: memory does not grow with the number of rows.

    Parameters
    ----------
    before
        Rows with this event time or a later one are passed over; None: none is.
    segments
        Fields of the input by whose values rows are counted apart as well.
    errors
        Columns that rows with labels have as well; left out where no row has one.
    outcomes
        What predictions and labels are, for the reference's own performance; None: it is not measured.
    records
        What is looked at of whole records; None: nothing.
    in_order
        Whether rows without event times stand in the order in which they came. Only of rows with an order can
        it be told how they depend on each other.
    detectors
        Names of those that will measure windows: their laws without drift are simulated.
    on_read
        Called with what each batch read, in the unit of `source.total`; the whole sums to twice that.

    Raises
    ------
    BadReferenceError
        There is no good row, or a column holds no value at all.
    OutcomeLayoutError
        Rows have labels and do not say how performance is measured.
    """
    columns = (*columns, *offered(source, errors))
    labelled = None if outcomes is None else OutcomeBuilder(outcomes)
    layout = _choose_layout(
        source,
        columns,
        rows,
        on_read,
        before=before,
        segments=segments,
        in_order=in_order,
        on_part=_ignore if labelled is None else labelled.see,
    )
    if labelled is not None:
        labelled.begin(layout.bins, layout.segments)
    counts = _Counts(
        {column.name: empty(layout.bins[column.name].width) for column in columns},
        None if records is None else RecordCounts(records),
    )
    for part in read_parts(source, rows, on_read, before=before):
        counts.add(part, layout)
        if labelled is not None:
            labelled.count(part)
    columns = tuple(
        column
        for column in columns
        if column not in errors or layout.bins[column.name].summary(counts.sketches[column.name]).n
    )
    _check(counts.sketches, columns, layout.bins, counts.rows, counts.refused)
    made = Provenance(
        rows=counts.rows,
        refused=counts.refused.total(),
        start_ms=counts.start,
        end_ms=counts.end,
        sources=source.names,
        sha256=counts.digest.hexdigest(),
        created_ms=now_ms,
    )
    features = tuple(_feature(column, layout, counts, detectors) for column in columns)
    known = None if labelled is None else labelled.result()
    whole = None if counts.records is None else counts.records.facts
    reference = Reference(model, features, made, layout.segments, known, whole)
    return BuiltReference(reference, dict(counts.refused))


def _ignore(_: Part) -> None:
    """Take a batch and do nothing with it."""


def _feature(
    column: Column, layout: _Layout, counts: "_Counts", detectors: Collection[str]
) -> FeatureReference:
    name = column.name
    bins, sketch, chunks = layout.bins[name], counts.sketches[name], counts.chunks.get(name)
    if not column.watched:
        return FeatureReference(column, bins, sketch)
    known = Calibration(
        chunks=None if chunks is None else bounded(chunks),
        tails=layout.tails.get(name),
        ordered=bins.kind is Kind.NUMERIC,
        faults={} if chunks is None else counts.faults.of(name, groups=chunks.shape[1]),
    )
    tables = null_tables(FeatureReference(column, bins, sketch, known).summary, detectors)
    return FeatureReference(column, bins, sketch, replace(known, tables=tables))


@dataclass(slots=True)
class _Counts:
    """What the second pass adds up."""

    sketches: dict[str, Sketch]
    records: RecordCounts | None = None
    chunks: dict[str, IntArray] = field(default_factory=dict)
    faults: FaultCounts = field(default_factory=FaultCounts)
    refused: Counter[Reason] = field(default_factory=Counter)
    rows: int = 0
    start: int | None = None
    end: int | None = None
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, part: Part, layout: _Layout) -> None:
        """Take a batch."""
        for record in part.raw.records:
            self.digest.update(record)
            self.digest.update(b"\n")
        self.refused.update(refusal.reason for refusal in part.raw.refused)
        self.refused.update(refusal.reason for refusal in part.decoded.refused)
        if self.records is not None:
            self.records.add(part)
        kept = len(part.decoded.kept)
        if not kept:
            return
        self.rows += kept
        segments = layout.segments.rows(part.decoded.categorical, ONE_SPAN)
        for name, bins in layout.bins.items():
            counted_rows, rows = part.decoded, segments
            if name in layout.chosen:
                counted_rows = _not_set_apart(part, {name, *layout.segments.names})
                rows = layout.segments.rows(counted_rows.categorical, ONE_SPAN)
            if len(counted_rows.kept):
                self.sketches[name] = self.sketches[name].merge(whole_sketch(name, bins, counted_rows, rows))
            if layout.spans is not None:
                counted = layout.spans.count(part.positions, _places(name, bins, part.decoded), bins.groups)
                self.chunks[name] = self.chunks[name] + counted if name in self.chunks else counted
                self.faults.add(name, bins, part, layout.spans)
        if part.decoded.time_ms is not None:
            low, high = int(part.decoded.time_ms.min()), int(part.decoded.time_ms.max())
            self.start = low if self.start is None else min(low, self.start)
            self.end = high if self.end is None else max(high, self.end)


def _not_set_apart(part: Part, names: Collection[str]) -> Decoded:
    """Leave out the rows by which a column's categories were chosen; of the others, give these columns."""
    decoded, keep = part.decoded, ~set_apart(row_hash(part.numbers))
    kept = keep.tolist()
    values = {name: list(compress(decoded.categorical[name], kept)) for name in names}
    return replace(decoded, kept=decoded.kept[keep], categorical=values)


def _places(name: str, bins: Bins, decoded: Decoded) -> IntArray:
    if isinstance(bins, NumericBins):
        return bins.places(decoded.numeric[name])
    return bins.places(decoded.categorical[name])


def _choose_layout(
    source: InputSet,
    columns: tuple[Column, ...],
    rows: int | None,
    on_read: Callable[[int], None],
    *,
    before: int | None,
    segments: SegmentSpec,
    in_order: bool,
    on_part: Callable[[Part], None],
) -> _Layout:
    numeric = {c.name: NumericSample() for c in columns if c.kind is Kind.NUMERIC}
    counts = {c.name: CategoryCounts() for c in columns if c.kind is Kind.CATEGORICAL and not c.levels}
    fixed: dict[str, Bins] = {c.name: fixed_categories(c.levels) for c in columns if c.levels}
    split = {name: counts[name] if name in counts else CategoryCounts() for name in segments.columns}
    positions = NumericSample()
    rows_read, timed = 0, False
    for part in read_parts(source, rows, on_read, before=before):
        on_part(part)
        hashes = row_hash(part.numbers)
        rows_read += len(hashes)
        timed = timed or part.times is not None
        positions.add(part.positions.astype(np.float64), hashes)
        for name, sample in numeric.items():
            sample.add(part.decoded.numeric[name], hashes)
        for name, counter in {**split, **counts}.items():
            counter.add(part.decoded.categorical[name], hashes)
    latencies = {column.name for column in columns if column.role is Role.LATENCY}
    numbers = {
        name: numeric_bins(sample.values, extent=sample.extent, tail=name in latencies)
        for name, sample in numeric.items()
    }
    chosen = frozenset(name for name, counter in counts.items() if pools(counter.counts))
    names = {
        name: categories(counter.counts, chosen_by=counter.apart if name in chosen else None)
        for name, counter in counts.items()
    }
    return _Layout(
        bins={**numbers, **names, **fixed},
        chosen=chosen,
        tails={name: measure_tails(numeric[name].values, bins.edges) for name, bins in numbers.items()},
        spans=Spans.over(positions.values.astype(np.int64), rows_read) if in_order or timed else None,
        segments=Segments(
            tuple(
                SegmentColumn(name, frozen_values(counter.counts, segments.top))
                for name, counter in split.items()
            )
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
                f"column {column.name!r} (path {column.read.path!r}) holds no value in {total:,} rows; check "
                f"`columns.{column.name}.path`, or take the column out"
            )
