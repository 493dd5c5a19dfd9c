"""From signals to a notice: its title, its order, its id."""

from collections.abc import Iterable

from alerts.notices import Cause, Notice, notice_id
from alerts.signals import Kind, Signal
from alerts.wording import cut
from detectors.verdicts import RANK
from state.episodes import Change

MOST_SIGNALS = 50
"""Signals that a notice shows; it says how many more there are."""
LONGEST_TITLE = 120

_NOUNS = {
    Kind.DRIFT: "drift",
    Kind.QUALITY: "data quality",
    Kind.PREDICTION: "predictions",
    Kind.OPERATIONS: "operations",
    Kind.PERFORMANCE: "performance",
    Kind.REFERENCE: "no reference",
    Kind.MONITOR: "monitor",
}


def make_notice(
    signals: Iterable[Signal], *, channel: str, route: str, incident: str, cause: Cause, now_ms: int
) -> Notice:
    """Make the notice of one or more signals; the same signals, channel and cause give the same id."""
    ordered = sorted(signals, key=lambda each: (-RANK[each.severity], each.kind, each.feature, each.episode))
    told = sorted(f"{each.event}/{each.change}" for each in ordered)
    return Notice(
        id=notice_id(channel, route, cause, incident, *told),
        channel=channel,
        route=route,
        incident=incident,
        cause=cause,
        model=ordered[0].model,
        model_version=ordered[0].model_version,
        title=title_of(ordered, cause),
        signals=tuple(ordered[:MOST_SIGNALS]),
        omitted=max(0, len(ordered) - MOST_SIGNALS),
        decided_ms=now_ms,
    )


def title_of(signals: list[Signal], cause: Cause) -> str:
    """Write one line of at most `LONGEST_TITLE` characters."""
    first = signals[0]
    names = list(dict.fromkeys(each.feature or each.check or "records" for each in signals))
    what = ", ".join(sorted({_NOUNS[each.kind] for each in signals}))
    severity = f" ({first.severity})" if first.severity is not None and cause is not Cause.CLOSED else ""
    windows = ", ".join(dict.fromkeys(each.window for each in signals if each.window))
    place = f" in {windows}" if windows else ""
    if cause is Cause.DIGEST:
        ended = sum(each.change is Change.CLOSED for each in signals)
        over = f", {ended} over" if ended else ""
        head = f"{first.model}: {len(signals)} held back{over}: "
    else:
        words = {Cause.CLOSED: "all clear, ", Cause.ESCALATED: "escalated, "}.get(cause, "")
        head = f"{first.model}: {words}{what}{severity}{place}: "
    line = " ".join((head + ", ".join(names)).split())
    return cut(line, LONGEST_TITLE)
