"""Checks of how a model is served: quantiles of latency, and which answers are errors."""

import re
from dataclasses import dataclass, field, replace

from detectors.checks import Check, Family, Sensitivity
from detectors.coarse import inflation
from detectors.quantiles import Binned, check_quantile, quantile
from detectors.scatter import Statistic
from state.columns import Role
from state.reference import FeatureReference
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins

_CLASS = re.compile("[0-9][0-9xX]*[xX]")


@dataclass(frozen=True, slots=True)
class ErrorStatuses:
    """Which statuses are errors: texts in any case, where `5xx` stands for 500 to 599."""

    texts: tuple[str, ...]
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = [
            re.sub("[xX]", "[0-9]", text) if _CLASS.fullmatch(text) else re.escape(text)
            for text in self.texts
        ]
        # A status that is written as a number may come as 500.0 from a data frame.
        pattern = rf"\s*(?:{'|'.join(parts)})(?:\.0+)?\s*" if parts else r"(?!)"
        object.__setattr__(self, "_pattern", re.compile(pattern, re.IGNORECASE))

    def match(self, status: str) -> bool:
        """Whether a status is an error."""
        return self._pattern.fullmatch(status) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyLimit:
    """A quantile that is checked: `limit` in the unit of the column; None: the reference's decides."""

    name: str
    share: float
    limit: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRules:
    """What makes a violation of a check of operations.

    Attributes
    ----------
    level
        Chance that one window violates one of these checks where nothing has changed, at most.
    min_rows
        Rows below which nothing is said.
    status
        The column that says how a request ended; None: there is none.
    error_rate
        Largest share of errors that is none.
    min_increase
        By how much of the reference's quantile a window's may be above it.
    unit
        Of latencies, for people.
    """

    level: float
    min_rows: int
    status: str | None
    errors: ErrorStatuses
    error_rate: float
    limits: tuple[LatencyLimit, ...]
    min_increase: float
    unit: str


def latency_checks(
    feature: FeatureReference, window: Sketch, rules: OperationRules | None
) -> tuple[Check, ...]:
    """Check the quantiles of a window's latencies; none of any other column."""
    if rules is None or feature.column.role is not Role.LATENCY:
        return ()
    return tuple(_checked(feature, window, rules, limit) for limit in rules.limits)


def _checked(feature: FeatureReference, window: Sketch, rules: OperationRules, given: LatencyLimit) -> Check:
    current, before = _binned(feature, window), quantile(_binned(feature, feature.sketch), given.share)
    limit, source = given.limit, f"operations.latency.{given.name.removeprefix('latency_')}"
    if limit is None:
        # A column of a reference has a value, or the reference is not built.
        assert before is not None
        limit = before.value * (1.0 + rules.min_increase)
        source = f"reference: {before.value:.6g} {rules.unit}, and {rules.min_increase:.0%} more"
    check = check_quantile(
        given.name,
        Family.OPERATIONS,
        current,
        given.share,
        Sensitivity(level=rules.level, min_excess=0.0, min_rows=rules.min_rows),
        limit=limit,
        reference=None if before is None else before.value,
        source=source,
        clump=inflation(feature.summary, current.n, Statistic.DISTRIBUTION) if current.n else 1.0,
    )
    return replace(check, detail=f"{check.detail} {rules.unit}") if check.detail else check


def _binned(feature: FeatureReference, sketch: Sketch) -> Binned:
    assert isinstance(feature.bins, NumericBins)  # the configuration refuses a latency that is categorical
    counts = feature.bins.summary(sketch).counts
    return Binned(counts=counts, edges=feature.bins.edges, low=sketch.low, high=sketch.high)
