"""A notice to try channels and templates with."""

from alerts.notices import Cause, Notice, notice_id
from alerts.signals import Bars, Kind, Signal
from detectors.verdicts import Severity
from state.episodes import Change

_BARS = Bars(
    labels=("under 10", "10 to 20", "20 to 50", "50 to 100", "over 100"),
    reference=(0.30, 0.28, 0.22, 0.14, 0.06),
    current=(0.12, 0.17, 0.24, 0.27, 0.20),
)


def sample_notice(
    channel: str,
    *,
    cause: Cause = Cause.SAMPLE,
    model: str = "sample",
    decided_ms: int = 0,
    signals: tuple[Signal, ...] | None = None,
) -> Notice:
    """Make one that looks like a real one, with a drift of a column and a failed check."""
    told = "Test of driftflow: nothing has happened" if cause is Cause.SAMPLE else f"{model}: amount drifts"
    return Notice(
        id=notice_id("sample", channel, cause, str(decided_ms)),
        channel=channel,
        route="sample",
        incident=notice_id("sample", channel),
        cause=cause,
        model=model,
        model_version="1",
        title=told,
        signals=sample_signals(model) if signals is None else signals,
        decided_ms=decided_ms,
        payload='{"specversion":"1.0","id":"sample"}' if cause is Cause.RETRAIN else "",
    )


def sample_signals(model: str) -> tuple[Signal, ...]:
    """Return a drift with its histogram, and a violated check without one."""
    return (
        Signal(
            event="sample-1",
            model=model,
            model_version="1",
            kind=Kind.DRIFT,
            change=Change.OPENED,
            episode="sample-1",
            window="hourly",
            feature="amount",
            segments=("country=de",),
            severity=Severity.HIGH,
            start="2026-01-05T08:00:00Z",
            end="2026-01-05T09:00:00Z",
            since="2026-01-05T06:00:00Z",
            told="mean up, PSI 0.412 (limit 0.10)",
            effect=0.412,
            bars=_BARS,
        ),
        Signal(
            event="sample-2",
            model=model,
            model_version="1",
            kind=Kind.QUALITY,
            change=Change.OPENED,
            episode="sample-2",
            window="hourly",
            feature="country",
            check="missing",
            start="2026-01-05T08:00:00Z",
            end="2026-01-05T09:00:00Z",
            since="2026-01-05T08:00:00Z",
            told="12.0% missing (limit 1.0%)",
            effect=0.12,
        ),
    )
