"""The stored form of what a reference knows of its own performance."""

import msgspec

from detectors.performance.base import Task
from state.outcome_layout import ReferenceOutcomes
from state.outcomes import OutcomeLayout
from state.sketches.base import from_bytes


class PackedOutcomes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Layout and counters; what a later release adds has a default, so that these bytes stay as they are."""

    task: Task
    sketch: bytes
    classes: tuple[str, ...] = ()
    positive: int = 1
    scored: bool = False
    intervals: bool = False
    threshold: float = 0.5
    center: float = 0.0
    unit: float = 1.0


def pack_outcomes(outcomes: ReferenceOutcomes) -> PackedOutcomes:
    """Write."""
    layout = outcomes.layout
    return PackedOutcomes(
        task=layout.task,
        sketch=outcomes.sketch.to_bytes(),
        classes=layout.classes,
        positive=layout.positive,
        scored=layout.scored,
        intervals=layout.intervals,
        threshold=layout.threshold,
        center=layout.center,
        unit=layout.unit,
    )


def unpack_outcomes(packed: PackedOutcomes) -> ReferenceOutcomes:
    """Read what `pack_outcomes` wrote."""
    layout = OutcomeLayout(
        task=packed.task,
        classes=packed.classes,
        positive=packed.positive,
        scored=packed.scored,
        intervals=packed.intervals,
        threshold=packed.threshold,
        center=packed.center,
        unit=packed.unit,
    )
    return ReferenceOutcomes(layout, from_bytes(packed.sketch))
