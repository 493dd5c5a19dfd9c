"""Data quality: what is checked beside the distributions, how sure a violation is, and given limits."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from detectors.base import Kind
from detectors.checks import Given
from flows.config_values import ConfigError
from flows.decode.base import Reason
from flows.sections.base import Name, Section, Share
from flows.sections.limits import LimitConfig, check_limit, given_limits
from state.columns import Column
from state.quality import OF_KIND, ONLY_GIVEN, QualityCheck, QualityRules
from state.record_checks import check_names
from state.record_volume import BURST, EMPTY, LOW


class ColumnQuality(Section, frozen=True):
    """What is different for one column: limits of a check, or `false` where it is not to be made.

    Attributes
    ----------
    missing_share
        rows without a value
    non_finite_share
        rows with an infinite value
    zero_share
        zeros, of values
    out_of_range_share
        values outside the reference's range
    new_share
        categories that the reference never had
    vanished_share
        the reference's share of a category that is gone
    constant
        whether a column is checked for holding one value only
    minimum
        the smallest value of a window; checked only where it is given
    maximum
        the largest value of a window, likewise
    """

    missing_share: LimitConfig | bool = True
    non_finite_share: LimitConfig | bool = True
    zero_share: LimitConfig | bool = True
    out_of_range_share: LimitConfig | bool = True
    new_share: LimitConfig | bool = True
    vanished_share: LimitConfig | bool = True
    constant: bool = True
    minimum: LimitConfig | None = None
    maximum: LimitConfig | None = None


class QualityConfig(Section, frozen=True):
    """Checks of data quality: on by default, with limits from the reference and its sampling error.

    Attributes
    ----------
    enabled
        `false`: nothing is checked
    level
        chance that a window violates any check where nothing has changed, at most
    min_excess
        largest difference of two shares that does not matter
    without
        checks that are not made, such as `[constant]`
    records
        a [check of whole records](quality.md#records), in place of limits from the reference; for example
        `duplicate_share: {max: 0.02}`
    volume_factor
        how many times fewer rows than any known window had, or more than any, matter
    """

    enabled: bool = True
    level: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 1e-4
    min_excess: Share = 0.01
    without: tuple[QualityCheck, ...] = ()
    columns: dict[Name, ColumnQuality] = msgspec.field(default_factory=dict)
    records: dict[str, LimitConfig] = msgspec.field(default_factory=dict)
    volume_factor: Annotated[float, msgspec.Meta(ge=1.0)] = 2.0


def quality_rules(given: QualityConfig, *, tracks: int, min_rows: int) -> QualityRules | None:
    """Split the level of a window over its tracks (Bonferroni); None where nothing is to be checked.

    Parameters
    ----------
    tracks
        Columns that are watched, and tracks of whole records.
    """
    if not given.enabled:
        return None
    asked = {name: _asked(column) for name, column in given.columns.items()}
    return QualityRules(
        level=given.level / tracks,
        min_excess=given.min_excess,
        min_rows=min_rows,
        given={
            name: {check: Given(lower=limit.min, upper=limit.max) for check, limit in checks.items() if limit}
            for name, checks in asked.items()
        },
        without=frozenset(given.without),
        without_in={
            name: frozenset(check for check, limit in checks.items() if limit is None)
            for name, checks in asked.items()
        },
    )


def check_quality(given: QualityConfig, columns: Sequence[Column]) -> None:
    """Hold the section against the watched columns.

    Raises
    ------
    ConfigError
        A column is not watched, a check does not apply to its kind, or limits leave nothing between them.
    """
    kinds = {column.name: column.kind for column in columns}
    for name, column in given.columns.items():
        key = f"quality.columns.{name}"
        if name not in kinds:
            raise ConfigError(f"`{key}`: found no watched column of that name, wanted one of {_list(kinds)}")
        for check, limit in _asked(column).items():
            applies = _applying(kinds[name])
            if check not in applies:
                raise ConfigError(
                    f"`{key}.{check}`: {name!r} is {kinds[name]}; wanted one of {_list(applies)}"
                )
            if limit is not None:
                check_limit(limit, f"{key}.{check}")


def _asked(column: ColumnQuality) -> Mapping[QualityCheck, LimitConfig | None]:
    """Return what is said of a column's checks: limits, or None where one is not to be made."""
    said = {QualityCheck(name): getattr(column, name) for name in ColumnQuality.__struct_fields__}
    limits = {check: limit for check, limit in said.items() if isinstance(limit, LimitConfig)}
    return limits | {check: None for check, limit in said.items() if limit is False}


def _applying(kind: Kind) -> tuple[QualityCheck, ...]:
    return (*OF_KIND[kind], *(ONLY_GIVEN if kind is Kind.NUMERIC else ()))


def _list(names: Mapping[str, Kind] | Sequence[str]) -> str:
    return ", ".join(names)


def record_limits(given: QualityConfig) -> dict[str, Given]:
    """Check the limits that are given for checks of whole records.

    Raises
    ------
    ConfigError
        There is no such check, or a limit means nothing.
    """
    return given_limits(given.records, "quality.records", (LOW, BURST, EMPTY, *check_names(Reason)))
