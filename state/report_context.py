"""What events of one model say beside the evidence, and how windows, references and points are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from detectors.verdicts import Rules
from state.alarms import AlarmRules
from state.durations import Axis
from state.event_data import Instant, ReferenceData, RuleData, WindowData, instant
from state.evidence import ColumnEvidence
from state.generations import Generations
from state.grid import Grid
from state.scoring import Checked, Found, Gap
from state.stores.base import Point, SeriesKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What events say beside the evidence.

    Attributes
    ----------
    features
        Names of the watched columns, in the order of the configuration: the family.
    fingerprint
        Hash of the configuration keys that can change a decision, hex; part of every id.
    evidence
        What is asked of blocks, by version of the reference and name of the column.
    alarms
        When their answers are an alarm.
    other_tracks
        Names of the tracks that are no columns: they have checks only.
    """

    model: str
    model_version: str
    features: tuple[str, ...]
    generations: Generations
    grid: Grid
    rules: Rules
    fingerprint: str
    evidence: Mapping[str, Mapping[str, ColumnEvidence]]
    alarms: AlarmRules
    other_tracks: tuple[str, ...] = ()

    @property
    def tracks(self) -> tuple[str, ...]:
        """All that a window has to have evidence of before it is complete, columns first."""
        return (*self.features, *self.other_tracks)

    def point(self, found: Found, feature: str, metric: str, value: float, *, segment: str = "") -> Point:
        """Place a value of a window in its series; `segment` is empty for the whole."""
        window = self.grid.windows[found.spec].name
        key = _series_key(self.model, self.model_version, window, feature, segment, metric)
        return Point(key, self.instant_of(found.end), value)

    def window(self, found: Found) -> WindowData:
        """Write down which window it is."""
        grid = self.grid
        spec = grid.windows[found.spec]
        return WindowData(
            name=spec.name,
            start=self.written(found.start),
            end=self.written(found.end),
            kind="tumbling" if spec.size == spec.slide else "sliding",
            axis=grid.axis,
            partial=not isinstance(found, Gap) and found.partial,
            incomplete=not isinstance(found, Gap) and found.incomplete,
            rows=0 if isinstance(found, Gap) else found.rows,
            late_rows=0 if isinstance(found, Gap) else found.late,
        )

    def identity(self, found: Found) -> list[str | int]:
        """List what the ids of a window's events are made of."""
        spec = self.grid.windows[found.spec]
        return [
            self.model,
            self.model_version,
            spec.name,
            self.instant_of(found.start),
            self.instant_of(found.end),
            # Start and end tell the size; the slide decides when an episode closes.
            spec.slide * self.grid.length,
            found.reference,
            self.fingerprint,
            # Results that late labels correct have revisions; every other is final.
            found.revision if isinstance(found, Checked) else 0,
        ]

    def reference_data(self, found: Found) -> ReferenceData:
        """Write down which reference it was compared with."""
        reference = self.generations.named(found.reference)
        return ReferenceData(version=reference.version, rows=reference.provenance.rows)

    def rule_data(self) -> RuleData:
        """Write down the limits that are applied."""
        rules = self.rules
        return RuleData(
            rule=rules.rule,
            false_discovery_rate=rules.false_discovery_rate,
            min_rows=rules.min_rows,
            min_effect=rules.min_effect,
            effect_level=rules.effect_level,
            correction=rules.correction,
        )

    def instant_of(self, pane: int) -> int:
        """Return where a pane starts, in the unit of the axis."""
        return self.grid.start_of(pane)

    def written(self, pane: int) -> Instant:
        """Write where a pane starts, as events show it."""
        return instant(self.time_of(pane), self.grid.axis)

    def time_of(self, pane: int) -> int:
        """Return where a pane starts, within the stream."""
        found = self.instant_of(pane)
        # The first sliding windows begin before row 0, where there is nothing to point at.
        return max(found, 0) if self.grid.axis is Axis.ROWS else found


@lru_cache(maxsize=100_000)
def _series_key(
    model: str, model_version: str, window: str, feature: str, segment: str, metric: str
) -> SeriesKey:
    """Name a series; the same names come with every window, and making them anew costs more than the rest."""
    return SeriesKey(
        model=model,
        model_version=model_version,
        window=window,
        feature=feature,
        segment=segment,
        metric=metric,
    )
