"""Values that a notebook gets of a model: times, series, and what was found of a column in a window."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import DriftflowError, FloatArray
from detectors.verdicts import Severity, Verdict
from state.event_data import Instant, ReferenceData, WindowData

Times = NDArray[np.datetime64] | NDArray[np.int64]
"""Milliseconds in UTC, or row numbers where the stream has no clock."""

When = str | int | datetime | None
"""ISO-8601 (UTC unless it says otherwise), milliseconds since the epoch, or a row number; None: no bound."""


class LookError(DriftflowError):
    """There is nothing to look at, or more than one thing; the message lists what there is."""


class Series(NamedTuple):
    """One value of every window: its end and the value, both of shape ``(windows,)``, in order of time."""

    times: Times
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowResult:
    """What was found of one column in one window.

    Attributes
    ----------
    start, end
        As in `Times`.
    rows
        Rows of the window with a value.
    effect
        PSI less its expectation without drift; None where there were too few rows.
    """

    window: str
    start: np.datetime64 | int
    end: np.datetime64 | int
    verdict: Verdict
    severity: Severity | None
    effect: float | None
    p_value: float | None
    q_value: float | None
    rows: int
    missing: int
    reference: str


class _Column(msgspec.Struct):
    """Those fields of `state.event_data.FeatureData` that are shown: readings of wide models are large."""

    feature: str
    verdict: Verdict
    severity: Severity | None
    effect: float | None
    p_value: float | None
    q_value: float | None
    n_current: int
    missing: int


class _Data(msgspec.Struct):
    window: WindowData
    reference: ReferenceData
    features: tuple[_Column, ...]


class _Report(msgspec.Struct):
    data: _Data


def results_of(body: bytes, feature: str) -> Iterator[WindowResult]:
    """Read from a report what was found of a column; nothing where it was not watched."""
    data = msgspec.json.decode(body, type=_Report).data
    for of in data.features:
        if of.feature == feature:
            yield WindowResult(
                window=data.window.name,
                start=_shown(data.window.start),
                end=_shown(data.window.end),
                verdict=of.verdict,
                severity=of.severity,
                effect=of.effect,
                p_value=of.p_value,
                q_value=of.q_value,
                rows=of.n_current,
                missing=of.missing,
                reference=data.reference.version,
            )


def _shown(told: Instant) -> np.datetime64 | int:
    # NumPy knows no zones: times are in UTC, which the Z says.
    return np.datetime64(told.removesuffix("Z"), "ms") if isinstance(told, str) else told
