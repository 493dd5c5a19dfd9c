"""The truth about a generated data set as a file beside it."""

from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np

from detectors.base import Kind
from detectors.checks import Family
from flows.scenarios.base import DriftKind, Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.lines import iso_times, row_times_ms

TRUTH_SCHEMA: Final = "driftflow.truth/2"


class SpanTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows ``start_row .. end_row - 1`` and their event time before disorder, ISO-8601, end excluded."""

    start_row: int
    end_row: int
    start: str
    end: str


class FeatureTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The drift of one column; `path` is where it stands in a record."""

    feature: str
    path: str
    kind: Kind
    drift: DriftKind
    spans: tuple[SpanTruth, ...]
    description: str
    effect: str


class FaultTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault other than the drift of a column's law; `feature` is empty where it is one of whole records."""

    family: Family
    check: str
    feature: str
    spans: tuple[SpanTruth, ...]
    description: str
    effect: str


class TruthFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a data set was generated from, and what drifts and fails in it.

    `reference`, `events` and `labels` are file names relative to the truth's folder; `labels` is None where
    they are in the events or there are none. `start` is the time of row 0.
    """

    schema: Literal["driftflow.truth/2"] = TRUTH_SCHEMA
    scenario: str
    seed: int
    rows: int
    reference_rows: int
    step_ms: int
    disorder_ms: int
    start: str
    reference: str
    events: tuple[str, ...]
    labels: str | None
    features: tuple[FeatureTruth, ...]
    faults: tuple[FaultTruth, ...]


def build_truth(
    scenario: Scenario,
    options: ScenarioOptions,
    *,
    reference: str,
    events: tuple[str, ...],
    labels: str | None = None,
) -> TruthFile:
    """Describe a data set of these files."""
    truths = zip(scenario.columns, scenario.truth(options.rows), strict=True)
    return TruthFile(
        scenario=scenario.name,
        seed=options.seed,
        rows=options.rows,
        reference_rows=options.reference_rows,
        step_ms=options.step_ms,
        disorder_ms=options.disorder_ms,
        start=_time(scenario, options, 0),
        reference=reference,
        events=events,
        labels=labels,
        features=tuple(
            FeatureTruth(
                feature=truth.feature,
                path=column.path,
                kind=column.kind,
                drift=truth.kind,
                spans=_spans(scenario, options, truth.spans),
                description=truth.description,
                effect=truth.effect,
            )
            for column, truth in truths
        ),
        faults=tuple(
            FaultTruth(
                family=fault.family,
                check=fault.check,
                feature=fault.feature,
                spans=_spans(scenario, options, fault.spans),
                description=fault.description,
                effect=fault.effect,
            )
            for fault in scenario.faults(options.rows)
        ),
    )


def truth_bytes(truth: TruthFile) -> bytes:
    """Write as indented JSON with a line end."""
    return msgspec.json.format(msgspec.json.encode(truth), indent=2) + b"\n"


def read_truth(path: Path) -> TruthFile:
    """Read a truth file.

    Raises
    ------
    ScenarioError
        It cannot be read, or is not of this schema.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=TruthFile)
    except (OSError, msgspec.DecodeError) as error:
        raise ScenarioError(
            f"{path} is not a truth file of schema {TRUTH_SCHEMA}: {error}; generate the data set again"
        ) from error


def _spans(
    scenario: Scenario, options: ScenarioOptions, spans: tuple[tuple[int, int], ...]
) -> tuple[SpanTruth, ...]:
    return tuple(
        SpanTruth(
            start_row=low,
            end_row=high,
            start=_time(scenario, options, low),
            end=_time(scenario, options, high),
        )
        for low, high in spans
    )


def _time(scenario: Scenario, options: ScenarioOptions, row: int) -> str:
    return iso_times(row_times_ms(scenario, options, np.array([row], dtype=np.int64)))[0]
