"""Checks of whole records: how many came, which came twice, which were refused, and what fields they had."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from detectors.checking import check_given, check_rate, check_share
from detectors.checks import Check, CheckStatus, Counted, Family, Given, Sensitivity
from state.record_facts import RecordFacts
from state.record_volume import VolumeChecks
from state.sketches.base import LATE, Sketch
from state.sketches.keys import different_keys, repeats
from state.sketches.records import ERRORS, KEYED, SAMPLED, STATUSES, UNKNOWN, RecordLayout
from state.windows import ClosedWindow, EmptySpan

DUPLICATES, TYPES = "duplicate_share", "type_changes"
UNKNOWN_FIELDS, ABSENT_FIELDS = "unknown_fields", "absent_fields"

FEWEST_SAMPLED = 10
"""Records whose fields were looked at, on either side, below which nothing is said of fields."""

WRONG_TYPE = "wrong_type"
"""The reason for a refusal that names a column, and so has a check of its own."""

_DEVIATIONS = 5.0
"""Standard errors by which an estimated number of keys is held back: one in 3.5 million by the normal law."""

_NAMED = 5
"""Columns that a check names at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRules:
    """What makes a violation of a check of records.

    Attributes
    ----------
    level
        Chance that one window violates any of these checks where nothing has changed, at most.
    min_excess
        Largest difference between two shares that does not matter.
    min_rows
        Rows, on either side, below which nothing is said.
    limits
        Limits that were given, by the name of a check.
    """

    level: float
    min_excess: float
    min_rows: int
    limits: Mapping[str, Given]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """Which share of errors is `allowed`, and how sure a larger one has to be."""

    allowed: float
    level: float
    min_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChecks:
    """The checks of the records of windows against one reference: always the same ones in the same order.

    Attributes
    ----------
    facts
        What the reference knows; None where it knows nothing of its records.
    rules
        None where data quality is not checked.
    volume
        Checks of how many came; None where windows are as many rows as they are long.
    errors
        None where no column says how requests ended.
    """

    layout: RecordLayout
    facts: RecordFacts | None
    rules: RecordRules | None
    volume: VolumeChecks | None
    errors: ErrorRule | None

    def of_window(self, window: ClosedWindow) -> tuple[Check, ...]:
        """Check a window."""
        found: tuple[Check, ...] = ()
        if self.rules is not None:
            level = self._level(self.rules)
            volume = () if self.volume is None else self.volume.of_window(window, level)
            held = _Held(self.layout, self.facts, replace(self.rules, level=level), window.sketch)
            found = (*volume, *held.checks())
        return found if self.errors is None else (*found, _errors(window.sketch, self.errors))

    def of_gap(self, gap: EmptySpan) -> tuple[Check, ...]:
        """Check windows without a record."""
        if self.rules is None or self.volume is None:
            return ()
        return self.volume.of_gap(gap, self._level(self.rules))

    def _level(self, rules: RecordRules) -> float:
        """Return the level of one check: that of the window, split evenly."""
        volumes = () if self.volume is None else self.volume.names
        return rules.level / (len(check_names(self.layout.reasons)) + len(volumes))


def check_names(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the checks of records beside those of their volume, in their order."""
    refused = (f"refused_{reason}" for reason in reasons if reason != WRONG_TYPE)
    return (DUPLICATES, *refused, TYPES, UNKNOWN_FIELDS, ABSENT_FIELDS)


@dataclass(frozen=True, slots=True)
class _Held:
    """One window beside its reference; the level is that of one check."""

    layout: RecordLayout
    facts: RecordFacts | None
    rules: RecordRules
    sketch: Sketch

    def checks(self) -> tuple[Check, ...]:
        return (self._duplicates(), *self._refused(), self._types(), self._unknown(), self._absent())

    @property
    def _records(self) -> int:
        counters = self.sketch.counters
        return self.sketch.rows + int(counters[LATE]) + sum(self.layout.refused(self.sketch).values())

    def _share(
        self,
        name: str,
        current: Counted,
        reference: Counted | None,
        *,
        min_rows: int | None = None,
        parts: int = 1,
        clump: float = 1.0,
        detail: str = "",
    ) -> Check:
        """Hold a share against a given limit, else against the reference's; `parts` share the level."""
        fewest = self.rules.min_rows if min_rows is None else min_rows
        given = self.rules.limits.get(name)
        if given is not None:
            value = current.share if current.n else None
            return check_given(name, Family.QUALITY, value, current.n, given, min_rows=fewest, detail=detail)
        if reference is None:
            return Check(
                name=name,
                family=Family.QUALITY,
                status=CheckStatus.INSUFFICIENT,
                value=current.share if current.n else None,
                source="none: the reference knows nothing of its records as a whole",
                n=current.n,
                detail=detail,
            )
        rules = self.rules
        sensitivity = Sensitivity(level=rules.level / parts, min_excess=rules.min_excess, min_rows=fewest)
        return check_share(name, Family.QUALITY, current, reference, sensitivity, clump=clump, detail=detail)

    def _duplicates(self) -> Check:
        """Hold the share of records whose key came before in the window against the reference's.

        The reference's may be of more rows than the window's: the more rows, the more copies, so that is on
        the careful side. Of a window with more rows its share is raised in proportion, because each row then
        meets so many more.
        """
        name, sketch = DUPLICATES, self.sketch
        keyed = int(sketch.counters[KEYED])
        if sketch.keys is None or not keyed:
            return self._share(name, Counted(count=0, n=0), None)
        found = repeats(sketch.keys, keyed)
        current = Counted(count=found.copies, n=found.records)
        detail = "" if found.exact else f"from {found.keys} of the keys"
        if self.facts is None or not self.facts.keyed:
            return self._share(name, current, None, detail=detail)
        known = repeats(self.facts.keys, self.facts.keyed)
        more = max(1.0, keyed / self.facts.keyed)
        reference = Counted(count=min(known.records, round(known.copies * more)), n=known.records)
        clump = known.clump if found.exact else max(known.clump, found.clump)
        check = self._share(name, current, reference, clump=clump, detail=detail)
        return self._crowded(check, self.facts)

    def _crowded(self, check: Check, facts: RecordFacts) -> Check:
        """See few keys of very many records, which a sample of keys does not."""
        sketch, keyed = self.sketch, int(self.sketch.counters[KEYED])
        if check.status is CheckStatus.VIOLATED or check.upper is None or sketch.keys is None:
            return check
        least = 1.0 - different_keys(sketch.keys, keyed, _DEVIATIONS) / keyed
        usual = 1.0 - different_keys(facts.keys, facts.keyed, -_DEVIATIONS) / facts.keyed
        if least <= max(check.upper, usual + self.rules.min_excess):
            return check
        return replace(
            check,
            status=CheckStatus.VIOLATED,
            value=least,
            low=least,
            high=1.0,
            detail="few keys, many times",
        )

    def _refused(self) -> list[Check]:
        total, refused = self._records, self.layout.refused(self.sketch)
        return [
            self._share(
                f"refused_{reason}",
                Counted(count=refused[reason], n=total),
                self._of_reference(0 if self.facts is None else self.facts.refused.get(reason, 0)),
            )
            for reason in self.layout.reasons
            if reason != WRONG_TYPE
        ]

    def _of_reference(self, count: int) -> Counted | None:
        return None if self.facts is None else Counted(count=count, n=self.facts.records)

    def _types(self) -> Check:
        """Hold the share of records with a value of another type against the reference's, by column."""
        known = {} if self.facts is None else self.facts.wrong
        return self._worst(
            TYPES,
            self.layout.wrong(self.sketch),
            self._records,
            {column: self._of_reference(known.get(column, 0)) for column in self.layout.columns},
        )

    def _absent(self) -> Check:
        """Hold the share of records without a field against the reference's, by column."""
        facts = self.facts
        known: dict[str, Counted | None] = dict.fromkeys(self.layout.paths)
        if facts is not None and facts.fields is not None:
            there = self.layout.there(facts.fields)
            known = {c: Counted(count=facts.sampled - there[c], n=facts.sampled) for c in known}
        counts = self.layout.absent(self.sketch)
        return self._worst(
            ABSENT_FIELDS, counts, int(self.sketch.counters[SAMPLED]), known, min_rows=FEWEST_SAMPLED
        )

    def _unknown(self) -> Check:
        """Hold the share of records with a field that the reference does not know against what to expect.

        That is the share of the reference's records with a field that no other one had.
        """
        counters = self.sketch.counters
        current = Counted(count=int(counters[UNKNOWN]), n=int(counters[SAMPLED]))
        reference = None
        if self.facts is not None and self.facts.known is not None:
            expected = min(self.facts.seen_once, self.facts.sampled)
            reference = Counted(count=expected, n=self.facts.sampled)
        names = ", ".join(name for _, name in self.sketch.names)
        return self._share(UNKNOWN_FIELDS, current, reference, min_rows=FEWEST_SAMPLED, detail=names)

    def _worst(
        self,
        name: str,
        counts: Mapping[str, int],
        n: int,
        references: Mapping[str, Counted | None],
        *,
        min_rows: int | None = None,
    ) -> Check:
        """Check each column at its part of the level; return the worst, naming all bad ones."""
        # A share of nothing is never too large, so one such column stands for all.
        asked = {column: count for column, count in counts.items() if count} or dict([*counts.items()][:1])
        checks = {
            column: self._share(
                name,
                Counted(count=count, n=n),
                references[column],
                min_rows=min_rows,
                parts=len(counts),
            )
            for column, count in asked.items()
        }
        worst = max(checks, key=lambda column: (_RANK[checks[column].status], checks[column].excess))
        bad = [column for column, check in checks.items() if _RANK[check.status] >= _SUSPECT]
        bad.sort(key=lambda column: -checks[column].excess)
        return replace(checks[worst], detail=", ".join(bad[:_NAMED]))


def _errors(sketch: Sketch, rule: ErrorRule) -> Check:
    return check_rate(
        "error_rate",
        Family.OPERATIONS,
        Counted(count=int(sketch.counters[ERRORS]), n=int(sketch.counters[STATUSES])),
        rule.allowed,
        Sensitivity(level=rule.level, min_excess=0.0, min_rows=rule.min_rows),
        source="operations.error_rate",
    )


_RANK = {
    CheckStatus.INSUFFICIENT: 0,
    CheckStatus.OK: 1,
    CheckStatus.SUSPECT: 2,
    CheckStatus.VIOLATED: 3,
}
_SUSPECT = _RANK[CheckStatus.SUSPECT]
