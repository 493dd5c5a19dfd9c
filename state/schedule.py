"""When a new reference takes over: from a pane on, for the windows that start there or later."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from detectors.base import DriftflowError, IntArray

_PANE = itemgetter(0)


class ScheduleConflictError(DriftflowError):
    """A schedule differs from the one that state was made by, in panes that had rows already.

    Attributes
    ----------
    version
        The reference that differs first: one that is new, or one that is gone.
    seen
        The last pane that had rows.
    """

    def __init__(self, version: str, pane: int, seen: int) -> None:
        """Say it in panes; whoever knows the grid says it in times."""
        super().__init__(f"reference {version} begins with pane {pane}, and rows up to pane {seen} were read")
        self.version = version
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Schedule:
    """The generations of a model's reference over event time; generation 0 has been there since ever.

    A window is compared with the generation in which it starts, also where it ends in the next. So around a
    change a pane is summarized once for each generation of the windows that cover it, and no window mixes
    two.

    Attributes
    ----------
    later
        First pane and version of each generation after the first, by rising panes.
    longest
        Panes of the longest window.
    """

    later: tuple[tuple[int, str], ...] = ()
    longest: int = 1

    def of_window(self, start: int) -> int:
        """Return the generation that a window is compared with, by its first pane."""
        return bisect_right(self.later, start, key=_PANE) if self.later else 0

    def of_pane(self, pane: int) -> range:
        """Return the generations of the windows that may cover a pane."""
        return range(self.of_window(pane - self.longest + 1), self.of_window(pane) + 1)

    def spans(self, panes: IntArray) -> Iterator[tuple[int, int, int]]:
        """Give, for rising panes, each generation with the half-open span of indices that it summarizes."""
        if not self.later:
            yield 0, 0, len(panes)
            return
        begins = [pane for pane, _ in self.later]
        first = [0, *panes.searchsorted(begins).tolist()]
        ends = [pane + self.longest - 1 for pane in begins]
        last = [*panes.searchsorted(ends).tolist(), len(panes)]
        for generation, (start, end) in enumerate(zip(first, last, strict=True)):
            if start < end:
                yield generation, start, end

    def check_known(self, known: tuple[tuple[int, str], ...], seen: int) -> None:
        """Hold the schedule that state was made by against this one, as far as rows have come.

        What lies ahead of the last pane that had rows may change: nothing was summarized by it yet.

        Raises
        ------
        ScheduleConflictError
            Generations differ up to that pane.
        """
        then, now = _until(known, seen), _until(self.later, seen)
        differing = sorted(set(then) ^ set(now))
        if differing:
            pane, version = differing[0]
            raise ScheduleConflictError(version, pane, seen)


UNCHANGED = Schedule()
"""One reference all the time."""


def _until(later: tuple[tuple[int, str], ...], pane: int) -> tuple[tuple[int, str], ...]:
    return later[: bisect_right(later, pane, key=_PANE)]
