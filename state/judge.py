"""What a column's windows and blocks say, one after the other: streaks of windows, evidence of blocks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from detectors.base import Detector, Summary
from detectors.thresholds import State, Threshold, WindowScore
from state.alarms import BlockEvidence
from state.evidence import ColumnEvidence
from state.record_volume import VolumeChecks
from state.schedule import UNCHANGED, Schedule
from state.scoring import BlockCounts, Checked, Evidence, Found, Scored
from state.sketches.records import RECORDS
from state.volume_memory import VolumeMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """A score, and what it is held against."""

    detector: Detector
    threshold: Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Scores with a limit of their own, by name of the column; `references` by version as well."""

    columns: Mapping[str, Limited]
    references: Mapping[str, Mapping[str, Summary]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeContext:
    """What a judge knows beside what it is shown.

    Attributes
    ----------
    level
        The p-value of a streak.
    min_rows
        Rows with a value below which a window says nothing.
    evidence
        By version of the reference and name of the column; empty where blocks are not looked at.
    schedule
        What was gathered against one reference ends where the next begins.
    watched
        The score that has a limit of its own; None where no rule asks for one.
    volumes
        Of the records' track: how many may come, by version of the reference.
    """

    level: float
    min_rows: int = 1
    evidence: Mapping[str, Mapping[str, ColumnEvidence]]
    schedule: Schedule = UNCHANGED
    watched: Watched | None = None
    volumes: Mapping[str, VolumeChecks] = field(default_factory=dict)


_Streaks = dict[int, tuple[int, int]]


class _Joined(msgspec.Struct):
    """Blocks that are too short for the column by themselves."""

    start: int
    counts: bytes


class _State(msgspec.Struct, array_like=True):
    streaks: _Streaks
    # By version of the reference.
    joined: dict[str, _Joined] = {}
    # By specification: version of the reference, and what the threshold remembers of windows against it.
    memories: dict[int, tuple[str, State]] = {}
    volumes: bytes | None = None


class Judge:
    """Evidence of one column over time: a streak per kind of window, and blocks of the length needed."""

    def __init__(self, context: JudgeContext, resume: bytes | None = None) -> None:
        """Begin, or go on from what `snapshot` returned."""
        self._context = context
        read = {} if resume is None else msgspec.msgpack.decode(resume, type=_State | _Streaks)
        # Version 1 was the streaks alone.
        state = _State(read) if isinstance(read, dict) else read
        self._streaks, self._joined, self._memories = state.streaks, state.joined, state.memories
        self._volumes = VolumeMemory.start(context.volumes, state.volumes)

    def add(self, found: Iterable[Found | BlockCounts]) -> list[Evidence | BlockEvidence]:
        """Weigh windows and blocks in order; a window that says nothing leaves its streak alone.

        Blocks of a track that is no column of the family are passed over: nothing is asked of them.
        """
        weighed = [
            self._weigh_block(item) if isinstance(item, BlockCounts) else self._weigh(item) for item in found
        ]
        return [each for each in weighed if each is not None]

    def _weigh(self, found: Found) -> Evidence:
        if found.feature == RECORDS and not isinstance(found, Scored):
            found = self._volumes.weigh(found)
        if isinstance(found, Checked):
            return Evidence(found=found, streak=0, since=found.start)
        context = self._context
        streak, since = self._streaks.get(found.spec, (0, found.start))
        if context.schedule.of_window(since) != context.schedule.of_window(found.start):
            # Evidence against one reference is none against the next.
            streak, since = 0, found.start
        if isinstance(found, Scored) and found.p_value is not None and found.n >= context.min_rows:
            streak, since = (
                (streak + 1, since if streak else found.start)
                if found.p_value <= context.level
                else (0, found.start)
            )
            self._streaks[found.spec] = (streak, since)
        said = Evidence(found=found, streak=streak, since=since if streak else found.start)
        return said if self._context.watched is None else self._hold(said, self._context.watched)

    def _hold(self, said: Evidence, watched: Watched) -> Evidence:
        """Hold a window's score against its own limit; one that says nothing is not remembered."""
        found = said.found
        limited = watched.columns[found.feature]
        name = limited.detector.name
        reading = found.reading(name) if isinstance(found, Scored) else None
        if not isinstance(found, Scored) or reading is None or reading.score is None:
            return msgspec.structs.replace(said, method=name, source="none: the window has no such score")
        if found.n < self._context.min_rows:
            return msgspec.structs.replace(said, method=name, source="none: too few rows")
        version, memory = self._memories.get(found.spec, ("", ()))
        if version != found.reference:
            memory = limited.threshold.start()
        limit, memory = limited.threshold.judge(
            memory,
            WindowScore(
                score=abs(reading.score),
                n=found.n,
                detector=limited.detector,
                reference=watched.references[found.reference][found.feature],
            ),
        )
        self._memories[found.spec] = (found.reference, memory)
        return msgspec.structs.replace(said, method=name, limit=limit.value, source=limit.source)

    def _weigh_block(self, found: BlockCounts) -> BlockEvidence | None:
        column = self._context.evidence[found.reference].get(found.feature)
        if column is None:
            return None
        start, counts = found.start, np.frombuffer(found.counts, dtype="<i8").astype(np.int64)
        joined = self._joined.pop(found.reference, None)
        if joined is not None:
            start = joined.start
            counts = counts + np.frombuffer(joined.counts, dtype="<i8")
        log_e = None
        if int(counts.sum()) >= column.rows:
            log_e = column.log_e(counts).astype("<f8").tobytes()
        else:
            self._joined[found.reference] = _Joined(start, counts.astype("<i8").tobytes())
        return BlockEvidence(
            feature=found.feature, reference=found.reference, start=start, end=found.end, log_e=log_e
        )

    def snapshot(self) -> bytes:
        """Pack the state."""
        volumes = self._volumes.snapshot() if self._volumes.past else None
        return msgspec.msgpack.encode(_State(self._streaks, self._joined, self._memories, volumes))
