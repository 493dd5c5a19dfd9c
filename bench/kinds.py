"""Every kind of trouble in a scenario that has it: seen after how many windows, and what was told before.

Each stream is generated with its truth, its reference built and its events written, all by the command line.
For a kind, `seen after` counts the windows that end after the trouble began, up to the one that told it;
`false before` counts openings, of whatever kind, in windows that ended before and in which nothing was wrong.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import yaml

from bench.measure import say, show
from flows.injection.truth import read_injection
from flows.scenarios.base import Scenario, ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, write_dataset
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import read_truth

WINDOW = timedelta(hours=6)
STEP_MS = 30_000
REFERENCE_ROWS = 20_160
"""A week."""

QUICK = 0.5
"""Part of the rows that are enough to try the bench."""

SLOT_ROWS = 1_440
"""Two windows: how long each fault of the faulty stream lasts, and how long it is calm after it."""

FAULTS = (
    "missing features.normal_000 share=15%",
    "zeros features.lognormal_002 share=15%",
    "outside features.uniform_006 share=5%",
    "infinite features.gamma_004 share=5%",
    "category features.category4_001 value=new share=8%",
    "vanish features.category4_001 value=b into=a",
    "stuck features.normal_000",
    "type features.count_003 share=10%",
    "duplicate share=15%",
    "extra features.surprise share=40%",
    "absent features.uniform_006 share=30%",
    "drop share=85%",
    "burst times=4 id=id",
    "shift features.normal_000 by=1.5sd where=features.category12_005:level_01",
)
"""What is put into a stream without drift, one after the other."""

Span = tuple[datetime, datetime]
Event = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream to be watched.

    Attributes
    ----------
    sections
        Of the configuration, beside columns and windows.
    """

    scenario: str
    rows: int
    faults: tuple[str, ...] = ()
    sections: Callable[[DatasetFiles], dict[str, object]] = lambda _files: {}
    features: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trouble.

    Attributes
    ----------
    truth
        Where it is written when it begins: the feature that drifts, the check of a fault, or the kind of an
        injected fault.
    type
        End of the type of the events that tell it.
    checks, feature
        Checks and column of these events; empty: whatever they name.
    """

    name: str
    stream: str
    truth: str
    type: str
    checks: tuple[str, ...] = ()
    feature: str = ""
    truth_feature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is true of a stream, and what was told of it.

    Attributes
    ----------
    troubles
        Spans by what is wrong: ``(feature or check, feature)``.
    openings
        Events that open something, in their order.
    """

    troubles: dict[tuple[str, str], tuple[Span, ...]]
    openings: tuple[Event, ...]


def late(files: DatasetFiles) -> dict[str, object]:
    """Return the sections of a stream whose labels come late."""
    assert files.labels is not None
    return {
        "labels": {"path": str(files.labels), "id": "id", "label": "price", "time": {"column": "ts"}},
        "performance": {},
    }


STREAMS = {
    "demo": Stream(scenario="demo", rows=60_000),
    "churn": Stream(
        scenario="churn", rows=60_000, sections=lambda _files: {"performance": {"positive": "yes"}}
    ),
    "house-prices": Stream(scenario="house-prices", rows=60_000, sections=late),
    "ethereum": Stream(scenario="ethereum", rows=60_000, sections=lambda _files: {"performance": {}}),
    "clinical": Stream(scenario="clinical", rows=30_000),
    "stationary": Stream(
        scenario="stationary",
        rows=(2 + 2 * len(FAULTS)) * SLOT_ROWS,
        faults=FAULTS,
        features=8,
        sections=lambda _files: {"segments": {"columns": ["category12_005"]}},
    ),
}
"""Streams by their name."""

DRIFT, QUALITY, PREDICTION = "drift.opened", "quality.violated", "prediction.violated"
OPERATIONS, PERFORMANCE = "operations.violated", "performance.degraded"

KINDS = (
    Kind(name="drift, sudden", stream="demo", truth="income", type=DRIFT, feature="income"),
    Kind(name="drift, a new level", stream="demo", truth="country", type=DRIFT, feature="country"),
    Kind(name="drift, gradual", stream="demo", truth="session_s", type=DRIFT, feature="session_s"),
    Kind(name="drift, incremental", stream="demo", truth="amount", type=DRIFT, feature="amount"),
    Kind(name="drift, recurring", stream="demo", truth="distance_km", type=DRIFT, feature="distance_km"),
    Kind(
        name="drift of many columns", stream="clinical", truth="worst_area", type=DRIFT, feature="worst_area"
    ),
    Kind(name="drift of volatility", stream="ethereum", truth="range_pct", type=DRIFT, feature="range_pct"),
    Kind(name="drift in one segment", stream="stationary", truth="shift", type=DRIFT, feature="normal_000"),
    Kind(
        name="missing values", stream="stationary", truth="missing", type=QUALITY, checks=("missing_share",)
    ),
    Kind(
        name="missing, a failing job",
        stream="churn",
        truth="missing_share",
        truth_feature="total_charges",
        type=QUALITY,
        checks=("missing_share",),
        feature="total_charges",
    ),
    Kind(name="zero inflation", stream="stationary", truth="zeros", type=QUALITY, checks=("zero_share",)),
    Kind(
        name="zeros of a feed",
        stream="ethereum",
        truth="zero_share",
        truth_feature="volume",
        type=QUALITY,
        checks=("zero_share",),
        feature="volume",
    ),
    Kind(
        name="out of range",
        stream="stationary",
        truth="outside",
        type=QUALITY,
        checks=("out_of_range_share", "out_of_range"),
    ),
    Kind(
        name="not finite", stream="stationary", truth="infinite", type=QUALITY, checks=("non_finite_share",)
    ),
    Kind(
        name="new category",
        stream="stationary",
        truth="category",
        type=QUALITY,
        checks=("new_share", "new_category_share", "new_categories"),
    ),
    Kind(
        name="vanished category",
        stream="stationary",
        truth="vanish",
        type=QUALITY,
        checks=("vanished_categories", "vanished_share", "vanished_category_share"),
    ),
    Kind(
        name="constant column",
        stream="stationary",
        truth="stuck",
        type=QUALITY,
        checks=("constant", "constant_share", "top_share"),
    ),
    Kind(name="type changes", stream="stationary", truth="type", type=QUALITY, checks=("type_changes",)),
    Kind(
        name="duplicates", stream="stationary", truth="duplicate", type=QUALITY, checks=("duplicate_share",)
    ),
    Kind(name="unknown fields", stream="stationary", truth="extra", type=QUALITY, checks=("unknown_fields",)),
    Kind(
        name="fields that are gone",
        stream="stationary",
        truth="absent",
        type=QUALITY,
        checks=("absent_fields",),
    ),
    Kind(name="low volume", stream="stationary", truth="drop", type=QUALITY, checks=("low_volume",)),
    Kind(name="burst", stream="stationary", truth="burst", type=QUALITY, checks=("volume_burst",)),
    Kind(
        name="burst, by the hour",
        stream="house-prices",
        truth="volume_burst",
        type=QUALITY,
        checks=("volume_burst",),
    ),
    Kind(
        name="low volume, by the hour",
        stream="house-prices",
        truth="low_volume",
        type=QUALITY,
        checks=("low_volume", "empty_panes"),
    ),
    Kind(
        name="prediction drift", stream="house-prices", truth="prediction", type=DRIFT, feature="prediction"
    ),
    Kind(name="class shares", stream="churn", truth="prediction", type=DRIFT, feature="prediction"),
    Kind(name="score drift", stream="churn", truth="score", type=DRIFT, feature="score"),
    Kind(
        name="confidence",
        stream="churn",
        truth="confidence",
        truth_feature="score",
        type=DRIFT,
        feature="score.confidence",
    ),
    Kind(
        name="uncertain band",
        stream="churn",
        truth="uncertain_share",
        truth_feature="score",
        type=PREDICTION,
        checks=("uncertain_share",),
    ),
    Kind(
        name="width of intervals",
        stream="house-prices",
        truth="interval_low",
        type=DRIFT,
        feature="interval.width",
    ),
    Kind(
        name="latency",
        stream="churn",
        truth="latency_p95",
        truth_feature="latency_ms",
        type=OPERATIONS,
        checks=("latency_p50", "latency_p95", "latency_p99"),
    ),
    Kind(
        name="error rate",
        stream="churn",
        truth="error_rate",
        truth_feature="status",
        type=OPERATIONS,
        checks=("error_rate",),
    ),
    Kind(
        name="accuracy, labels in the event",
        stream="churn",
        truth="accuracy",
        type=PERFORMANCE,
        checks=("accuracy",),
    ),
    Kind(name="F1, labels in the event", stream="churn", truth="f1", type=PERFORMANCE, checks=("f1",)),
    Kind(
        name="AUC, labels in the event",
        stream="churn",
        truth="roc_auc",
        type=PERFORMANCE,
        checks=("roc_auc",),
    ),
    Kind(name="MAE of a forecast", stream="ethereum", truth="mae", type=PERFORMANCE, checks=("mae",)),
    Kind(name="MAE, late labels", stream="house-prices", truth="mae", type=PERFORMANCE, checks=("mae",)),
    Kind(name="R2, late labels", stream="house-prices", truth="r2", type=PERFORMANCE, checks=("r2",)),
    Kind(name="bias, late labels", stream="house-prices", truth="bias", type=PERFORMANCE, checks=("bias",)),
    Kind(
        name="coverage, late labels",
        stream="house-prices",
        truth="coverage",
        type=PERFORMANCE,
        checks=("coverage",),
    ),
)
"""One line of the table each."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Watch all streams and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half of the rows")
    parser.add_argument("--stream", choices=sorted(STREAMS), help="this stream alone")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    chosen = [given.stream] if given.stream else list(STREAMS)
    rows: list[tuple[str, ...]] = []
    for name in chosen:
        with TemporaryDirectory() as folder:
            watched = watch(name, Path(folder), part=QUICK if given.quick else 1.0, seed=given.seed)
        rows += [line(kind, watched) for kind in KINDS if kind.stream == name]
    show("Kinds of trouble", ("kind", "scenario", "told by", "seen after", "false before"), rows)
    say(f"Windows of {WINDOW.total_seconds() / 3600:g} hours (ethereum: 30 days).")


def line(kind: Kind, watched: Watched) -> tuple[str, ...]:
    """Return the row of a kind."""
    spans = watched.troubles.get((kind.truth, kind.truth_feature), ())
    if not spans:
        return (kind.name, kind.stream, kind.type, "no such trouble", "")
    began = spans[0][0]
    seen = next(
        (event for event in watched.openings if _tells(event, kind) and window(event)[1] > began), None
    )
    return (
        kind.name,
        kind.stream,
        f"{kind.type}" if seen is None or not check_of(seen) else f"{kind.type} {check_of(seen)}",
        "not" if seen is None else f"{delay(seen, began)} windows",
        str(sum(_false(event, watched) for event in watched.openings if window(event)[1] <= began)),
    )


def delay(event: Event, began: datetime) -> int:
    """Return how many windows ended after the trouble began, up to and with the one of the event."""
    start, end = window(event)
    return -((began - end) // (end - start))


def _tells(event: Event, kind: Kind) -> bool:
    data = msgspec.convert(event["data"], dict[str, object])
    return (
        str(event["type"]).endswith(kind.type)
        and (not kind.checks or check_of(event) in kind.checks)
        and (not kind.feature or feature_of(data) == kind.feature)
    )


def _false(event: Event, watched: Watched) -> bool:
    """Whether nothing at all was wrong in the window of an event, and in the one before it."""
    start, end = window(event)
    spans = (span for spans in watched.troubles.values() for span in spans)
    return not any(low < end and start - (end - start) < high for low, high in spans)


def check_of(event: Event) -> str:
    """Return the name of the check that an event tells of; empty of a drift."""
    check = msgspec.convert(event["data"], dict[str, object]).get("check")
    return str(msgspec.convert(check, dict[str, object])["name"]) if isinstance(check, dict) else ""


def feature_of(data: dict[str, object]) -> str:
    """Return the column that an event tells of; empty of whole records."""
    feature = data.get("feature", "")
    return str(feature.get("feature", "")) if isinstance(feature, dict) else str(feature)


def window(event: Event) -> Span:
    """Return start and end of the window that an event tells of."""
    data = msgspec.convert(event["data"], dict[str, object])
    found = msgspec.convert(data["window"], dict[str, object])
    return _time(str(found["start"])), _time(str(found["end"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def watch(name: str, folder: Path, *, part: float, seed: int) -> Watched:
    """Generate a stream, watch it, and return what is true and what was told."""
    stream = STREAMS[name]
    options = ScenarioOptions(
        rows=stream.rows if stream.faults else round(stream.rows * part),
        seed=seed,
        step_ms=STEP_MS,
        disorder_ms=0,
        features=stream.features,
        reference_rows=REFERENCE_ROWS,
    )
    source = scenario(stream.scenario, options)
    files = write_dataset(source, options, folder)
    truth = read_truth(files.truth)
    troubles = {
        (told.feature, ""): tuple((_time(span.start), _time(span.end)) for span in told.spans)
        for told in truth.features
    }
    for fault in truth.faults:
        spans = tuple((_time(span.start), _time(span.end)) for span in fault.spans)
        troubles[fault.check, fault.feature] = spans
    events = files.events[0]
    if stream.faults:
        events, injected = _inject(events, folder, stream.faults, seed)
        troubles |= injected
    config = folder / "driftflow.yaml"
    config.write_text(yaml.safe_dump(_configuration(source, events, stream.sections(files))))
    _call("reference", "build", config, files.reference)
    _call("run", config)
    lines = (folder / "out" / "events.jsonl").read_bytes().splitlines()
    told = (msgspec.json.decode(line, type=dict[str, object]) for line in lines)
    return Watched(
        troubles=troubles,
        openings=tuple(event for event in told if str(event["type"]).endswith(_OPENING)),
    )


_OPENING = (DRIFT, QUALITY, PREDICTION, OPERATIONS, PERFORMANCE)


def _inject(
    events: Path, folder: Path, faults: tuple[str, ...], seed: int
) -> tuple[Path, dict[tuple[str, str], tuple[Span, ...]]]:
    """Put faults into a copy, each in a slot of its own; return the copy and their spans by kind."""
    places = (f"from={(1 + 2 * i) * SLOT_ROWS} to={(2 + 2 * i) * SLOT_ROWS}" for i in range(len(faults)))
    asked = [f"{fault} {place}" for fault, place in zip(faults, places, strict=True)]
    target = folder / "faulty"
    _call("generate", events, "--out", target, "--seed", seed, *_each("--inject", asked))
    truth = read_injection(target / "injected.json")
    times = [
        _time(str(msgspec.json.decode(line, type=dict[str, object])["ts"]))
        for line in events.read_bytes().splitlines()
    ]
    spans = {
        (str(fault.kind), ""): ((times[fault.input_rows[0]], times[fault.input_rows[1] - 1]),)
        for fault in truth.faults
    }
    return target / events.name, spans


def _each(option: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        yield option
        yield value


def _configuration(source: Scenario, events: Path, sections: dict[str, object]) -> dict[str, object]:
    columns: dict[str, dict[str, str]] = {"id": {"kind": "categorical", "role": "id", "path": "id"}}
    for column in source.columns:
        columns[column.name] = {"kind": str(column.kind), "role": str(column.role), "path": column.path}
        if column.role == "score":
            columns[column.name]["class"] = "yes"
    return {
        "model": {"name": source.name},
        "input": {"path": str(events)},
        "time": {"column": "ts"},
        "windows": {"window": {"size": f"{round(WINDOW.total_seconds() / 3600)}h"}},
        "columns": columns,
        **sections,
    }


def _call(*arguments: object) -> None:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"driftflow {arguments[0]} failed: {done.stderr}")


if __name__ == "__main__":
    main()
