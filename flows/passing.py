"""When a process had read past a point of event time, for the delay of windows."""

from collections import deque
from dataclasses import dataclass, field

_REMEMBERED = 4_096
"""Steps that wait for their windows; a process that reports no windows forgets the oldest."""


@dataclass(slots=True)
class Passing:
    """When the partitions of this process had all read past a point of event time.

    `passed` holds event time and clock, both increasing.
    """

    times: dict[str, float] = field(default_factory=dict)
    passed: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def reach(self, partition: str, time: float, now_s: float) -> None:
        """Take how far a partition has come."""
        self.times[partition] = time
        low = min(self.times.values())
        # A partition that is heard of for the first time may be behind all others.
        while self.passed and self.passed[-1][0] > low:
            self.passed.pop()
        if not self.passed or self.passed[-1][0] < low:
            self.passed.append((low, now_s))

    def passed_s(self, end: float) -> float | None:
        """Return the clock when `end` was passed; None where it was not. Asked in order of `end`."""
        while self.passed and self.passed[0][0] < end:
            self.passed.popleft()
        return self.passed[0][1] if self.passed else None
