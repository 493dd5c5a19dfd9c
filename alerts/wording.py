"""What templates say of a notice: texts on one line, cut, in the order in which people read them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from alerts.notices import Cause, Notice
from alerts.signals import Bars, Kind, Signal, worst

MOST_NAME, MOST_TOLD = 80, 300
"""Characters of a name or a sentence; both may come from data."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_CAUSES = {
    Cause.OPENED: "New",
    Cause.ESCALATED: "Escalated",
    Cause.CLOSED: "All clear",
    Cause.DIGEST: "Held back until now",
    Cause.RETRAIN: "Request to retrain",
    Cause.SAMPLE: "Test message",
}
_ADVICE = {
    Kind.DRIFT: "See which groups moved and where it began. Is it real (new customers, a release) or a fault "
    "in the data? If real and lasting, retrain; if a fault, mend the source.",
    Kind.QUALITY: "Look at the records that break the check, and mend their source; do not retrain on them.",
    Kind.PREDICTION: "Compare with the last release of the model, then with drifts of its features.",
    Kind.OPERATIONS: "Look at the service that answers: latency, errors, last deployment.",
    Kind.PERFORMANCE: "The model is measurably worse. See which features drifted; retrain or roll back.",
    Kind.REFERENCE: "Build a reference for this version: driftflow reference build CONFIG --activate.",
    Kind.MONITOR: "driftflow itself needs help: driftflow doctor CONFIG, then the log of its workers.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One signal in words."""

    name: str
    kind: str
    change: str
    severity: str
    told: str
    window: str
    end: str
    since: str
    check: str
    segments: tuple[str, ...]
    reference_line: str
    current_line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What templates are given; `rows` are the most severe, the rest are counted in `omitted`."""

    id: str
    incident: str
    cause: str
    cause_key: str
    title: str
    severity: str
    model: str
    model_version: str
    route: str
    decided: str
    rows: tuple[Row, ...]
    omitted: int
    advice: tuple[str, ...]
    link: str


def view_of(notice: Notice, *, dashboard: str = "", most: int = 10) -> View:
    """Put a notice into words.

    Parameters
    ----------
    dashboard
        Address of the dashboard, without the path; empty where there is none.
    most
        Signals that are shown; the others are counted.
    """
    shown = notice.signals[:most]
    kinds = dict.fromkeys(signal.kind for signal in notice.signals)
    ended = notice.cause in {Cause.CLOSED, Cause.SAMPLE, Cause.RETRAIN}
    return View(
        id=notice.id,
        incident=notice.incident,
        cause=_CAUSES[notice.cause],
        cause_key=notice.cause.value,
        title=one_line(notice.title, MOST_TOLD),
        severity=worst(notice.signals) or "none",
        model=one_line(notice.model, MOST_NAME),
        model_version=one_line(notice.model_version, MOST_NAME),
        route=one_line(notice.route, MOST_NAME),
        decided=f"{datetime.fromtimestamp(notice.decided_ms / 1000, tz=UTC):%Y-%m-%d %H:%M:%S} UTC",
        rows=tuple(_row(signal) for signal in shown),
        omitted=notice.omitted + len(notice.signals) - len(shown),
        advice=() if ended else tuple(_ADVICE[kind] for kind in kinds),
        link=f"{dashboard.rstrip('/')}/models/{quote(notice.model, safe='')}" if dashboard else "",
    )


def one_line(text: str, most: int) -> str:
    r"""Cut a text that may come from data: no line breaks, control characters or marks that turn text round.

    Examples
    --------
    >>> one_line("a\r\nBcc: you", 80)
    'a Bcc: you'
    >>> one_line("abcdef", 4)
    'abc…'
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return cut(line, most)


def cut(text: str, most: int) -> str:
    """Leave out what is beyond so many characters, and say so by an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def sparkline(shares: tuple[float, ...], top: float) -> str:
    """Draw shares as a line of blocks, against the largest of both sides.

    Examples
    --------
    >>> sparkline((0.0, 0.5, 1.0), 1.0)
    '▁▅█'
    """
    last = len(_BLOCKS) - 1
    steps = (round(max(share, 0.0) / top * last) if top > 0 else 0 for share in shares)
    return "".join(_BLOCKS[min(step, last)] for step in steps)


def _row(signal: Signal) -> Row:
    bars = signal.bars or Bars(labels=(), reference=(), current=())
    top = max((*bars.reference, *bars.current), default=0.0)
    return Row(
        name=one_line(signal.feature, MOST_NAME) or signal.kind.value,
        kind=signal.kind.value,
        change=signal.change.value,
        severity=signal.severity or "",
        told=one_line(signal.told, MOST_TOLD),
        window=one_line(signal.window, MOST_NAME),
        end=one_line(str(signal.end if signal.end is not None else ""), MOST_NAME),
        since=one_line(str(signal.since if signal.since is not None else ""), MOST_NAME),
        check=one_line(signal.check, MOST_NAME),
        segments=tuple(one_line(segment, MOST_NAME) for segment in signal.segments),
        reference_line=sparkline(bars.reference, top),
        current_line=sparkline(bars.current, top),
    )
