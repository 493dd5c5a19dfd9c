"""One drift from its opening to its end, so that it is told once and not once per window."""

from enum import StrEnum

import msgspec

from detectors.verdicts import RANK, Severity, Verdict


class Change(StrEnum):
    """What a window did to an episode."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """An open drift of one feature in one kind of window.

    Attributes
    ----------
    id
        The same in every event of the episode.
    since
        First pane of the run of windows that led to it.
    opened
        Pane at which the window that opened it ended.
    severity
        Highest so far: it rises and never falls, so an effect that wavers about a border is told once.
    peak
        Largest debiased effect so far.
    windows
        Windows since the opening, that one included.
    calm
        Windows in a row that were clearly without drift.
    """

    id: str
    since: int
    opened: int
    severity: Severity
    peak: float
    windows: int
    calm: int


def open_episode(*, episode_id: str, since: int, opened: int, severity: Severity, effect: float) -> Episode:
    """Begin an episode with the window that showed it."""
    return Episode(
        id=episode_id,
        since=since,
        opened=opened,
        severity=severity,
        peak=effect,
        windows=1,
        calm=0,
    )


def step(
    episode: Episode, *, verdict: Verdict, severity: Severity | None, effect: float | None, overlap: int
) -> tuple[Episode, Change | None]:
    """Take one more window into an open episode.

    An episode closes after `overlap` calm windows in a row: those cover at least one window that shares no
    row with the last one that showed drift, so overlapping windows do not close and reopen it. A suspect
    window is not calm, one with too few rows says nothing. A severity that was not reached before is an
    update.
    """
    if verdict is Verdict.INSUFFICIENT:
        return msgspec.structs.replace(episode, windows=episode.windows + 1), None
    calm = episode.calm + 1 if verdict is Verdict.OK else 0
    worst = max(episode.severity, severity or episode.severity, key=RANK.__getitem__)
    stepped = msgspec.structs.replace(
        episode,
        windows=episode.windows + 1,
        calm=calm,
        severity=worst,
        peak=max(episode.peak, effect or 0.0),
    )
    if calm >= overlap:
        return stepped, Change.CLOSED
    return stepped, Change.UPDATED if worst is not episode.severity else None
