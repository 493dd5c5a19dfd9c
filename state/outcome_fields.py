"""The fields of a record that performance is read from, and their values as payloads of numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from typing import Protocol

import numpy as np

from detectors.base import FloatArray, Kind
from detectors.performance.base import Task
from state.columns import Column
from state.outcomes import OutcomeLayout
from state.segments import Segments


class Columns(Protocol):
    """Rows as columns, by name; NaN and None are missing."""

    @property
    def numeric(self) -> Mapping[str, FloatArray]:
        """Numeric columns, shape ``(rows,)`` each."""
        ...

    @property
    def categorical(self) -> Mapping[str, Sequence[str | None]]:
        """Categorical columns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFields:
    """Columns by what they mean to performance; None: there is none."""

    prediction: Column | None = None
    score: Column | None = None
    label: Column
    low: Column | None = None
    high: Column | None = None

    @property
    def intervals(self) -> bool:
        """Whether predictions come with an interval."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Turns columns into payloads of a layout.

    Attributes
    ----------
    segments
        Fields by whose values rows are counted apart as well, as many as the layout has.
    """

    layout: OutcomeLayout
    fields: OutcomeFields
    segments: Segments = field(default_factory=Segments)
    _codes: dict[str | None, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes: dict[str | None, float] = {name: float(i) for i, name in enumerate(self.layout.classes)}
        codes[None] = np.nan
        object.__setattr__(self, "_codes", codes)

    @classmethod
    def by_segment(cls, layout: OutcomeLayout, fields: OutcomeFields, segments: Segments) -> "Outcomes":
        """Let the layout count rows by segment as well."""
        sizes = tuple(column.size for column in segments.columns)
        return cls(layout=replace(layout, segments=sizes), fields=fields, segments=segments)

    def prediction_payload(self, columns: Columns) -> FloatArray:
        """Return what predictions bring, shape ``(rows, layout.widths[0])``."""
        segments = [column.coded(columns.categorical[column.name]) for column in self.segments.columns]
        return np.column_stack([*self._predicted(columns), *segments])

    def _predicted(self, columns: Columns) -> list[FloatArray]:
        fields = self.fields
        if self.layout.task is Task.REGRESSION:
            assert fields.prediction is not None  # the configuration is refused without
            wanted = [fields.prediction]
            if self.layout.intervals and fields.low is not None and fields.high is not None:
                wanted += [fields.low, fields.high]
            return [_numbers(columns, column) for column in wanted]
        score = None if fields.score is None else columns.numeric[fields.score.name]
        if fields.prediction is not None:
            predicted = self._coded(columns, fields.prediction)
        else:
            assert score is not None  # the configuration is refused without either
            predicted = self._by_score(score)
        return [predicted] if score is None or not self.layout.scored else [predicted, score]

    def label_payload(self, columns: Columns) -> FloatArray:
        """Return what labels bring, shape ``(rows, 1)``."""
        if self.layout.task is Task.REGRESSION:
            return _numbers(columns, self.fields.label)[:, None]
        return self._coded(columns, self.fields.label)[:, None]

    def _by_score(self, score: FloatArray) -> FloatArray:
        positive = self.layout.positive
        found = np.where(score >= self.layout.threshold, float(positive), float(1 - positive))
        return np.where(np.isfinite(score), found, np.nan)

    def _coded(self, columns: Columns, column: Column) -> FloatArray:
        values = class_names(columns, column)
        unknown = repeat(float(len(self.layout.classes)))
        return np.fromiter(map(self._codes.get, values, unknown), dtype=np.float64, count=len(values))


def class_names(columns: Columns, column: Column) -> Sequence[str | None]:
    """Return the class that each row names: whole numbers are written without a point, as texts too.

    So labels that one program wrote as 1 and another as 1.0 are of one class.

    Examples
    --------
    >>> from state.columns import Column
    >>> class Row:
    ...     numeric = {"y": np.array([1.0, np.nan, 0.5])}
    ...     categorical = {}
    >>> class_names(Row(), Column(name="y", path="y", kind=Kind.NUMERIC))
    ['1', None, '0.5']
    """
    if column.kind is Kind.CATEGORICAL:
        return list(map(class_name, columns.categorical[column.name]))
    return [number_name(value) for value in columns.numeric[column.name].tolist()]


@lru_cache(maxsize=4_096)
def class_name(text: str | None) -> str | None:
    """Write the name of a class as `class_names` does.

    Examples
    --------
    >>> class_name("1.0"), class_name("1.5"), class_name("v1.0")
    ('1', '1.5', 'v1.0')
    """
    return text if text is None or not _WHOLE.fullmatch(text) else text.partition(".")[0]


_WHOLE = re.compile(r"-?[0-9]+\.0+")


def number_name(value: float) -> str | None:
    """Write a number as the name of a class; None where it is no number."""
    if value != value:  # noqa: PLR0124  # NaN
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def _numbers(columns: Columns, column: Column) -> FloatArray:
    return columns.numeric[column.name]
