"""The references that a run knows, one after the other."""

from dataclasses import dataclass
from typing import NamedTuple

from state.reference import Reference
from state.schedule import UNCHANGED, Schedule


class Lineage(NamedTuple):
    """Versions in the order in which they take over: the first, then each later one behind its first pane."""

    first: str
    later: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Generations:
    """References in the order in which they take over, and when they do.

    Attributes
    ----------
    references
        One per generation of the schedule; the same one may come again.
    """

    references: tuple[Reference, ...]
    schedule: Schedule = UNCHANGED

    @property
    def first(self) -> Reference:
        """The one that has been there since ever: state is kept for it and what follows it."""
        return self.references[0]

    @property
    def lineage(self) -> Lineage:
        """The versions alone."""
        return Lineage(self.first.version, self.schedule.later)

    def of_window(self, start: int) -> Reference:
        """Return the reference that a window is compared with, by its first pane."""
        return self.references[self.schedule.of_window(start)]

    def named(self, version: str) -> Reference:
        """Return a version; every scored window names one of these."""
        return next(reference for reference in self.references if reference.version == version)
