"""The track of whole records: how it is counted, and what its windows are held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from flows.config import Config
from flows.decode.base import Reason
from flows.summarize_records import RecordSummary
from state.blocks import Block
from state.columns import Role
from state.durations import Axis
from state.generations import Generations
from state.quality import QualityRules
from state.record_checks import ErrorRule, RecordChecks, RecordRules
from state.record_facts import RecordFacts
from state.record_volume import VolumeChecks, known_windows
from state.reference import Reference
from state.scoring import BlockCounts, Checked, Gap
from state.sketches.base import LATE
from state.sketches.records import RECORDS, RecordLayout
from state.windows import EmptySpan, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTrack:
    """Counts records, and compares their windows.

    Attributes
    ----------
    checks
        By version of the reference.
    """

    summary: RecordSummary
    generations: Generations
    checks: Mapping[str, RecordChecks]

    def compare(self, closed: Told) -> Checked | Gap | BlockCounts:
        """Check a window of records; an evidence block of them has no counts."""
        if isinstance(closed, Block):
            return BlockCounts(
                feature=RECORDS,
                start=closed.start,
                end=closed.end,
                reference=self.generations.references[closed.generation].version,
                counts=b"",
            )
        version = self.generations.of_window(closed.start).version
        checks = self.checks[version]
        if isinstance(closed, EmptySpan):
            return Gap(
                feature=RECORDS,
                spec=closed.spec,
                start=closed.start,
                end=closed.end,
                reference=version,
                windows=closed.windows,
                checks=checks.of_gap(closed),
            )
        return Checked(
            feature=RECORDS,
            spec=closed.spec,
            start=closed.start,
            end=closed.end,
            reference=version,
            partial=closed.partial,
            incomplete=closed.incomplete,
            edge=closed.edge,
            rows=closed.sketch.rows,
            late=int(closed.sketch.counters[LATE]),
            checks=checks.of_window(closed),
        )

    @property
    def volumes(self) -> dict[str, VolumeChecks]:
        """The checks of how many records came, by version of the reference; none where windows count rows."""
        return {version: each.volume for version, each in self.checks.items() if each.volume is not None}


def record_track(
    config: Config, generations: Generations, quality: QualityRules | None
) -> RecordTrack | None:
    """Return the track of records; None where nothing is looked at of them."""
    if not config.watches_records:
        return None
    operations = config.operations
    status = None if operations is None else operations.status
    layouts = {reference.version: _layout(config, reference) for reference in generations.references}
    return RecordTrack(
        summary=RecordSummary(
            layouts=[layouts[reference.version] for reference in generations.references],
            schedule=generations.schedule,
            status=status,
            is_error=(lambda _: False) if operations is None else operations.errors.match,
        ),
        generations=generations,
        checks={
            reference.version: _checks(config, quality, layouts[reference.version], reference.records)
            for reference in generations.references
        },
    )


def _layout(config: Config, reference: Reference) -> RecordLayout:
    facts = reference.records
    paths = {field.name: field.path for field in config.fields if field.role is not Role.LABEL}
    own = {*(field.path for field in config.fields), *([] if config.time is None else [config.time.path])}
    known = None if facts is None or facts.known is None else facts.known | own
    return RecordLayout(
        reasons=tuple(Reason),
        columns=tuple(field.name for field in config.fields),
        paths=paths,
        known=known,
    )


def _checks(
    config: Config, quality: QualityRules | None, layout: RecordLayout, facts: RecordFacts | None
) -> RecordChecks:
    operations, volume = config.operations, None
    if quality is not None and config.grid.axis is Axis.MILLISECONDS:
        volume = VolumeChecks(
            grid=config.grid,
            known=known_windows(None if facts is None else facts.arrivals, config.grid),
            factor=config.file.quality.volume_factor,
            limits=config.record_limits,
        )
    return RecordChecks(
        layout=layout,
        facts=facts,
        rules=None
        if quality is None
        else RecordRules(
            level=quality.level,
            min_excess=quality.min_excess,
            min_rows=quality.min_rows,
            limits=config.record_limits,
        ),
        errors=None
        if operations is None or operations.status is None
        else ErrorRule(allowed=operations.error_rate, level=operations.level, min_rows=operations.min_rows),
        volume=volume,
    )
