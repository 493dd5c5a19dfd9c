"""Segments in words: which part of the traffic a drift is in, and those that a reference has."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from rich.text import Text

from detectors.segments import Where
from flows.render.grid import Field, Row, note_lines
from flows.render.words import count_text, effect_text, number_text, p_text, plain_text, share_text
from state.reference import Reference
from state.segment_faults import FaultSegment, FaultSegments
from state.segment_scores import SegmentScore, SegmentScores
from state.sketches.base import ROWS

SEGMENT_FIELDS = (
    Field(title="segment", least=10),
    Field(title="traffic", right=True),
    Field(title="part", right=True),
    Field(title="effect", right=True),
    Field(title="90% interval", right=True, leaves=1),
    Field(title="p", right=True, leaves=2),
    Field(title="missing", right=True, leaves=3),
    Field(title="compared with", leaves=4),
)

PART_NOTE = "part: what a segment adds to the PSI of the whole, by what moved within it and by its traffic"

_MOST_NAMED = 3


def where_text(found: SegmentScores) -> str:
    """Say where a drift is, as far as the segments of one field tell."""
    column, names = plain_text(found.column), _names(found.named)
    match found.where:
        case Where.SEGMENTS:
            return f"in {column} = {names}: {share_text(found.explained)} of it"
        case Where.MIX:
            left = effect_text(found.reweighted)
            said = f"in the traffic of {column}, above all {names}"
            return f"{said}: with the reference's traffic the effect would be {left}"
        case Where.EVERYWHERE:
            return f"everywhere: no half of the segments of {column} has it alone"
        case _:
            return f"the rows do not tell which segment of {column} it is in"


def where_mark(found: Sequence[SegmentScores]) -> str:
    """Say the same in a few words for a line of many; empty where there is nothing to point at."""
    said = []
    for each in found:
        if each.where is Where.SEGMENTS:
            said.append(f"in {plain_text(each.column)} = {_names(each.named)}")
        elif each.where is Where.MIX:
            said.append(f"in the traffic of {plain_text(each.column)}")
    return ", ".join(said)


def fault_text(found: FaultSegments) -> str:
    """Say which segments make up most of what a check found.

    Examples
    --------
    >>> fault_text(FaultSegments(check="missing_share", column="country", segments=(
    ...     FaultSegment(segment="DE", rows=400, value=0.31, reference=0.02, part=0.96),)))
    'country = DE: 96% of it (31% of its rows, 2.0% in the reference)'
    """
    said = [
        f"{plain_text(each.segment)}: {share_text(each.part)} of it ({_fault_values(found.check, each)})"
        for each in found.segments[:_MOST_NAMED]
        if each.part > 0
    ]
    return f"{plain_text(found.column)} = {'; '.join(said) or 'none of them alone'}"


def _fault_values(check: str, found: FaultSegment) -> str:
    """Write both values of a segment: shares of its rows, or a metric of performance."""
    if check.endswith("_share"):
        return f"{share_text(found.value)} of its rows, {share_text(found.reference)} in the reference"
    return f"{number_text(found.value)}, expected {number_text(found.reference)}"


def segment_rows(found: Sequence[SegmentScores]) -> Iterator[Row]:
    """Give the rows of a table: each segment of each field, with its part of what moved."""
    for scores in found:
        for each in scores.segments:
            yield Row(_cells(scores, each))


def _cells(scores: SegmentScores, each: SegmentScore) -> tuple[str, ...]:
    low, high = each.effect_low, each.effect_high
    return (
        f"{plain_text(scores.column)} = {plain_text(each.segment)}",
        f"{share_text(each.reference_share)} → {share_text(each.share)}",
        f"{each.within + each.mix:+.3f}",
        effect_text(each.effect),
        "" if low is None or high is None else f"{effect_text(low)} to {effect_text(high)}",
        p_text(each.p_value),
        share_text(each.missing / each.rows if each.rows else None),
        "itself" if each.against == "segment" else "the whole",
    )


class SegmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of a reference.

    Attributes
    ----------
    own
        Whether it has rows enough to be compared with its own.
    """

    column: str
    segment: str
    rows: int
    share: float
    own: bool


def segment_facts(reference: Reference, min_rows: int) -> tuple[SegmentFacts, ...]:
    """Gather the segments of a reference; rows are those of the column that counted most."""
    counted = [feature.sketch.segments for feature in reference.features]
    held = [each for each in counted if each is not None]
    if not held:
        return ()
    rows = max(held, key=lambda each: int(each[:, ROWS].sum()))[:, ROWS]
    return tuple(
        SegmentFacts(
            column=column.name,
            segment=label,
            rows=int(n),
            share=int(n) / max(int(rows[place].sum()), 1),
            own=bool(n >= min_rows),
        )
        for column, place in reference.segments.spans()
        for label, n in zip(column.labels, np.asarray(rows[place]).tolist(), strict=True)
    )


def segment_lines(found: Sequence[SegmentFacts], width: int) -> Iterator[Text]:
    """Write the segments of a reference for a terminal of `width` cells, field by field."""
    for line in _facts_texts(found):
        yield from note_lines(line, width, indent=1)


def _facts_texts(found: Sequence[SegmentFacts]) -> Iterator[str]:
    for column in dict.fromkeys(each.column for each in found):
        parts = [
            f"{plain_text(each.segment)} {share_text(each.share)}{'' if each.own else '*'}"
            for each in found
            if each.column == column and each.rows
        ]
        yield f"segments of {plain_text(column)}: {', '.join(parts)}"
    few = sum(not each.own for each in found if each.rows)
    if few:
        yield f"* {count_text(few, 'segment')} with too few rows: compared with the whole column"


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(map(plain_text, names[:_MOST_NAMED]))
    return listed + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
