"""Episodes as a store keeps them: each drift from its opening to its end, as it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEpisode:
    """One drift of a column, or one violation of a check, in one kind of window, as its last change left it.

    Times are milliseconds since the epoch, or row numbers where the stream has no clock.

    Attributes
    ----------
    id
        Unique within the model, and the same in every event of the episode.
    window
        Name of the window specification.
    reference
        Version that the window of the last change was compared with.
    since
        Start of the run of windows that led to it.
    opened, updated
        Ends of the windows that opened it and that changed it last; a change is its opening, a severity not
        reached before, or its end.
    is_open
        Whether it goes on; where it does not, `updated` is its end.
    severity, peak
        Highest severity and largest debiased effect up to that change; of a violation, which is not graded,
        nothing and the value that was furthest off.
    windows
        Windows from the opening to that change, both included.
    family, check
        "drift" and nothing; of a violation the family and the name of its check. Its feature may be empty:
        then it is one of the records as a whole.
    """

    id: str
    model: str
    model_version: str
    window: str
    feature: str
    reference: str
    since: int
    opened: int
    updated: int
    is_open: bool
    severity: str
    peak: float
    windows: int
    family: str = "drift"
    check: str = ""


class EpisodeStore(Protocol):
    """Keeps episodes by model and id."""

    def put_episodes(self, episodes: Iterable[StoredEpisode]) -> None:
        """Store episodes, all or none; what comes last under an id replaces what is there.

        Raises
        ------
        StoreError
            A field holds what not every store could give back.
        """
        ...

    def episodes(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        open_only: bool = False,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredEpisode]:
        """Return episodes that were open at some time of ``[start, end)``, by opening, then by id.

        One was open from `opened` to `updated`, both included, or to the end of time where it is open still.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFilter:
    """What a store without indexes looks for; None stands for any."""

    model_version: str | None
    window: str | None
    feature: str | None
    open_only: bool
    first: int
    last: int

    def select(self, episodes: Iterable[StoredEpisode]) -> list[StoredEpisode]:
        """Return the episodes that match all of it, by opening, then by id."""
        return sorted(filter(self._matches, episodes), key=lambda episode: (episode.opened, episode.id))

    def _matches(self, episode: StoredEpisode) -> bool:
        return (
            self.model_version in (None, episode.model_version)
            and self.window in (None, episode.window)
            and self.feature in (None, episode.feature)
            and (episode.is_open or not self.open_only)
            and episode.opened <= self.last
            and (episode.is_open or episode.updated >= self.first)
        )
