"""Choosing what is counted of outcomes: the task, the classes, the scale of the sums."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from detectors.base import DriftflowError, Kind
from detectors.performance.base import Metric, Task
from state.outcome_fields import OutcomeFields, class_name, number_name
from state.outcome_metrics import metrics_of
from state.outcomes import OutcomeLayout, Use
from state.sketches.base import Sketch
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins

MOST_CLASSES = 100
"""Classes whose confusion matrix is kept: 80 KB for each pane of labels and of predictions."""

_POSITIVE = ({"0", "1"}, "1"), ({"false", "true"}, "true"), ({"no", "yes"}, "yes"), ({"n", "y"}, "y")
"""Pairs of classes of which it is plain which one is positive, whatever the case of their letters."""


class OutcomeLayoutError(DriftflowError):
    """What is known of predictions and labels does not say how to measure performance."""


@dataclass(frozen=True)
class ReferenceOutcomes:
    """What a reference knows of its own performance; the layout of its counters is that of its runs."""

    layout: OutcomeLayout
    sketch: Sketch

    @property
    def rows(self) -> int:
        """Rows whose prediction and label could be used."""
        return int(self.sketch.counters[Use.USED])

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of the reference."""
        return metrics_of(self.layout, self.sketch.counters)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSpec:
    """What the configuration says of predictions and labels; None and nothing: it is to be found out.

    Attributes
    ----------
    threshold
        Score from which on a row is predicted positive, where no column says it.
    """

    fields: OutcomeFields
    task: Task | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: float = 0.5

    def layout(self, seen: Collection[str], bins: NumericBins | Categories | None) -> OutcomeLayout:
        """Choose the layout.

        Parameters
        ----------
        seen
            Classes that labels or predictions have; used where the configuration names none.
        bins
            Of the column of predictions; None where there is none.

        Raises
        ------
        OutcomeLayoutError
            It cannot be chosen; the message says which key would tell.
        """
        task = self.task or self._task(seen)
        if task is Task.REGRESSION:
            if not isinstance(bins, NumericBins) or self.fields.label.kind is not Kind.NUMERIC:
                raise OutcomeLayoutError(
                    "`performance.task`: regression needs a numeric column of `role: prediction`, and "
                    "numeric labels"
                )
            return OutcomeLayout(
                task=task, intervals=self.fields.intervals, center=bins.center, unit=bins.unit
            )
        classes = tuple(sorted(filter(None, map(class_name, self.classes or seen))))
        if not 1 < len(classes) <= MOST_CLASSES:
            raise OutcomeLayoutError(
                f"`performance.classes`: found {len(classes)} classes, wanted 2 to {MOST_CLASSES}: name "
                "them, or take a column that holds classes"
            )
        if task is Task.MULTICLASS:
            return OutcomeLayout(task=task, classes=classes)
        if len(classes) != 2:  # noqa: PLR2004  # binary
            raise OutcomeLayoutError(
                f"`performance.task`: found {len(classes)} classes ({', '.join(classes[:5])}), wanted two "
                "for binary; `multiclass`, or name them under `performance.classes`"
            )
        return OutcomeLayout(
            task=task,
            classes=classes,
            positive=self._positive(classes),
            scored=self.fields.score is not None,
            threshold=self.threshold,
        )

    def check(self, frozen: OutcomeLayout, version: str) -> None:
        """Hold the configuration against the layout that a reference has frozen.

        Raises
        ------
        OutcomeLayoutError
            They differ, so that figures of the two could not be compared.
        """
        wanted = replace(
            frozen,
            task=self.task or frozen.task,
            classes=tuple(sorted(filter(None, map(class_name, self.classes)))) or frozen.classes,
            scored=self.fields.score is not None and frozen.task is Task.BINARY,
            intervals=self.fields.intervals and frozen.task is Task.REGRESSION,
        )
        if wanted.task is Task.BINARY and len(wanted.classes) == 2:  # noqa: PLR2004  # binary
            wanted = replace(wanted, threshold=self.threshold, positive=self._positive(wanted.classes))
        if wanted != frozen:
            raise OutcomeLayoutError(
                f"`performance`: reference {version} has counted its own performance by other settings "
                f"({_described(frozen)}; wanted {_described(wanted)}): build a new one with "
                "'driftflow reference build'"
            )

    def _task(self, seen: Collection[str]) -> Task:
        fields = self.fields
        numeric = fields.prediction is not None and fields.prediction.kind is Kind.NUMERIC
        if numeric and fields.score is None and fields.label.kind is Kind.NUMERIC:
            return Task.REGRESSION
        classes = self.classes or seen
        return Task.BINARY if len(classes) == 2 else Task.MULTICLASS  # noqa: PLR2004  # binary

    def _positive(self, classes: tuple[str, ...]) -> int:
        named = class_name(self.positive)
        if named is not None:
            if named not in classes:
                raise OutcomeLayoutError(
                    f"`performance.positive`: found {self.positive!r}, wanted one of {', '.join(classes)}"
                )
            return classes.index(named)
        lower = [name.lower() for name in classes]
        for pair, positive in _POSITIVE:
            if set(lower) == pair:
                return lower.index(positive)
        raise OutcomeLayoutError(
            f"`performance.positive`: found none, wanted the one of {' and '.join(classes)} that is positive"
        )


def classes_in(bins: NumericBins | Categories) -> tuple[str, ...]:
    """Return the classes that a reference's column holds; of numbers those that fill a bin alone."""
    if isinstance(bins, Categories):
        return tuple(name for text in (*bins.names, *bins.rare) if (name := class_name(text)) is not None)
    edges = bins.edges
    # A value of its own has the bin (the double before it, it].
    alone = edges[1:][np.nextafter(edges[1:], -np.inf) == edges[:-1]]
    return tuple(name for value in alone.tolist() if (name := number_name(value)) is not None)


def _described(layout: OutcomeLayout) -> str:
    said = [layout.task.value]
    if layout.classes:
        said.append(f"classes {', '.join(layout.classes[:5])}")
    if layout.task is Task.BINARY:
        said.append(f"positive {layout.classes[layout.positive]}")
        said.append(f"threshold {layout.threshold:g}")
    said += [name for name, there in (("score", layout.scored), ("interval", layout.intervals)) if there]
    return ", ".join(said)
