"""The streams and the kinds of trouble of bench.kinds, a line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.kinds_events import DRIFT, OPERATIONS, PERFORMANCE, PREDICTION, QUALITY, WHOLE, Opening
from flows.scenarios.dataset import DatasetFiles

SLOT_ROWS: Final = 1_440
"""How long each fault of the stream without drift lasts, and how long it is calm after it: two windows."""

MISSING: Final = "missing features.normal_000 share=15%"
ZEROS: Final = "zeros features.lognormal_002 share=15%"
OUTSIDE: Final = "outside features.uniform_006 share=5%"
INFINITE: Final = "infinite features.gamma_004 share=5%"
NEW: Final = "category features.category4_001 value=new share=8%"
GONE: Final = "vanish features.category4_001 value=b into=a"
STUCK: Final = "stuck features.normal_000"
TYPE: Final = "type features.count_003 share=10%"
TWICE: Final = "duplicate share=15%"
EXTRA: Final = "extra features.surprise share=40%"
ABSENT: Final = "absent features.uniform_006 share=30%"
FEW: Final = "drop share=85%"
NONE: Final = "drop share=100%"
BURST: Final = "burst times=4 id=id"
SEGMENT: Final = "shift features.gamma_004 by=2sd where=features.category12_005:level_01"
"""What is put into a stream without drift."""

BEYOND: Final = "outside malignant share=5%"
UNEVEN: Final = "scale malignant factor=0.5 share=20%"
"""What is put into probabilities of classes."""

FAULTS: Final = (
    *(MISSING, ZEROS, OUTSIDE, INFINITE, NEW, GONE, STUCK, TYPE),
    *(TWICE, EXTRA, ABSENT, FEW, NONE, BURST, SEGMENT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream to be watched in windows of so many hours, against a reference of a week of half minutes.

    Attributes
    ----------
    sections
        Of the configuration, beside columns and windows.
    """

    scenario: str
    rows: int
    hours: int = 6
    reference_rows: int = 20_160
    faults: tuple[str, ...] = ()
    sections: Callable[[DatasetFiles], dict[str, object]] = lambda _files: {}
    features: int | None = None


def _late(files: DatasetFiles) -> dict[str, object]:
    time = {"column": "ts"}
    return {
        "labels": {"path": str(files.labels), "id": "id", "label": "price", "time": time, "horizon": "1d"},
        "performance": {"metrics": ["mae", "rmse", "r2", "bias", "coverage"]},
    }


def _share(_files: DatasetFiles) -> dict[str, object]:
    return {"detection": {"drift_share": 0.25}}


def _churn(_files: DatasetFiles) -> dict[str, object]:
    metrics = ["accuracy", "f1", "roc_auc", "log_loss", "calibration_error"]
    return {"performance": {"positive": "yes", "metrics": metrics}}


STREAMS: Final = {
    "demo": Stream(scenario="demo", rows=60_000),
    "clinical": Stream(scenario="clinical", rows=30_000, faults=(BEYOND, UNEVEN), sections=_share),
    "churn": Stream(scenario="churn", rows=60_000, sections=_churn),
    # Volumes of days need two weeks that they can be held against.
    "house-prices": Stream(
        scenario="house-prices", rows=60_000, hours=24, reference_rows=40_320, sections=_late
    ),
    "ethereum": Stream(
        scenario="ethereum", rows=40_000, hours=24 * 21, sections=lambda _files: {"performance": {}}
    ),
    "stationary": Stream(
        scenario="stationary",
        rows=(1 + 2 * len(FAULTS)) * SLOT_ROWS,
        faults=FAULTS,
        features=8,
        sections=lambda _files: {"segments": {"columns": ["category12_005"]}},
    ),
}
"""Streams by their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trouble.

    Attributes
    ----------
    truth
        What is wrong, and in which column: a feature that drifts or an injected fault, and nothing; or the
        check of a fault, and its column.
    type
        End of the type of the events that tell it.
    checks, feature, segment
        Checks, column and explaining segment of these events; empty: whatever they name.
    also
        What else such events tell of.
    """

    name: str
    stream: str
    truth: tuple[str, str]
    type: str
    checks: tuple[str, ...] = ()
    feature: str = ""
    segment: str = ""
    also: tuple[str, str] | None = None

    def told_by(self, opening: Opening) -> bool:
        """Whether an event tells of this kind of trouble."""
        return (
            opening.type.endswith(self.type)
            and (not self.checks or opening.check in self.checks)
            and (not self.feature or opening.feature == self.feature)
            and (not self.segment or self.segment in opening.segments)
        )


def _drift(name: str, stream: str, feature: str, truth: tuple[str, str] | None = None) -> Kind:
    return Kind(name=name, stream=stream, truth=truth or (feature, ""), type=DRIFT, feature=feature)


def _injected(name: str, fault: str, check: str, feature: str = "") -> Kind:
    return Kind(
        name=name, stream="stationary", truth=(fault, ""), type=QUALITY, checks=(check,), feature=feature
    )


def _unlikely(name: str, fault: str, check: str) -> Kind:
    return Kind(name=name, stream="clinical", truth=(fault, ""), type=PREDICTION, checks=(check,))


def _check(name: str, stream: str, type_: str, check: str, feature: str = "") -> Kind:
    of = feature if type_ == QUALITY else ""
    return Kind(name=name, stream=stream, truth=(check, feature), type=type_, checks=(check,), feature=of)


KINDS: Final = (
    _drift("drift, sudden", "demo", "income"),
    _drift("drift, a new level", "demo", "country"),
    _drift("drift, gradual", "demo", "session_s"),
    _drift("drift, incremental", "demo", "amount"),
    _drift("drift, recurring", "demo", "distance_km"),
    _drift("drift, one of ten", "clinical", "worst_area"),
    _drift("drift, volatility", "ethereum", "range_pct"),
    Kind(
        name="drift, one segment",
        stream="stationary",
        truth=(SEGMENT, ""),
        type=DRIFT,
        feature="gamma_004",
        segment="level_01",
    ),
    Kind(name="drift, many columns", stream="clinical", truth=("worst_area", ""), type=WHOLE),
    _injected("missing values", MISSING, "missing_share"),
    _check("missing, a job fails", "churn", QUALITY, "missing_share", "total_charges"),
    _injected("zero inflation", ZEROS, "zero_share"),
    _check("zeros of a feed", "ethereum", QUALITY, "zero_share", "volume"),
    _injected("out of range", OUTSIDE, "out_of_range_share", "uniform_006"),
    _injected("not finite", INFINITE, "non_finite_share"),
    _injected("new category", NEW, "new_share"),
    _injected("vanished category", GONE, "vanished_share"),
    _injected("constant column", STUCK, "constant"),
    _injected("type changes", TYPE, "type_changes"),
    _injected("duplicates", TWICE, "duplicate_share"),
    _injected("unknown fields", EXTRA, "unknown_fields"),
    _injected("fields that are gone", ABSENT, "absent_fields"),
    _injected("low volume", FEW, "low_volume"),
    Kind(
        name="gap in event time",
        stream="stationary",
        truth=(NONE, ""),
        type=QUALITY,
        checks=("low_volume",),
        also=(FEW, ""),
    ),
    _injected("burst", BURST, "volume_burst"),
    _check("burst, seasonal traffic", "house-prices", QUALITY, "volume_burst"),
    _check("lull, seasonal traffic", "house-prices", QUALITY, "low_volume"),
    _drift("prediction", "house-prices", "prediction"),
    _drift("class shares", "churn", "prediction"),
    _drift("score", "churn", "score"),
    _drift("confidence", "churn", "score.confidence", ("confidence", "score")),
    _check("uncertain band", "churn", PREDICTION, "uncertain_share", "score"),
    _drift("class probabilities", "clinical", "benign"),
    _drift("entropy", "clinical", "scores.entropy", ("benign", "")),
    _unlikely("probability beyond 1", BEYOND, "out_of_range_share"),
    _unlikely("probabilities off 1", UNEVEN, "unnormalized_share"),
    _drift("width of intervals", "house-prices", "interval.width", ("interval_low", "")),
    _check("latency", "churn", OPERATIONS, "latency_p95", "latency_ms"),
    _check("error rate", "churn", OPERATIONS, "error_rate", "status"),
    _check("accuracy", "churn", PERFORMANCE, "accuracy"),
    _check("F1", "churn", PERFORMANCE, "f1"),
    _check("AUC", "churn", PERFORMANCE, "roc_auc"),
    _check("log loss", "churn", PERFORMANCE, "log_loss"),
    _check("MAE of a forecast", "ethereum", PERFORMANCE, "mae"),
    _check("MAE, late labels", "house-prices", PERFORMANCE, "mae"),
    _check("R2, late labels", "house-prices", PERFORMANCE, "r2"),
    _check("bias, late labels", "house-prices", PERFORMANCE, "bias"),
    _check("coverage, late labels", "house-prices", PERFORMANCE, "coverage"),
    _drift("errors, late labels", "house-prices", "error", ("area_m2", "")),
    _drift("errors", "churn", "wrong", ("accuracy", "")),
)
"""One line of the table each."""
