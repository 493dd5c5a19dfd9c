"""Checks and their violations in words and as a table."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from detectors.checks import Check, Family
from flows.render.grid import Field, Row, grid, note_lines
from flows.render.segments import fault_text
from flows.render.words import NOTHING, clock, count_text, moment_text, number_text, p_text, share_text
from state.check_data import CheckData
from state.episodes import Change
from state.event_data import Instant

MOST_ROWS = 40
"""Violations that are listed; the events have all."""

_SHARES = ("_share", "_rate")
_FIELDS = (
    Field(title="kind", leaves=3),
    Field(title="feature", least=10),
    Field(title="check", least=16),
    Field(title="window", leaves=1),
    Field(title="detected"),
    Field(title="ended", leaves=2),
    Field(title="worst", right=True),
    Field(title="limit", right=True, leaves=4),
)


class FoundViolation(msgspec.Struct, frozen=True, kw_only=True):
    """One violation of one check in one kind of window.

    Attributes
    ----------
    feature
        The column; empty for the records as a whole.
    since, opened, closed
        Start and end of the window that opened it; end of the window that closed it, None while it is open.
    worst
        The value that was furthest off.
    lower, upper
        Limits of the window that opened it; None where that side is not looked at.
    """

    id: str
    family: Family
    feature: str
    check: str
    window: str
    since: Instant
    opened: Instant
    closed: Instant | None
    worst: float
    lower: float | None
    upper: float | None


def found_violation(data: CheckData, held: FoundViolation | None) -> FoundViolation:
    """Take an event into its violation."""
    episode, check = data.episode, data.check
    closed = data.window.end if data.change is Change.CLOSED else None
    if held is not None:
        return msgspec.structs.replace(held, worst=episode.worst, closed=closed)
    return FoundViolation(
        id=episode.id,
        family=data.kind,
        feature=data.feature,
        check=check.name,
        window=data.window.name,
        since=episode.since,
        opened=episode.opened,
        closed=closed,
        worst=episode.worst,
        lower=check.lower,
        upper=check.upper,
    )


def violation_lines(found: Sequence[FoundViolation], width: int) -> Iterator[Text]:
    """List violations for a terminal of `width` cells, in the order of their opening."""
    write, note = clock(at for each in found for at in (each.opened, each.closed))
    rows = [
        Row(
            (
                each.family,
                each.feature or NOTHING,
                each.check,
                each.window,
                write(each.opened),
                "still open" if each.closed is None else write(each.closed),
                value_text(each.check, each.worst),
                limit_text(each.check, each.lower, each.upper, each.worst),
            )
        )
        for each in found
    ]
    yield Text(f" Violated checks ({note})" if note else " Violated checks", "bold")
    yield grid(_FIELDS, rows[:MOST_ROWS], width)
    if len(rows) > MOST_ROWS:
        more = count_text(len(rows) - MOST_ROWS, "violation")
        yield from note_lines(f"… and {more} more in the events", width)


def check_text(check: Check) -> str:
    """Say a check's value, its limit and the reference's value in one line.

    Examples
    --------
    >>> from detectors.checks import CheckStatus
    >>> check_text(Check(name="missing_share", family=Family.QUALITY, status=CheckStatus.VIOLATED, value=0.31,
    ...     upper=0.042, reference=0.02, source="", n=900))
    'missing_share 31%, at most 4.2% (reference 2.0%)'
    """
    said = f"{check.name} {value_text(check.name, check.value)}"
    said += f", {limit_text(check.name, check.lower, check.upper, check.value)}"
    if check.reference is not None:
        said += f" (reference {value_text(check.name, check.reference)})"
    return said + (f": {check.detail}" if check.detail else "")


def check_headline(data: CheckData) -> str:
    """Say what a window did to a violation."""
    place = f"{data.model} {data.model_version}: {data.feature or 'the records'}"
    said = {
        Change.OPENED: "is beyond its limit",
        Change.UPDATED: "is clearly worse than before",
        Change.CLOSED: "is within its limits again",
    }[data.change]
    return f"{place}: {data.check.name} {said}"


def check_facts(data: CheckData) -> Iterator[tuple[str, str]]:
    """Name what there is to say of a violation's event, each with its label."""
    check, episode = data.check, data.episode
    opened = f"{episode.id[:12]}, opened {moment_text(episode.opened)}"
    worst = value_text(check.name, episode.worst)
    yield "violation", f"{opened}, {count_text(episode.windows, 'window')} so far, worst value {worst}"
    yield "kind", data.kind
    value = f"{value_text(check.name, check.value)} of {count_text(check.n, 'row')}"
    if check.low is not None and check.high is not None:
        ends = f"{value_text(check.name, check.low)} to {value_text(check.name, check.high)}"
        value += f"; between {ends} with 90% confidence"
    yield "value", value
    limit = limit_text(check.name, check.lower, check.upper, check.value)
    yield "limit", f"{limit}. From: {check.source}"
    if check.p_value is not None:
        yield "chance", f"p {p_text(check.p_value)} where nothing has changed, against {p_text(check.level)}"
    if check.detail:
        yield "detail", check.detail
    for each in data.segments:
        yield "where", fault_text(each)


def value_text(name: str, value: float | None) -> str:
    """Write a check's value: shares and rates in percent."""
    return share_text(value) if name.endswith(_SHARES) else number_text(value)


def limit_text(name: str, lower: float | None, upper: float | None, value: float | None) -> str:
    """Write the limit on the side of the value; both where it is between them."""
    least = None if lower is None else f"at least {value_text(name, lower)}"
    most = None if upper is None else f"at most {value_text(name, upper)}"
    if value is not None and least is not None and most is not None:
        if upper is not None and value > upper:
            return most
        if lower is not None and value < lower:
            return least
    return " and ".join(text for text in (least, most) if text is not None) or NOTHING
