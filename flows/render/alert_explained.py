"""What alerting made of one event: routes, groups, what is held back, and notices, for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.text import Text

from alerts.explaining import Explanation, HeldBack, InGroup, RouteAnswer, ToldBy
from alerts.policy import CAP, COOLDOWN, QUIET
from alerts.retrain_explaining import Retraining
from alerts.signals import Signal
from flows.render.explained import said_lines
from flows.render.grid import Cell, Field, Row, grid
from flows.render.words import plain_text
from state.episodes import Change
from state.stores.alerts import Delivery

SHORT = 12
"""Characters of a notice's id that are shown, and that commands take."""

_NOTICES = (
    Field(title="notice"),
    Field(title="channel", least=7),
    Field(title="cause"),
    Field(title="state"),
    Field(title="tries", right=True),
    Field(title="decided (UTC)", leaves=1),
)
_STYLES = {
    Delivery.WAITING: "yellow",
    Delivery.SENT: "green",
    Delivery.DEAD: "bold red",
    Delivery.FOLDED: "dim",
}
_WHYS = {
    QUIET: "quiet hours or maintenance held it back; it comes in a digest once they are over",
    CAP: "the channel had its `cap_per_hour`; it comes in a digest once there is room",
    COOLDOWN: "within the route's cooldown; it comes in a digest when that is over",
}


def explanation_lines(signal: Signal, found: Explanation, width: int) -> Iterator[Text]:
    """Say of a signal who was told, who is going to be, and who is not and why."""
    graded = "" if signal.severity is None else f", {signal.severity}"
    what = signal.check.replace("_", " ") or str(signal.kind)
    name = signal.feature or "records"
    headline = f"{signal.model} {signal.model_version}: {what} of {name} {signal.change}{graded}"
    yield Text(f" {plain_text(headline)}", "bold")
    yield from said_lines("signal", plain_text(f"{signal.kind}, {signal.told}"), width)
    yield from said_lines("episode", f"{signal.episode}: {_standing(signal, found)}", width)
    for route in found.routes:
        yield from said_lines("route", f"{plain_text(route.name)}: {_route_text(route)}", width)
    for group in found.groups:
        yield from said_lines("group", _group_text(group), width)
    for held in found.held:
        yield from said_lines("held back", _held_text(held), width)
    if found.quiet is not None:
        until = (
            "no end of it is near" if found.quiet.until_ms is None else f"until {_at(found.quiet.until_ms)}"
        )
        yield from said_lines("now", f"{found.quiet.why}, {until}: what is decided now waits for it", width)
    if found.acknowledged is not None:
        seen = found.acknowledged
        note = f": {seen.note}" if seen.note else ""
        yield from said_lines("acknowledged", plain_text(f"by {seen.by}, {_at(seen.at_ms)}{note}"), width)
    if found.retraining is not None:
        for text in _retraining_texts(found.retraining):
            yield from said_lines("retraining", plain_text(text), width)
    yield Text()
    if found.notices:
        yield grid(_NOTICES, [_notice_row(each) for each in found.notices], width)
    else:
        yield Text(" No message holds this episode.", "dim")


def _standing(signal: Signal, found: Explanation) -> str:
    if not found.started:
        return "nothing was decided yet, 'driftflow alert CONFIG' has not run"
    if found.known is None:
        return "alerting has not come to it yet, or it was closed so long ago that it is forgotten"
    if found.known.closed:
        return _closed_text(found)
    if signal.change is Change.UPDATED and not any(each.place == "waiting" for each in found.groups):
        return f"open, {found.known.severity} at most so far; of updates only the first of a severity is told"
    return "open"


def _closed_text(found: Explanation) -> str:
    if found.told:
        return "closed"
    if found.notices or found.held:
        return "closed; no message of it has been taken so far"
    return (
        "closed; nothing was sent of it: no route matched, or it closed before its message was due or before "
        "alerting first ran, or that was over 30 days ago"
    )


def _route_text(route: RouteAnswer) -> str:
    if not route.asked:
        return "not asked: a route above took it"
    if route.refusal is not None:
        return f"does not match: {plain_text(route.refusal)}"
    return f"matches, to {', '.join(route.channels)}"


def _group_text(group: InGroup) -> str:
    words = {
        "waiting": "waits for others",
        "open": "was taken, all-clear when all of it has closed",
        "closed": "over, all-clear when the others have closed too",
    }
    said = f"{plain_text(group.key)}: {words[group.place]}"
    if group.due_ms is not None:
        said += f" until {_at(group.due_ms)}"
    if group.escalate_ms is not None:
        said += f"; told to others {_at(group.escalate_ms)} unless somebody acknowledges"
    elif group.escalated:
        said += "; others were told too"
    return said


def _held_text(held: HeldBack) -> str:
    due = f" ({_at(held.due_ms)})" if held.due_ms else ""
    return f"from {held.channel}: {_WHYS.get(held.why, held.why)}{due}"


def _retraining_texts(found: Retraining) -> Iterator[str]:
    if not found.is_open:
        yield "this episode is over, or was not read yet: it asks for nothing"
    for each in found.rules:
        if each.refusal is not None:
            yield f"rule {each.rule} does not ask: {each.refusal}"
        elif each.against:
            yield f"rule {each.rule} asks, held back: {'; '.join(each.against)}"
        else:
            yield f"rule {each.rule} asks"
    for made in found.requests:
        yield f"requested {_at(made.at_ms)} by rule {made.rule}, request {made.id}"


def _notice_row(each: ToldBy) -> Row:
    note = each.reason
    if each.delivery is Delivery.FOLDED:
        note = f"told by the digest {each.reason[:SHORT]}"
    elif each.delivery is Delivery.WAITING and each.next_ms:
        note = f"next attempt not before {_at(each.next_ms)}: {each.reason}"
    cells = (
        each.id[:SHORT],
        each.channel,
        str(each.cause),
        Cell(str(each.delivery), _STYLES[each.delivery]),
        str(each.attempts),
        _at(each.decided_ms).removesuffix(" UTC"),
    )
    return Row(cells, note=plain_text(note))


def _at(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
