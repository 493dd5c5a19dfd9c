"""What a reference's own rows say of the model's performance, where they have labels."""

from dataclasses import dataclass, field, replace

import numpy as np

from flows.reference_parts import Part
from state.joined import Count
from state.outcome_fields import OutcomeFields, Outcomes, class_names
from state.outcome_layout import MOST_CLASSES, OutcomeLayoutError, OutcomeSpec, ReferenceOutcomes
from state.outcome_segments import countable
from state.outcomes import Use
from state.reference import Bins
from state.segments import Segments
from state.sketches.base import Sketch, empty

_TOO_MANY = MOST_CLASSES * 10
"""Names that are remembered while classes are looked for: of more there is no confusion matrix."""


@dataclass(slots=True)
class OutcomeBuilder:
    """Finds the classes of a reference's rows in a first pass, and counts outcomes in a second."""

    spec: OutcomeSpec
    labels: set[str] = field(default_factory=set)
    predicted: set[str] = field(default_factory=set)
    labelled: int = 0
    outcomes: Outcomes | None = None
    sketch: Sketch = field(default_factory=lambda: empty(0))

    def see(self, part: Part) -> None:
        """Take a batch of the first pass."""
        fields = self.spec.fields
        if not len(part.decoded.kept) or not _has(part, fields):
            return
        labels = class_names(part.decoded, fields.label)
        self.labelled += sum(name is not None for name in labels)
        predicted = () if fields.prediction is None else class_names(part.decoded, fields.prediction)
        for seen, values in ((self.labels, labels), (self.predicted, predicted)):
            if len(seen) < _TOO_MANY:
                seen.update(name for name in values if name is not None)

    def begin(self, bins: dict[str, Bins], segments: Segments) -> None:
        """Choose what is counted, by segment as well; nothing where no row has a label.

        Raises
        ------
        OutcomeLayoutError
            The rows do not say how performance is measured, or labels and predictions share no class.
        """
        if not self.labelled:
            return
        prediction = self.spec.fields.prediction
        seen = self.labels | self.predicted
        layout = self.spec.layout(seen, None if prediction is None else bins[prediction.name])
        if layout.classes and self.predicted and not self.labels & self.predicted:
            raise OutcomeLayoutError(
                f"`performance`: labels are {_some(self.labels)} and predictions {_some(self.predicted)}, "
                "wanted classes of the same names"
            )
        self.outcomes = Outcomes.by_segment(layout, self.spec.fields, countable(layout, segments))
        self.sketch = empty(layout.width)

    def count(self, part: Part) -> None:
        """Take a batch of the second pass."""
        if self.outcomes is None or not len(part.decoded.kept):
            return
        layout, at = self.outcomes.layout, np.zeros(len(part.decoded.kept), dtype=np.int64)
        predictions = self.outcomes.prediction_payload(part.decoded)
        labels = self.outcomes.label_payload(part.decoded)
        there = ~np.isnan(labels[:, 0])
        self.sketch.counters[Count.PREDICTIONS] += len(there)
        self.sketch.counters[Count.LABELLED] += int(there.sum())
        self.sketch.counters[Count.UNLABELLED] += int((~there).sum())
        for _, _, sketch in layout.sketches(at[there], at[there], predictions[there], labels[there]):
            self.sketch = self.sketch.merge(sketch)

    def result(self) -> ReferenceOutcomes | None:
        """Return what was counted; None where no row can be used."""
        if self.outcomes is None or not self.sketch.counters[Use.USED]:
            return None
        return ReferenceOutcomes(replace(self.outcomes.layout, segments=()), self.sketch)


def _some(names: set[str]) -> str:
    """Name a few."""
    return ", ".join(sorted(names)[:5])


def _has(part: Part, fields: OutcomeFields) -> bool:
    """Whether the rows have the column of labels at all."""
    return fields.label.name in part.decoded.numeric or fields.label.name in part.decoded.categorical
