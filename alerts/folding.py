"""One digest in place of many notices that have waited for a channel: no flood when it is back."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from alerts.messages import make_notice
from alerts.notices import Cause, Notice, decode_notice, notice_id
from alerts.signals import Signal
from state.stores.alerts import StoredNotice

_APART = frozenset({Cause.RETRAIN, Cause.SAMPLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A digest, and the ids of the notices that it tells of in their place."""

    digest: Notice
    ids: tuple[str, ...]


def fold(
    stored: Sequence[StoredNotice], *, room: int, told: Callable[[], Collection[str]], now_ms: int
) -> Folded | None:
    """Fold what waits for one channel, oldest first; None where there is room for all of it.

    A request to retrain stays, and so does an all-clear of an incident that the channel was told of by
    itself: a system that keeps incidents has to hear of its end.

    Parameters
    ----------
    told
        Gives the incidents that the channel has taken a message on; asked only where it matters.
    """
    if len(stored) <= max(1, room):
        return None
    waiting = [decode_notice(each.body) for each in stored]
    known = told() if any(each.cause is Cause.CLOSED for each in waiting) else ()
    taken = [
        each
        for each in waiting
        if each.cause not in _APART and (each.cause is not Cause.CLOSED or each.incident not in known)
    ]
    if len(taken) < 2:  # noqa: PLR2004  # one in place of one is no gain
        return None
    latest: dict[str, Signal] = {}
    for notice in taken:
        for signal in notice.signals:
            # What began while the channel was away keeps its picture; what is known of it last counts.
            latest[signal.episode] = signal
    ids = tuple(each.id for each in taken)
    digest = make_notice(
        latest.values(),
        channel=taken[0].channel,
        route="",
        incident=notice_id(taken[0].channel, "folded", *ids),
        cause=Cause.DIGEST,
        now_ms=now_ms,
    )
    # What they named no more by name is still counted.
    omitted = digest.omitted + sum(each.omitted for each in taken)
    return Folded(digest=replace(digest, omitted=omitted), ids=ids)
