"""Alarms of a model: sequential evidence of all its columns, under one budget of false alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import msgspec
import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.multiplicity import e_benjamini_hochberg
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import BoolArray, EDetectors, Recursion
from detectors.sequential.evalues import FeatureEvidence

_LOG_10 = log(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRules:
    """How evidence is kept, and what makes it an alarm; `source` says where that comes from."""

    recursion: Recursion
    budget: Budget
    source: str


class BlockEvidence(msgspec.Struct, frozen=True, kw_only=True, tag="block"):
    """What one evidence block says of one column.

    Attributes
    ----------
    reference
        Version that it was compared with.
    start, end
        Panes, half-open; from the first of the blocks that were joined to the end of this one.
    log_e
        Natural logarithm of the e-value of each component, packed float64; None where the block is too short
        for this column, which joins it with the next.
    """

    feature: str
    reference: str
    start: int
    end: int
    log_e: bytes | None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm of one column.

    Attributes
    ----------
    start, end
        Panes of the block that raised it, half-open.
    since
        First pane of the run of blocks that made the evidence: where the change began, as far as blocks tell.
    value, limit
        Evidence and its threshold, logarithms to base 10.
    component
        What most of the evidence came from.
    """

    start: int
    end: int
    since: int
    value: float
    limit: float
    component: str

    def stands(self, start: int, end: int) -> bool:
        """Whether it speaks of a window of panes ``[start, end)``.

        It does for windows that reach into its block, and for those that begin within one more length of it:
        where windows are shorter than blocks, the next ones show how large the change is.
        """
        return end > self.start and start < 2 * self.end - self.start


class _State(msgspec.Struct):
    log_m: bytes
    log_run: bytes
    since: bytes
    spans: list[tuple[int, int]]
    alarms: dict[str, Alarm]


class Alarms:
    """Evidence of all columns of a model over its blocks, against one reference.

    All columns are in one state, because an alarm restarts its columns, and which columns alarm depends on
    all of them: only so the bound of `Budget` holds.
    """

    def __init__(
        self, rules: AlarmRules, asked: Mapping[str, FeatureEvidence], resume: bytes | None = None
    ) -> None:
        """Begin, or go on from what `snapshot` returned.

        Parameters
        ----------
        asked
            Of each watched column, in the order of the configuration.
        """
        self._rules = rules
        self._names = tuple(asked)
        self._components = tuple(each.names for each in asked.values())
        self._detectors = EDetectors.of([each.weights for each in asked.values()], rules.recursion)
        state = None if resume is None else msgspec.msgpack.decode(resume, type=_State)
        size = self._detectors.weights.size
        self._log_m = self._detectors.start() if state is None else _floats(state.log_m)
        self._log_run = np.zeros(size) if state is None else _floats(state.log_run)
        self._since: IntArray = (
            np.zeros(size, dtype=np.int64)
            if state is None
            else np.frombuffer(state.since, dtype="<i8").astype(np.int64)
        )
        self._spans = [(0, 0)] * len(asked) if state is None else state.spans
        self._alarms: dict[str, Alarm] = {} if state is None else state.alarms

    def add(self, found: Sequence[BlockEvidence]) -> None:
        """Take one block of all columns, in their order, and raise the alarms that it makes."""
        arrived = np.array([block.log_e is not None for block in found])
        if not arrived.any():
            return
        log_e = np.concatenate([self._log_e(place, block) for place, block in enumerate(found)])
        self._log_m = self._detectors.update(self._log_m, log_e, arrived)
        self._follow(log_e, arrived, found)
        values = self._detectors.log_values(self._log_m)
        alarmed = e_benjamini_hochberg(values, self._rules.budget.log_threshold)
        together = max(int(alarmed.sum()), 1)
        for place in np.flatnonzero(alarmed).tolist():
            limit = self._rules.budget.lone_log_threshold - log(together)
            self._alarms[self._names[place]] = self._alarm(place, float(values[place]), limit)
        self._log_m = self._detectors.restart(self._log_m, alarmed)
        self._log_run = np.where(alarmed[self._detectors.owners], 0.0, self._log_run)

    def standing(self, name: str, start: int, end: int) -> Alarm | None:
        """Return the column's last alarm where it speaks of a window of panes ``[start, end)``."""
        alarm = self._alarms.get(name)
        return alarm if alarm is not None and alarm.stands(start, end) else None

    def evidence(self) -> dict[str, float | None]:
        """Return what each column has gathered since its last alarm, base 10; None: nothing yet."""
        values = self._detectors.log_values(self._log_m) / _LOG_10
        return {n: v if np.isfinite(v) else None for n, v in zip(self._names, values.tolist(), strict=True)}

    @property
    def rules(self) -> AlarmRules:
        """How evidence is kept."""
        return self._rules

    @property
    def limit(self) -> float:
        """Threshold of a column that is alone in its alarm, as a logarithm to base 10."""
        return self._rules.budget.lone_log_threshold / _LOG_10

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(
            _State(
                log_m=self._log_m.astype("<f8").tobytes(),
                log_run=self._log_run.astype("<f8").tobytes(),
                since=self._since.astype("<i8").tobytes(),
                spans=self._spans,
                alarms=self._alarms,
            )
        )

    def _log_e(self, place: int, block: BlockEvidence) -> FloatArray:
        return np.zeros(len(self._components[place])) if block.log_e is None else _floats(block.log_e)

    def _follow(self, log_e: FloatArray, arrived: BoolArray, found: Sequence[BlockEvidence]) -> None:
        """Keep for each component the run of blocks with the largest product of e-values that ends here.

        It begins where the product of all before fell to 1 or below (Page's rule).
        """
        here = arrived[self._detectors.owners]
        starts = np.array([block.start for block in found], dtype=np.int64)[self._detectors.owners]
        self._since = np.where(here & (self._log_run <= 0), starts, self._since)
        self._log_run = np.where(here, np.maximum(self._log_run, 0.0) + log_e, self._log_run)
        for place, block in enumerate(found):
            if block.log_e is not None:
                self._spans[place] = (block.start, block.end)

    def _alarm(self, place: int, value: float, limit: float) -> Alarm:
        leader = self._detectors.leader(self._log_m, place)
        first = int(np.flatnonzero(self._detectors.owners == place)[0])
        start, end = self._spans[place]
        return Alarm(
            start=start,
            end=end,
            since=int(self._since[first + leader]),
            value=value / _LOG_10,
            limit=limit / _LOG_10,
            component=self._components[place][leader],
        )


def _floats(packed: bytes) -> FloatArray:
    return np.frombuffer(packed, dtype="<f8").astype(np.float64)
