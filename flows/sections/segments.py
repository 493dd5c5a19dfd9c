"""The section `segments`: fields by whose values every measure is taken apart."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from detectors.base import Kind
from flows.config_values import ConfigError
from flows.sections.base import Name, Positive, Section
from state.columns import Column, Role
from state.segments import SegmentSpec


class SegmentsConfig(Section, frozen=True):
    """Fields whose values are segments; `top` of each have one of their own, the rest is one together.

    Attributes
    ----------
    columns
        up to four categorical columns whose values are segments; role `segment` for one that is not
        watched itself
    top
        values of each that a new reference gives a segment of their own, the most frequent ones; 1 to
        50
    min_rows
        with fewer rows of the reference a segment is compared with the whole column instead of with
        its own rows
    """

    columns: Annotated[tuple[Name, ...], msgspec.Meta(max_length=4)] = ()
    top: Annotated[int, msgspec.Meta(ge=1, le=50)] = 8
    min_rows: Positive = 500


def segment_spec(section: SegmentsConfig, fields: Sequence[Column]) -> SegmentSpec:
    """Check the section against the fields that are read.

    Raises
    ------
    ConfigError
        A field is not read, is named twice, or cannot be a segment.
    """
    known = {field.name: field for field in fields}
    for place, name in enumerate(section.columns):
        path, found = f"segments.columns[{place}]", known.get(name)
        if found is None:
            raise ConfigError(f"`{path}`: found {name!r}, wanted one of {', '.join(known)} (see `columns`)")
        if found.kind is not Kind.CATEGORICAL or found.role is Role.ID:
            told = "role id" if found.role is Role.ID else f"kind {found.kind}"
            raise ConfigError(f"`{path}`: {name!r} has {told}, wanted a categorical column that is no id")
        if name in section.columns[:place]:
            raise ConfigError(f"`{path}`: found {name!r} a second time, wanted each column once")
    return SegmentSpec(columns=section.columns, top=section.top, min_rows=section.min_rows)
