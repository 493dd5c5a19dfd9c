"""Symptoms of a monitor that is not well, each from looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from alerts.vitals import Look, Worker
from detectors.verdicts import Severity
from state.durations import Axis, format_span

MOST_SAMPLES = 60
"""Looks that are remembered of lag and refused records, spread over the time that matters."""


class Watch(StrEnum):
    """What is looked at; the names of checks of signals."""

    WORKER = "worker_away"
    WATERMARK = "watermark_stalled"
    LAG = "lag_growing"
    SILENCE = "no_events"
    REFUSED = "dead_letters"
    STORE = "store_away"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRules:
    """When something is a symptom, and how long it must last.

    Attributes
    ----------
    watermark_ms, lag_ms, silence_ms
        How long the watermark may stand still, lag may grow, nothing may be heard; None: not looked at.
    refused_share
        Share of records that may be refused over `refused_ms`; None: not looked at.
    refused_least
        Refused records below which the share says nothing.
    open_ms, close_ms
        How long a symptom must be seen until it is told, and be gone until that is told.
    """

    model: str
    model_version: str
    watermark_ms: int | None = 600_000
    lag_ms: int | None = 900_000
    silence_ms: int | None = None
    refused_share: float | None = 0.01
    refused_ms: int = 600_000
    refused_least: int = 10
    open_ms: int = 120_000
    close_ms: int = 300_000


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all workers at one look."""

    at_ms: int
    lag: int
    rows: int
    refused: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered between looks.

    Attributes
    ----------
    began_ms
        When the first look was taken; None before.
    watermark, moved_ms
        The smallest watermark, and when it was first seen there.
    samples
        The latest last.
    """

    began_ms: int | None = None
    watermark: int | None = None
    moved_ms: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something that is not well now; `subject` tells several of one watch apart."""

    watch: Watch
    severity: Severity
    told: str
    subject: str = ""


def remembered(history: History, look: Look, rules: MonitorRules) -> History:
    """Take in one look."""
    began = look.at_ms if history.began_ms is None else history.began_ms
    present = [worker for worker in look.workers if not worker.error]
    low = _low(present)
    moved = low is not None and low != history.watermark
    samples = history.samples
    # Sums without a worker that is away would look like a lag that fell.
    if present and len(present) == len(look.workers):
        samples = _with_sample(samples, _sample(look.at_ms, present), rules)
    return History(
        began_ms=began,
        watermark=low if low is not None else history.watermark,
        moved_ms=look.at_ms if moved else history.moved_ms,
        samples=samples,
    )


def symptoms(history: History, look: Look, rules: MonitorRules) -> tuple[Symptom, ...]:
    """Say what is not well, `look` being in `history` already."""
    return (
        *_away(look),
        *_still(history, look, rules),
        *_growing(history, rules),
        *_silent(history, look, rules),
        *_refusing(history, rules),
    )


def _away(look: Look) -> Iterator[Symptom]:
    for worker in look.workers:
        if worker.error:
            yield Symptom(
                watch=Watch.WORKER,
                severity=Severity.HIGH,
                subject=worker.address,
                told=f"the worker at {worker.address} does not answer: {worker.error}",
            )
    if look.store_error:
        yield Symptom(
            watch=Watch.STORE,
            severity=Severity.HIGH,
            told=f"the store does not answer: {look.store_error}",
        )


def _still(history: History, look: Look, rules: MonitorRules) -> Iterator[Symptom]:
    if rules.watermark_ms is None or history.watermark is None or not _low_known(look):
        return
    still = look.at_ms - history.moved_ms
    if still >= rules.watermark_ms:
        slowest = min(
            (
                (time, name)
                for worker in look.workers
                for name, time in worker.watermarks.items()
                if not worker.error
            ),
        )[1]
        yield Symptom(
            watch=Watch.WATERMARK,
            severity=Severity.HIGH,
            told=f"the watermark stands still since {_span(still)}; windows wait for partition {slowest}",
        )


def _growing(history: History, rules: MonitorRules) -> Iterator[Symptom]:
    if rules.lag_ms is None or not history.samples:
        return
    last = history.samples[-1]
    recent = [each for each in history.samples if each.at_ms > last.at_ms - rules.lag_ms]
    before = [each for each in history.samples if each not in recent]
    if not before:
        return  # not watched for long enough
    window = [before[-1], *recent]
    middle = (window[0].at_ms + last.at_ms) / 2
    early = [each.lag for each in window if each.at_ms <= middle]
    late = [each.lag for each in window if each.at_ms > middle]
    # Lag that goes up and down, and lag that has found a new level, are not growth.
    if early and late and min(late) > max(early) and late[-1] > early[-1]:
        yield Symptom(
            watch=Watch.LAG,
            severity=Severity.MEDIUM,
            told=f"lag grew from {window[0].lag:,} to {last.lag:,} records in "
            f"{_span(last.at_ms - window[0].at_ms)}",
        )


def _silent(history: History, look: Look, rules: MonitorRules) -> Iterator[Symptom]:
    heard = history.began_ms if look.heard_ms is None else look.heard_ms
    if rules.silence_ms is None or heard is None:
        return
    silent = look.at_ms - heard
    if silent >= rules.silence_ms:
        yield Symptom(
            watch=Watch.SILENCE,
            severity=Severity.HIGH,
            told=f"no event and no report since {_span(silent)}",
        )


def _refusing(history: History, rules: MonitorRules) -> Iterator[Symptom]:
    if rules.refused_share is None or not history.samples:
        return
    last = history.samples[-1]
    first = next(each for each in history.samples if each.at_ms >= last.at_ms - rules.refused_ms)
    refused, rows = last.refused - first.refused, last.rows - first.rows
    if refused < rules.refused_least or rows < 0:
        return  # few, or a worker began anew between the looks
    share = refused / (refused + rows)
    if share > rules.refused_share:
        yield Symptom(
            watch=Watch.REFUSED,
            severity=Severity.MEDIUM,
            told=f"{refused:,} of {refused + rows:,} records were refused ({share:.1%}, limit "
            f"{rules.refused_share:.1%}) in {_span(last.at_ms - first.at_ms)}",
        )


def _low(workers: list[Worker]) -> int | None:
    return min((time for worker in workers for time in worker.watermarks.values()), default=None)


def _low_known(look: Look) -> bool:
    return any(worker.watermarks for worker in look.workers if not worker.error)


def _sample(at_ms: int, workers: list[Worker]) -> Sample:
    return Sample(
        at_ms=at_ms,
        lag=sum(sum(worker.lags.values()) for worker in workers),
        rows=sum(worker.rows for worker in workers),
        refused=sum(worker.refused for worker in workers),
    )


def _with_sample(samples: tuple[Sample, ...], new: Sample, rules: MonitorRules) -> tuple[Sample, ...]:
    """Keep what the longest watch needs, and no more than `MOST_SAMPLES` of it."""
    span = max(rules.lag_ms or 0, rules.refused_ms)
    apart = span // (MOST_SAMPLES - 4)
    # The newest stands for the present until it is far enough from the one before.
    kept = samples[:-1] if len(samples) > 1 and samples[-1].at_ms - samples[-2].at_ms < apart else samples
    kept = (*kept, new)
    old = [each for each in kept if each.at_ms <= new.at_ms - span]
    return kept[max(0, len(old) - 1) :]


def _span(ms: int) -> str:
    return format_span(max(1_000, ms // 1_000 * 1_000), Axis.MILLISECONDS)
