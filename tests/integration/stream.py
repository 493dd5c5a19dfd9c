"""A stream with everything that goes wrong in it: disorder, late rows, dead letters and missing values."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson

from flows.config import Config, load_config
from flows.generations import lineage_of, load_generations
from flows.input import InputSet, config_input, file_input, file_labels, partition_opener
from flows.plan import Plan, make_plan
from flows.record_spec import record_spec
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines, json_reference
from flows.scenarios.registry import scenario
from state.reference import load
from state.stores.base import Activation
from state.stores.sqlite import SqliteStore

MODEL = "demo"
LATE = 4
"""The way of spoiling a row that makes it late."""

WINDOWS = "{shift: {size: 6h}, day: {size: 12h, slide: 3h}}"

SEGMENTS = "{columns: [country], top: 3, min_rows: 200}"
"""Counted in every run, so that whatever holds for a run holds for them."""

CLASSES = {"score": ", class: decline"}
"""Of which class a score is the probability, so that every run has derived columns, and a track to check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a stream and its reference stand."""

    folder: Path

    @property
    def events(self) -> Path:
        return self.folder / "events"

    @property
    def reference(self) -> Path:
        return self.folder / "reference.sqlite"

    def config(
        self,
        name: str = "driftflow",
        *,
        batch_rows: int = 8_192,
        windows: str = WINDOWS,
        detection: str = "{}",
        lateness: str = "2m",
        missing: str = '[""]',
        events: str = "events",
        segments: str = SEGMENTS,
    ) -> Path:
        """Write a configuration and return its path."""
        columns = "\n".join(
            f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}{CLASSES.get(c.name, '')}}}"
            for c in scenario("demo").columns
        )
        path = self.folder / f"{name}.yaml"
        path.write_text(
            f"model: {{name: {MODEL}}}\n"
            f"input: {{path: {events}, batch_rows: {batch_rows}, missing: {missing}}}\n"
            f"time: {{column: ts, lateness: {lateness}}}\n"
            f"windows: {windows}\ndetection: {detection}\nsegments: {segments}\n"
            f"output: {{late_rows: late.jsonl}}\ncolumns:\n{columns}\n"
        )
        return path


def write_stream(
    folder: Path,
    *,
    rows: int,
    files: int = 1,
    messy: bool = True,
    dealt: bool = True,
    reference_rows: int = 4_000,
) -> Layout:
    """Write a reference and a stream of one file or several; rows are dealt to files in turn, or cut."""
    layout = Layout(folder=folder)
    layout.events.mkdir(parents=True)
    options = ScenarioOptions(rows=rows, seed=11, disorder_ms=90_000, reference_rows=reference_rows)
    lines = json_lines(scenario("demo"), options, 0, rows)
    if messy:
        lines = _messed_up(lines)
    for part in range(files):
        own = lines[part::files] if dealt else lines[part * rows // files : (part + 1) * rows // files]
        (layout.events / f"part-{part}.jsonl").write_bytes(b"\n".join(own) + b"\n")
    reference = folder / "reference.jsonl"
    reference.write_bytes(b"\n".join(json_reference(scenario("demo"), options, 0, reference_rows)) + b"\n")
    keep_reference(layout)
    return layout


def input_of(config: Config) -> InputSet:
    """Take the files of a configuration, those of labels among them."""
    return config_input(config).with_labels(file_labels(config))


def load_plan(config_path: Path, open_source: Callable[[Config], InputSet] = input_of) -> Plan:
    """Make the plan of a configuration, with the reference beside it."""
    config = load_config(config_path)
    store = SqliteStore(Layout(folder=config.folder).reference)
    try:
        lineage = lineage_of(config, store.activations(MODEL, "1"))
        generations = load_generations(config, lineage, lambda one: load(store.reference(MODEL, one)))
    finally:
        store.close()
    found = open_source(config)
    opener = partition_opener(config, found, config.state_fingerprint(lineage.first))
    return make_plan(config, generations, found.partitions, opener)


def keep_reference(layout: Layout, *, rows: int | None = None, effective_from: int | None = None) -> str:
    """Build a reference from the first rows, activate it, and return its version."""
    config: Config = load_config(layout.config("reference"))
    source = file_input(
        layout.folder / "reference.jsonl",
        columns=config.fields,
        time=config.time,
        derived=config.derivations,
    )
    built = build_reference(
        source,
        config.tracks,
        model=MODEL,
        now_ms=0,
        rows=rows,
        segments=config.segments,
        records=record_spec(config),
    ).reference
    with closing(SqliteStore(layout.reference)) as store:
        store.put_reference(built.stored())
    activate(layout, built.version, effective_from=effective_from)
    return built.version


def activate(layout: Layout, version: str, *, effective_from: int | None = None) -> None:
    """Activate a reference that is there."""
    with closing(SqliteStore(layout.reference)) as store:
        store.activate(MODEL, "1", Activation(version=version, effective_from=effective_from))


def _messed_up(lines: list[bytes]) -> list[bytes]:
    """Spoil about one row in twelve, each in one of nine ways; send some bursts far too late, some twice.

    A run that is resumed within a burst knows that its rows are late only if it remembers how far time was.
    """
    rng = np.random.default_rng(5)
    messed = []
    for row, line in enumerate(lines):
        if row % 2 and row % 600 < 200:
            messed.append(lines[row - 1])
        elif row % 600 >= 400 and rng.random() < 0.9:
            messed.append(_spoilt(line, LATE))
        else:
            messed.append(_spoilt(line, int(rng.integers(9))) if rng.random() < 1 / 12 else line)
    return messed


def _spoilt(line: bytes, way: int) -> bytes:
    row = orjson.loads(line)
    features = row["features"]
    match way:
        case 0:
            return line[: len(line) // 2]
        case 1:
            return b"not json \xff"
        case 2:
            row["ts"] = "yesterday"
        case 3:
            features["income"] = "much"
        case 4:
            late = datetime.fromisoformat(row["ts"]) - timedelta(hours=15)
            row["ts"] = late.isoformat()
        case 5:
            features["income"] = None
            del features["country"]
        case 6:
            # Zero of either sign is one number; which one an extreme shows must not depend on the order.
            features["discount"] = -0.0
        case 7:
            row["score"] = 1.5
        case _:
            return line.replace(b'"distance_km":', b'"distance_km":NaN,"unwatched":')
    return orjson.dumps(row)
