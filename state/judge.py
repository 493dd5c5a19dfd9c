"""What a column's windows and blocks say, one after the other: streaks of windows, evidence of blocks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from state.alarms import BlockEvidence
from state.evidence import ColumnEvidence
from state.schedule import UNCHANGED, Schedule
from state.scoring import BlockCounts, Evidence, Gap, Scored


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
    """

    level: float
    min_rows: int = 1
    evidence: Mapping[str, Mapping[str, ColumnEvidence]]
    schedule: Schedule = UNCHANGED


_Streaks = dict[int, tuple[int, int]]


class _Joined(msgspec.Struct):
    """Blocks that are too short for the column by themselves."""

    reference: str
    start: int
    counts: bytes


class _State(msgspec.Struct, array_like=True):
    streaks: _Streaks
    joined: _Joined | None


class Judge:
    """Evidence of one column over time: a streak per kind of window, and blocks of the length needed."""

    def __init__(self, context: JudgeContext, resume: bytes | None = None) -> None:
        """Begin, or go on from what `snapshot` returned."""
        self._context = context
        read = {} if resume is None else msgspec.msgpack.decode(resume, type=_State | _Streaks)
        # Version 1 was the streaks alone.
        state = _State(read, None) if isinstance(read, dict) else read
        self._streaks, self._joined = state.streaks, state.joined

    def add(self, found: Iterable[Scored | Gap | BlockCounts]) -> list[Evidence | BlockEvidence]:
        """Weigh windows and blocks in order; a window that says nothing leaves its streak alone."""
        return [
            self._weigh_block(item) if isinstance(item, BlockCounts) else self._weigh(item) for item in found
        ]

    def _weigh(self, found: Scored | Gap) -> Evidence:
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
        return Evidence(found=found, streak=streak, since=since if streak else found.start)

    def _weigh_block(self, found: BlockCounts) -> BlockEvidence:
        column = self._context.evidence[found.reference][found.feature]
        start, counts = found.start, np.frombuffer(found.counts, dtype="<i8").astype(np.int64)
        if self._joined is not None and self._joined.reference == found.reference:
            start = self._joined.start
            counts = counts + np.frombuffer(self._joined.counts, dtype="<i8")
        log_e, self._joined = None, None
        if int(counts.sum()) >= column.rows:
            log_e = column.log_e(counts).astype("<f8").tobytes()
        else:
            self._joined = _Joined(found.reference, start, counts.astype("<i8").tobytes())
        return BlockEvidence(
            feature=found.feature, reference=found.reference, start=start, end=found.end, log_e=log_e
        )

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(_State(self._streaks, self._joined))
