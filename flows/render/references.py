"""References as tables: the list of them, and the columns of one."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from rich.text import Text

from detectors.base import FloatArray, IntArray, Kind
from flows.render.dependence import (
    DependenceFacts,
    block_text,
    dependence_facts,
    dependence_note,
    inflation_text,
)
from flows.render.grid import Cell, Field, Row, grid, note_lines
from flows.render.performance import metric_lines
from flows.render.words import (
    clock,
    count_text,
    moment_text,
    number_text,
    share_text,
    spark,
)
from state.durations import Axis
from state.event_data import instant
from state.reference import FeatureReference, Reference
from state.sketches.base import MISSING, NON_FINITE
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins
from state.stores.base import ReferenceInfo

SPARK_WIDTH = 12
"""Bars of a histogram."""

_TOP = 3

_LIST_FIELDS = (
    Field(title=""),
    Field(title="version"),
    Field(title="built (UTC)", leaves=2),
    Field(title="rows", right=True),
    Field(title="from", leaves=3),
    Field(title="to", leaves=3),
    Field(title="source", leaves=1, least=12),
)

_SHOW_FIELDS = (
    Field(title="column", least=10),
    Field(title="bins", right=True, leaves=3),
    Field(title="missing", right=True, leaves=2),
    Field(title="inflation", right=True, leaves=1),
    Field(title="block", right=True, leaves=4),
    Field(title="histogram", leaves=5),
    Field(title="min · mean · max, or top", least=20),
)


class CategoryShare(msgspec.Struct, frozen=True, kw_only=True):
    """A category and its share of the rows that hold a value."""

    name: str
    share: float


class ColumnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a reference.

    Attributes
    ----------
    formula
        What a derived column is computed by; None where it is a field of the record.
    continuous
        Whether KS decides on it; chi-square where not.
    bins
        Number of bins, or of categories with a count of their own.
    edges, counts
        Upper edges of all bins but the last, and rows per bin; None for categories.
    categories
        The most frequent ones, all that have a count of their own; None for numbers.
    dependence
        How rows depend on each other; None where the reference was built without counting it.
    """

    column: str
    path: str
    formula: str | None
    kind: Kind
    role: str
    continuous: bool
    bins: int
    rows: int
    missing: int
    non_finite: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    standard_deviation: float | None
    edges: list[float] | None
    counts: list[int] | None
    categories: list[CategoryShare] | None
    dependence: DependenceFacts | None

    @property
    def constant(self) -> bool:
        """Whether all rows hold one value."""
        if self.categories is not None:
            return any(category.share == 1 for category in self.categories)
        return self.minimum is not None and self.minimum == self.maximum


def column_facts(feature: FeatureReference, rows: int) -> ColumnFacts:
    """Gather what is known of a column, for windows of so many rows."""
    column, bins, summary = feature.column, feature.bins, feature.summary
    counters, moments = feature.sketch.counters, summary.moments
    categorical = isinstance(bins, Categories)
    return ColumnFacts(
        column=column.name,
        path=column.path,
        formula=column.formula,
        kind=column.kind,
        role=str(column.role),
        continuous=summary.continuous,
        bins=len(bins.names) if isinstance(bins, Categories) else bins.bins,
        rows=feature.sketch.rows,
        missing=int(counters[MISSING]),
        non_finite=0 if categorical else int(counters[NON_FINITE]),
        minimum=None if moments is None else moments.minimum,
        mean=None if moments is None else moments.mean,
        maximum=None if moments is None else moments.maximum,
        standard_deviation=None if moments is None else float(np.sqrt(moments.variance)),
        edges=bins.edges.tolist() if isinstance(bins, NumericBins) else None,
        counts=None if categorical else summary.counts.tolist(),
        categories=_shares(bins, summary.counts) if isinstance(bins, Categories) else None,
        dependence=dependence_facts(feature, rows),
    )


def _shares(bins: Categories, counts: IntArray) -> list[CategoryShare]:
    total = max(int(counts.sum()), 1)
    return [
        CategoryShare(name=name, share=int(n) / total) for name, n in zip(bins.names, counts, strict=False)
    ]


def reference_lines(reference: Reference, *, active: bool, rows: int, width: int) -> Iterator[Text]:
    """Write one reference for a terminal of `width` cells; `rows` are those of a window."""
    made = reference.provenance
    state = "active" if active else "not active"
    yield Text(f" Reference {reference.version} of {reference.model} ({state})", "bold")
    said = f"{count_text(made.rows, 'row')} from {', '.join(made.sources)}"
    if made.refused:
        said += f", {made.refused:,} refused"
    if made.start_ms is not None and made.end_ms is not None:
        said += f", {_minute(made.start_ms)} to {_minute(made.end_ms)} UTC"
    yield from note_lines(f"{said}; built {_minute(made.created_ms)} UTC", width, indent=1)
    yield Text()
    found = [column_facts(feature, rows) for feature in reference.features]
    yield grid(_SHOW_FIELDS, [_column_row(each) for each in found], width)
    said = "bins: continuous, KS decides; values and levels: discrete, chi-square decides"
    yield from note_lines(said, width, indent=1)
    if any(each.dependence is not None for each in found):
        yield from note_lines(dependence_note(rows), width, indent=1)
    for each in found:
        if each.formula is not None:
            yield from note_lines(f"{each.column}: {each.formula}", width, indent=1)
    if reference.outcomes is not None:
        yield from metric_lines(reference.outcomes.metrics, reference.outcomes.rows, width)


def list_lines(infos: Sequence[ReferenceInfo], active: str | None, width: int) -> Iterator[Text]:
    """List references for a terminal of `width` cells."""
    write, note = clock(_instant(at) for info in infos for at in (info.start_ms, info.end_ms))
    rows = [
        Row(
            (
                Cell("*" if info.version == active else "", "bold green"),
                Cell(info.version, "bold" if info.version == active else ""),
                _minute(info.created_ms),
                f"{info.rows:,}",
                write(_instant(info.start_ms)),
                write(_instant(info.end_ms)),
                info.source,
            )
        )
        for info in infos
    ]
    yield grid(_LIST_FIELDS, rows, width)
    yield from note_lines("* active" + (f"; event times in {note}" if note else ""), width, indent=1)


def schedule_lines(times: Sequence[tuple[str, str | None]], width: int) -> Iterator[Text]:
    """Say which reference takes over when."""
    for version, time in times:
        yield from note_lines(
            f"{version} takes over for windows that start at {time} or later", width, indent=1
        )


def histogram_bars(found: ColumnFacts) -> str:
    """Draw a column: density over equal widths where it is continuous, else one bar per value or category."""
    if found.categories is not None:
        return spark([category.share for category in found.categories[:SPARK_WIDTH]])
    counts = np.array(found.counts, dtype=np.int64)
    edges = np.array(found.edges, dtype=np.float64)
    if not found.continuous:
        return spark(_joined(counts[counts > 0]))
    return spark(_density(edges, counts))


def _density(edges: FloatArray, counts: IntArray) -> list[float]:
    """Share of the rows in equal widths between the outermost edges: the tails would flatten the rest."""
    below = np.cumsum(counts)[:-1] / max(int(counts.sum()), 1)
    borders = np.linspace(edges[0], edges[-1], SPARK_WIDTH + 1)
    shares: list[float] = np.diff(np.interp(borders, edges, below)).tolist()
    return shares


def _joined(counts: IntArray) -> list[float]:
    """Join neighbours until all values have a bar."""
    parts = np.array_split(counts, min(len(counts), SPARK_WIDTH)) if len(counts) else []
    return [float(part.sum()) for part in parts]


def _column_row(found: ColumnFacts) -> Row:
    if found.categories is not None:
        top = ", ".join(f"{each.name} {share_text(each.share)}" for each in found.categories[:_TOP])
        rest = len(found.categories) - _TOP
        said = top + (f", {rest} more" if rest > 0 else "")
    else:
        said = " · ".join(map(number_text, (found.minimum, found.mean, found.maximum)))
    return Row(
        (
            found.column,
            _bins_text(found),
            share_text(found.missing / found.rows if found.rows else None),
            inflation_text(found.dependence),
            block_text(found.dependence),
            Cell(histogram_bars(found), "cyan"),
            said,
        )
    )


def _bins_text(found: ColumnFacts) -> str:
    if found.counts is None:
        return count_text(found.bins, "level")
    if found.continuous:
        return count_text(found.bins, "bin")
    # Between two values there is a bin for whatever may come that was never seen.
    return count_text(sum(count > 0 for count in found.counts), "value")


def _instant(time_ms: int | None) -> str | None:
    return None if time_ms is None else str(instant(time_ms, Axis.MILLISECONDS))


def _minute(time_ms: int) -> str:
    return moment_text(instant(time_ms, Axis.MILLISECONDS))
