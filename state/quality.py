"""Checks of data quality: what a window of one column says beside the distribution of its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite

import numpy as np

from detectors.absence import check_constant, check_vanished
from detectors.base import IntArray, Kind
from detectors.calibration import Calibration, Fault
from detectors.checking import check_given, check_share
from detectors.checks import Check, Counted, Family, Given, Sensitivity
from detectors.shares import wilson
from state.reference import FeatureReference
from state.sketches.base import HEADER, MISSING, NON_FINITE, Sketch
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins, Oddities


class QualityCheck(StrEnum):
    """The checks of data quality of columns, in the order in which they are made."""

    MISSING_SHARE = "missing_share"
    NON_FINITE_SHARE = "non_finite_share"
    ZERO_SHARE = "zero_share"
    OUT_OF_RANGE_SHARE = "out_of_range_share"
    NEW_SHARE = "new_share"
    VANISHED_SHARE = "vanished_share"
    CONSTANT = "constant"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


OF_KIND: Mapping[Kind, tuple[QualityCheck, ...]] = {
    Kind.NUMERIC: (
        QualityCheck.MISSING_SHARE,
        QualityCheck.NON_FINITE_SHARE,
        QualityCheck.ZERO_SHARE,
        QualityCheck.OUT_OF_RANGE_SHARE,
        QualityCheck.CONSTANT,
    ),
    Kind.CATEGORICAL: (
        QualityCheck.MISSING_SHARE,
        QualityCheck.NEW_SHARE,
        QualityCheck.VANISHED_SHARE,
        QualityCheck.CONSTANT,
    ),
}
"""Checks that have a limit from the reference, by kind of column; the others only have one that is given."""

ONLY_GIVEN = (QualityCheck.MINIMUM, QualityCheck.MAXIMUM)
"""Checks of numeric columns without a limit of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    """What makes a violation of a check of data quality.

    Attributes
    ----------
    level
        Chance that one window of one track violates any of its checks where nothing has changed, at most.
    min_excess
        Largest difference between two shares that does not matter.
    min_rows
        Rows, on either side, below which nothing is said.
    given
        Limits in place of those of the reference, by column and check.
    without, without_in
        Checks that are not made, of any column and by column.
    """

    level: float
    min_excess: float
    min_rows: int
    given: Mapping[str, Mapping[QualityCheck, Given]] = field(default_factory=dict)
    without: frozenset[QualityCheck] = frozenset()
    without_in: Mapping[str, frozenset[QualityCheck]] = field(default_factory=dict)


def column_checks(feature: FeatureReference, window: Sketch, rules: QualityRules) -> tuple[Check, ...]:
    """Check one window of one column, always the same checks in the same order; a pure function."""
    name = feature.column.name
    given, without = rules.given.get(name, {}), rules.without | rules.without_in.get(name, frozenset())
    wanted = [check for check in OF_KIND[feature.column.kind] if check not in without]
    by_chance = sum(check not in given for check in wanted)
    sensitivity = Sensitivity(
        level=rules.level / max(by_chance, 1), min_excess=rules.min_excess, min_rows=rules.min_rows
    )
    counts = window.counters[HEADER : HEADER + feature.bins.bins]
    n, known = int(counts.sum()), feature.calibration and feature.calibration.dependence
    spread = known.largest_inflation(n) if known else 1.0
    looked = _Looked(feature, window, counts, n, spread, sensitivity)
    found = [looked.check(check) for check in wanted]
    limited = [
        made if made.name not in given else _limited(made, given[QualityCheck(made.name)], rules.min_rows)
        for made in found
        if made is not None
    ]
    extremes = [_extreme(check, window, given[check]) for check in ONLY_GIVEN if check in given]
    return (*limited, *extremes)


def expected_checks(feature: FeatureReference, rows: int, rules: QualityRules) -> tuple[Check, ...]:
    """Check a window of so many rows that is like the reference: what its limits are."""
    held = feature.sketch
    counters = np.rint(held.counters * (rows / max(held.rows, 1))).astype(np.int64)
    return column_checks(feature, Sketch(counters, held.low, held.high), rules)


@dataclass(frozen=True, slots=True)
class _Looked:
    """One column of one window beside its reference.

    Attributes
    ----------
    counts, n
        The window's values by bin, shape ``(bins,)``, and their number.
    spread
        Variance of the share of a group over that of independent rows, at least 1.
    """

    feature: FeatureReference
    window: Sketch
    counts: IntArray
    n: int
    spread: float
    sensitivity: Sensitivity

    def check(self, check: QualityCheck) -> Check | None:
        """Make a check; None where the reference does not know what it takes."""
        make: Callable[[], Check | None] = {
            QualityCheck.MISSING_SHARE: self._missing,
            QualityCheck.NON_FINITE_SHARE: self._non_finite,
            QualityCheck.ZERO_SHARE: self._zeros,
            QualityCheck.OUT_OF_RANGE_SHARE: self._out_of_range,
            QualityCheck.NEW_SHARE: self._new,
            QualityCheck.VANISHED_SHARE: self._vanished,
            QualityCheck.CONSTANT: self._constant,
        }[check]
        return make()

    @property
    def _calibration(self) -> Calibration:
        return self.feature.calibration or Calibration()

    def _share(
        self, check: QualityCheck, current: Counted, reference: Counted, clump: float, detail: str = ""
    ) -> Check:
        return check_share(
            check, Family.QUALITY, current, reference, self.sensitivity, clump=clump, detail=detail
        )

    def _missing(self) -> Check:
        return self._of_rows(QualityCheck.MISSING_SHARE, MISSING, Fault.MISSING)

    def _non_finite(self) -> Check:
        return self._of_rows(QualityCheck.NON_FINITE_SHARE, NON_FINITE, Fault.NON_FINITE)

    def _of_rows(self, check: QualityCheck, place: int, fault: Fault) -> Check:
        sketches = self.window, self.feature.sketch
        current, reference = (Counted(count=int(s.counters[place]), n=s.rows) for s in sketches)
        return self._share(check, current, reference, self._calibration.clump(fault, current.n))

    def _oddities(self) -> tuple[Oddities, Oddities] | None:
        """Return those of the window and of the reference, where both are known."""
        bins = self.feature.bins
        if not isinstance(bins, NumericBins):
            return None
        now, before = bins.oddities(self.window), bins.oddities(self.feature.sketch)
        if now is None or before is None:
            return None
        return now, before

    def _zeros(self) -> Check | None:
        found = self._oddities()
        if found is None:
            return None
        current = Counted(count=found[0].zeros, n=self.n)
        reference = Counted(count=found[1].zeros, n=self.feature.summary.n)
        clump = self._calibration.clump(Fault.ZERO, self.n)
        return self._share(QualityCheck.ZERO_SHARE, current, reference, clump)

    def _out_of_range(self) -> Check | None:
        found = self._oddities()
        if found is None:
            return None
        now, before = found
        low, high = self.feature.sketch.low, self.feature.sketch.high
        detail = f"{now.below} below {low:.6g}, {now.above} above {high:.6g}"
        return self._share(
            QualityCheck.OUT_OF_RANGE_SHARE,
            Counted(count=now.below + now.above, n=self.n),
            Counted(count=before.below + before.above, n=self.feature.summary.n),
            self.spread,
            detail if now.below + now.above else "",
        )

    def _new(self) -> Check | None:
        """Hold the share of new names against what is new where nothing has changed.

        Of rows like the reference's, a share of about (names seen once) / (rows) holds a name that it has not
        seen (Good 1953, The population frequencies of species and the estimation of population parameters,
        Biometrika 40, 237-264): names that are always changing are no fault.
        """
        bins = self.feature.bins
        if not isinstance(bins, Categories) or not bins.complete:
            return None
        counts = self.feature.sketch.counters[HEADER:]
        once = int(np.count_nonzero(counts[: bins.other] == 1))
        # How many of the names that are counted together were seen once is not kept: at most all of them.
        once += min(len(bins.rare), int(counts[bins.other]))
        current = Counted(count=int(self.counts[bins.new]), n=self.n)
        named = ", ".join(name for _, name in self.window.names[:5])
        return self._share(
            QualityCheck.NEW_SHARE,
            current,
            Counted(count=once, n=self.feature.summary.n),
            self.spread,
            f"such as {named}" if named else "",
        )

    def _vanished(self) -> Check | None:
        bins = self.feature.bins
        if not isinstance(bins, Categories):
            return None
        return check_vanished(
            QualityCheck.VANISHED_SHARE,
            self.counts,
            self.feature.sketch.counters[HEADER:],
            bins.names,
            self.sensitivity,
            clump=self.spread,
        )

    def _constant(self) -> Check:
        bins = self.feature.bins
        if isinstance(bins, NumericBins):
            constant, value = self.window.low == self.window.high, f"{self.window.low:.6g}"
        else:
            fullest = int(self.counts.argmax())
            constant, value = int(self.counts[fullest]) == self.n, bins.label(fullest)
            # Rare and new names are counted together, so that all rows in one bin may still differ.
            constant = constant and fullest < bins.other
        return check_constant(
            QualityCheck.CONSTANT,
            self.counts,
            self.feature.summary.counts,
            self.sensitivity,
            constant=constant,
            clump=self.spread,
            detail=f"every value is {value}",
        )


def _limited(made: Check, given: Given, min_rows: int) -> Check:
    """Put a limit that was given in place of the reference's."""
    interval = wilson(made.value * made.n, made.n) if made.value is not None and made.n else None
    found = check_given(
        made.name,
        made.family,
        made.value,
        made.n,
        given,
        min_rows=min_rows,
        interval=None if made.name == QualityCheck.CONSTANT else interval,
        detail=made.detail,
    )
    return replace(found, reference=made.reference)


def _extreme(check: QualityCheck, window: Sketch, given: Given) -> Check:
    """Hold the smallest or the largest value against a limit that was given."""
    value = window.low if check is QualityCheck.MINIMUM else window.high
    return check_given(check, Family.QUALITY, value if isfinite(value) else None, window.rows, given)
