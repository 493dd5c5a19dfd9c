"""Keeps the partitions of one process close in event time, so that few panes are open at once."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Holds back a partition that is far ahead of the slowest one beside it.

    A folder with one file per month is a set of partitions that follow each other. Read side by side, every
    pane of every month would stay open until the first file ends; held back, they are read one after the
    other. What comes out is the same, only the memory is not.

    Attributes
    ----------
    lead
        How far ahead a partition may be, in the unit of the axis.
    """

    lead: int
    _times: dict[str, int | None] = field(default_factory=dict)

    def enter(self, partition: str) -> None:
        """Take part, before the first read."""
        self._times[partition] = None

    def reached(self, partition: str, time: int | None) -> None:
        """Say how far a partition has come; None where it has no row yet, or for now no more."""
        self._times[partition] = time

    def leave(self, partition: str) -> None:
        """Take part no longer: the partition has ended."""
        self._times.pop(partition, None)

    def must_wait(self, partition: str) -> bool:
        """Whether a partition should let others read first; never true for the slowest."""
        own = self._times.get(partition)
        if own is None:
            return False
        slowest = min((own if time is None else time for time in self._times.values()), default=own)
        return own - slowest > self.lead
