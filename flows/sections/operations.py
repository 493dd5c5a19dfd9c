"""The section `operations`: how long answers take, and how many requests fail."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from detectors.base import Kind
from flows.config_values import ConfigError
from flows.sections.base import Section, Share
from state.columns import Column, Role
from state.operations import ErrorStatuses, LatencyLimit, OperationRules

_Level = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
_Limit = Annotated[float, msgspec.Meta(gt=0.0)]
_PATTERN = re.compile(r"\S(.*\S)?", re.DOTALL)


class LatencyConfig(Section, frozen=True):
    """Quantiles of columns with the role latency: limits in their own unit, else from the reference.

    Attributes
    ----------
    unit
        unit of the latency columns, for people
    p50
        largest value of the quantile; without one the reference's decides
    p95
        largest value of the quantile; without one the reference's decides
    p99
        largest value of the quantile; without one the reference's decides
    min_increase
        by how much of the reference's quantile one may be above it
    """

    unit: str = "ms"
    p50: _Limit | None = None
    p95: _Limit | None = None
    p99: _Limit | None = None
    min_increase: Annotated[float, msgspec.Meta(ge=0.0)] = 0.25


class OperationsConfig(Section, frozen=True):
    """Checks of how a model is served; they look at columns with the roles latency and status.

    Attributes
    ----------
    enabled
        `false`: nothing is checked of them beside their distributions
    level
        chance that a window violates any of these checks where nothing has changed, at most
    errors : `5xx`, `error`, `failed`, `failure`, `exception`, `timeout`
        values of the status column that are errors, in any case; `5xx` stands for 500 to 599
    error_rate
        largest share of errors that is no alarm
    """

    enabled: bool = True
    level: _Level = 1e-4
    errors: tuple[str, ...] = ("5xx", "error", "failed", "failure", "exception", "timeout")
    error_rate: Share = 0.05
    latency: LatencyConfig = LatencyConfig()


def status_column(fields: Sequence[Column]) -> str | None:
    """Return the column that says how a request ended; None where there is none.

    Raises
    ------
    ConfigError
        There are several, or it is numeric.
    """
    found = [field for field in fields if field.role is Role.STATUS]
    if len(found) > 1:
        raise ConfigError(
            f"`columns`: found {', '.join(field.name for field in found)} with role status, wanted one"
        )
    if found and found[0].kind is not Kind.CATEGORICAL:
        raise ConfigError(
            f"`columns.{found[0].name}.kind`: found numeric, wanted categorical: a status is a name, even 500"
        )
    return found[0].name if found else None


def operation_rules(
    given: OperationsConfig, fields: Sequence[Column], *, min_rows: int
) -> OperationRules | None:
    """Check the section, and split its level over its checks; None where there is nothing to check.

    Raises
    ------
    ConfigError
        A latency is categorical, or a status has no name.
    """
    status = status_column(fields)
    latencies = [field for field in fields if field.role is Role.LATENCY]
    for field in latencies:
        if field.kind is not Kind.NUMERIC:
            raise ConfigError(f"`columns.{field.name}.kind`: found categorical, wanted numeric for a latency")
    for place, text in enumerate(given.errors):
        if not _PATTERN.fullmatch(text):
            raise ConfigError(f"`operations.errors[{place}]`: found {text!r}, wanted a status such as '5xx'")
    if not given.enabled or not (latencies or status):
        return None
    limits = tuple(
        LatencyLimit(name=f"latency_p{percent}", share=percent / 100, limit=limit)
        for percent, limit in ((50, given.latency.p50), (95, given.latency.p95), (99, given.latency.p99))
    )
    checks = len(limits) * len(latencies) + (status is not None)
    return OperationRules(
        level=given.level / checks,
        min_rows=min_rows,
        status=status,
        errors=ErrorStatuses(given.errors),
        error_rate=given.error_rate,
        limits=limits,
        min_increase=given.latency.min_increase,
        unit=given.latency.unit,
    )
