"""The page of a reference: where it comes from, a table to sort, and a histogram of every column."""

from collections.abc import Sequence
from math import isfinite
from typing import Protocol

import numpy as np

from flows.pages.charts import histogram_svg
from flows.pages.page import drawing, filled_page
from flows.render.references import ColumnFacts
from state.durations import Axis
from state.event_data import instant
from state.explain import histogram
from state.reference import FeatureReference, Provenance, Reference


class Shown(Protocol):
    """What is shown of a reference beside its distributions."""

    @property
    def model(self) -> str:
        """The model it belongs to."""
        ...

    @property
    def version(self) -> str:
        """Its name."""
        ...

    @property
    def active(self) -> bool:
        """Whether it is the one activated last."""
        ...

    @property
    def takes_over(self) -> Sequence[str | None]:
        """From when on it counts, for each time it was activated."""
        ...

    @property
    def columns(self) -> Sequence[ColumnFacts]:
        """Its columns, in the order of the configuration."""
        ...


def reference_page(found: Shown, reference: Reference) -> str:
    """Write a reference as one HTML file that loads nothing.

    Raises
    ------
    PagesMissingError
        The extra `report` is not installed.
    """
    made = reference.provenance
    values = {
        "found": found,
        "made": made,
        "built": instant(made.created_ms, Axis.MILLISECONDS),
        "span": _span(made),
        "charts": {feature.column.name: drawing(_chart(feature)) for feature in reference.features},
    }
    return filled_page("reference.html.j2", values)


def _span(made: Provenance) -> str:
    if made.start_ms is None or made.end_ms is None:
        return ""
    start, end = (instant(moment, Axis.MILLISECONDS) for moment in (made.start_ms, made.end_ms))
    return f"{start} to {end}"


def _chart(feature: FeatureReference) -> str:
    sketch = feature.sketch
    counts = np.zeros_like(feature.summary.counts)
    return histogram_svg(
        histogram(feature, counts),
        low=sketch.low if isfinite(sketch.low) else None,
        high=sketch.high if isfinite(sketch.high) else None,
        both=False,
    )
