"""Compares two spans of a model's past, from the panes that its store keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detectors.base import DriftflowError
from flows.compare_columns import standards_of
from flows.compare_files import ComparedInput, Comparison, compare_sketches
from flows.config import Config
from flows.infer import LeftOut
from state.closed_panes import read_pane
from state.durations import Axis
from state.event_data import instant
from state.reference import FeatureReference, Reference, load
from state.sketches.base import Sketch, merge_all
from state.stores.base import Store
from state.stores.panes import StoredPane

Span = tuple[int, int]
"""Event time from the first that is wanted to the first that is not."""


class NoPanesError(DriftflowError):
    """Nothing of the spans can be compared; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansAsked:
    """Two spans of a version of the configured model; they share nothing."""

    version: str
    reference: Span
    current: Span


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with what is counted of both spans."""

    feature: FeatureReference
    current: Sketch
    panes: tuple[Sequence[StoredPane], Sequence[StoredPane]]


def compare_spans(
    store: Store, config: Config, asked: SpansAsked, *, on_progress: Callable[[float], None] = lambda _: None
) -> tuple[Comparison, tuple[LeftOut, ...]]:
    """Compare the panes that lie in two spans, column by column, and name the columns that cannot be.

    The first span stands in the place of a reference, over the bins in which both were counted. It is not
    calibrated: detectors whose law is learnt from raw rows give a score and no p-value, and say so.

    Raises
    ------
    NoPanesError
        No column can be compared.
    """
    references: dict[str, Reference] = {}
    found, left_out = list[_Column](), list[LeftOut]()
    for number, column in enumerate(config.columns, 1):
        made = _column(store, config, asked, column.name, references)
        if isinstance(made, str):
            left_out.append(LeftOut(name=column.name, reason=made))
        else:
            found.append(made)
        on_progress(number / len(config.columns))
    if not found:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in left_out[:5])
        raise NoPanesError(f"there is no column to compare ({reasons})")
    standards = standards_of(config.file.detection, config.file.quality, config.columns)
    comparison = compare_sketches(
        [each.feature for each in found],
        {each.feature.column.name: each.current for each in found},
        _told([each.panes[0] for each in found], [each.feature.sketch for each in found], config.grid.axis),
        _told([each.panes[1] for each in found], [each.current for each in found], config.grid.axis),
        standards,
    )
    return comparison, tuple(left_out)


def _column(
    store: Store, config: Config, asked: SpansAsked, name: str, references: dict[str, Reference]
) -> _Column | str:
    """Read both sides of a column; where they cannot be compared, say why."""
    model = config.file.model.name
    before, now = (
        # A pane counts whole or not at all.
        [pane for pane in store.panes(model, asked.version, name, start=start, end=end) if pane.end <= end]
        for start, end in (asked.reference, asked.current)
    )
    for side, panes in (("reference", before), ("current", now)):
        if not panes:
            return f"no pane of the {side}'s span is kept (`output.panes` says how many are)"
    versions = sorted({pane.reference for pane in (*before, *now)})
    if len(versions) > 1:
        return f"its rows were counted in the bins of {len(versions)} references ({', '.join(versions)})"
    (version,) = versions
    if version not in references:
        references[version] = load(store.reference(model, version))
    counted = references[version].feature(name)
    feature = FeatureReference(counted.column, counted.bins, _merged(before))
    if not feature.summary.n:
        return "the reference's span holds no value"
    return _Column(feature, _merged(now), (before, now))


def _merged(panes: Sequence[StoredPane]) -> Sketch:
    return merge_all([read_pane(pane).sketch.whole() for pane in panes])


def _told(panes: Sequence[Sequence[StoredPane]], sketches: Sequence[Sketch], axis: Axis) -> ComparedInput:
    """Say what a side is: the panes that are there, which may be fewer than the span has."""
    start = instant(min(each[0].start for each in panes), axis)
    end = instant(max(each[-1].end for each in panes), axis)
    rows = max(sketch.rows for sketch in sketches)
    return ComparedInput(files=(f"panes from {start} to {end}",), rows=rows, refused={})
