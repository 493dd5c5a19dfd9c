"""What is learnt of how many records windows have, where a reference cannot say it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from detectors.checks import Check, CheckStatus
from state.record_volume import BURST, EMPTY, LOW, WEEK_MS, VolumeChecks, learnt
from state.scoring import Checked, Gap

KEPT_MS = 4 * WEEK_MS
"""How far back windows are remembered."""

MOST_WINDOWS = 2_048
"""Windows of one kind that are remembered; of shorter ones not every one is."""

_Past = list[tuple[int, int, int]]
"""First pane, rows and empty panes of windows that share no row, in order."""


@dataclass(slots=True)
class VolumeMemory:
    """Holds windows against those that came before, once they go back a week.

    A window that is too empty or too full is not learnt from, or an outage would soon be normal. One that has
    stayed so for a week is: learning then starts anew.

    Attributes
    ----------
    checks
        By version of the reference.
    past
        By kind of window.
    """

    checks: Mapping[str, VolumeChecks]
    past: dict[int, _Past] = field(default_factory=dict)

    @classmethod
    def start(cls, checks: Mapping[str, VolumeChecks], resume: bytes | None = None) -> "VolumeMemory":
        """Begin, or go on from what `snapshot` returned."""
        return cls(checks, {} if resume is None else msgspec.msgpack.decode(resume, type=dict[int, _Past]))

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(dict(sorted(self.past.items())))

    def weigh(self, found: Checked | Gap) -> Checked | Gap:
        """Hold a window against what was learnt, where its reference does not know; then learn from it."""
        checks = self.checks.get(found.reference)
        if checks is None or checks.known[found.spec].enough:
            return found
        if isinstance(found, Checked) and (found.partial or found.incomplete or found.edge):
            return found
        past = self.past.setdefault(found.spec, [])
        spec, span = checks.grid.windows[found.spec], self._span(checks, found.spec)
        known = learnt([(rows, empty) for _, rows, empty in past], span)
        rows, empty = (0, spec.size) if isinstance(found, Gap) else (found.rows, _empty(found.checks))
        level = next((check.level for check in found.checks if check.level is not None), None)
        if level is None:
            return found
        fresh = {check.name: check for check in checks.against(known, spec, rows, empty, level)}
        said = tuple(fresh.get(check.name, check) for check in found.checks)
        violated = any(
            check.status is CheckStatus.VIOLATED for check in said if check.name in {LOW, BURST, EMPTY}
        )
        self._learn(checks, found, rows, empty, violated=violated)
        return msgspec.structs.replace(found, checks=said)

    def _learn(
        self, checks: VolumeChecks, found: Checked | Gap, rows: int, empty: int, *, violated: bool
    ) -> None:
        past, grid = self.past[found.spec], checks.grid
        size = grid.windows[found.spec].size
        stride = -(-KEPT_MS // (size * grid.length * MOST_WINDOWS))
        if isinstance(found, Checked) and (found.start % size or found.start // size % stride):
            return
        now = grid.start_of(found.start)
        if violated:
            if past and now - grid.start_of(past[-1][0]) < WEEK_MS:
                return
            past.clear()
        past.append((found.start, rows, empty))
        while len(past) > MOST_WINDOWS or now - grid.start_of(past[0][0]) > KEPT_MS:
            del past[0]

    def _span(self, checks: VolumeChecks, spec: int) -> int:
        past, grid = self.past[spec], checks.grid
        if not past:
            return 0
        end = past[-1][0] + grid.windows[spec].size
        return grid.start_of(end) - grid.start_of(past[0][0])


def _empty(checks: Iterable[Check]) -> int:
    return next((int(check.value or 0) for check in checks if check.name == EMPTY), 0)
