"""A stream in which each kind of trouble has its window, from files to events."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pytest

from flows.config import Config, parse_config
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import make_plan
from flows.record_spec import record_spec
from flows.reference_build import build_reference
from state.generations import Generations
from state.report import Output
from state.stores.base import StoredEvent

HOUR = 3_600_000
START = 1_767_571_200_000
"""2026-01-05T00:00Z, a Monday."""

SPAN = 6
"""Hours of a window."""

PER_HOUR = 120

CONFIG = """
model: {name: shop}
input: {path: events.jsonl}
time: {column: ts, format: ms, lateness: 10m}
windows: {six: {size: 6h}}
columns:
  id: {kind: categorical, role: id}
  amount: {kind: numeric}
  latency: {kind: numeric, role: latency}
  status: {kind: categorical, role: status}
quality: {enabled: %s}
"""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the records of one window, and which checks are to say so."""

    window: int
    kind: str
    checks: frozenset[str]


FAULTS = (
    Fault(3, "twice", frozenset({"duplicate_share"})),
    Fault(6, "few", frozenset({"low_volume"})),
    Fault(9, "many", frozenset({"volume_burst"})),
    Fault(12, "text", frozenset({"type_changes"})),
    Fault(15, "cut", frozenset({"refused_truncated"})),
    Fault(18, "new field", frozenset({"unknown_fields"})),
    Fault(21, "lost field", frozenset({"absent_fields", "missing_share"})),
    Fault(24, "slow", frozenset({"latency_p50", "latency_p95", "latency_p99", "out_of_range_share"})),
    Fault(27, "failing", frozenset({"error_rate"})),
    Fault(30, "nothing", frozenset({"low_volume"})),
)
WINDOWS = 34


def records(seed: int, windows: int, faults: Sequence[Fault] = ()) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    wrong = {fault.window: fault.kind for fault in faults}
    for window in range(windows):
        kind = wrong.get(window, "")
        count = {"few": 60, "many": 5 * SPAN * PER_HOUR, "nothing": 0}.get(kind, SPAN * PER_HOUR)
        times = np.sort(rng.integers(0, SPAN * HOUR, int(rng.poisson(count)))).tolist()
        for number, within in enumerate(times):
            record = {
                "id": f"{seed}-{window}-{number - number % 2 if kind == 'twice' else number}",
                "ts": START + window * SPAN * HOUR + within,
                "amount": round(float(rng.normal(50, 10)), 2),
                "latency": round(float(rng.lognormal(4, 0.4)) * (3 if kind == "slow" else 1), 1),
                "status": "500" if rng.random() < (0.3 if kind == "failing" else 0.01) else "200",
                "unread": number,
            }
            yield spoilt(record, kind, number)


def spoilt(record: dict[str, object], kind: str, number: int) -> bytes:
    if kind == "text" and number % 10 == 0:
        record["amount"] = "much"
    elif kind == "new field":
        record["campaign"] = "spring"
    elif kind == "lost field":
        del record["amount"]
    line = orjson.dumps(record)
    return line[:-30] if kind == "cut" and number % 10 == 0 else line


def outputs(folder: Path, *, quality: bool, faults: Sequence[Fault]) -> list[Output]:
    config: Config = parse_config(CONFIG % str(quality).lower(), folder=folder)
    for name, lines in (
        ("reference.jsonl", records(1, 40)),
        ("events.jsonl", records(2, WINDOWS, faults)),
    ):
        (folder / name).write_bytes(b"\n".join(lines) + b"\n")
    source = file_input(folder / "reference.jsonl", columns=config.fields, time=config.time)
    reference = build_reference(
        source, config.tracks, model="shop", now_ms=0, records=record_spec(config)
    ).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    outputs: list[Output] = []
    run_inline(make_plan(config, Generations((reference,)), tuple(found.readers), opener), outputs.extend)
    return outputs


def violated(found: Sequence[Output]) -> dict[int, set[str]]:
    """The checks that were told, by the window of six hours that told them."""
    told: dict[int, set[str]] = {}
    for event in found:
        if isinstance(event, StoredEvent) and event.type.endswith(".violated"):
            window = (event.end - START) // (SPAN * HOUR) - 1
            told.setdefault(window, set()).add(json.loads(event.body)["data"]["check"]["name"])
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Output]:
    return outputs(tmp_path_factory.mktemp("faults"), quality=True, faults=FAULTS)


def test_each_fault_is_told_in_its_window_and_nothing_else_is(told: list[Output]) -> None:
    assert violated(told) == {fault.window: set(fault.checks) for fault in FAULTS}


def test_every_violation_ends_with_the_window_behind_it(told: list[Output]) -> None:
    ends = [
        event.type.rsplit(".", 1)[-1]
        for event in told
        if isinstance(event, StoredEvent) and event.type.endswith((".violated", ".resolved"))
    ]
    assert ends.count("violated") == ends.count("resolved") == sum(len(fault.checks) for fault in FAULTS)


def test_events_of_records_have_no_column_and_say_what_was_found(told: list[Output]) -> None:
    bodies = [json.loads(event.body)["data"] for event in told if isinstance(event, StoredEvent)]
    checks = {
        data["check"]["name"]: data for data in bodies if "check" in data and data["change"] == "opened"
    }
    assert checks["type_changes"]["feature"] == ""
    assert checks["type_changes"]["check"]["detail"] == "amount"
    assert checks["unknown_fields"]["check"]["detail"] == "campaign"
    assert checks["unknown_fields"]["check"]["value"] == 1.0
    assert checks["latency_p95"]["feature"] == "latency"
    assert checks["latency_p95"]["kind"] == checks["error_rate"]["kind"] == "operations"
    assert checks["duplicate_share"]["check"]["value"] == pytest.approx(0.5, abs=0.01)
    assert checks["low_volume"]["check"]["source"].startswith("reference: windows of 6h")


def test_with_quality_off_records_are_not_looked_at_but_for_errors(tmp_path: Path) -> None:
    found = outputs(tmp_path, quality=False, faults=FAULTS)
    assert violated(found) == {
        24: {"latency_p50", "latency_p95", "latency_p99"},
        27: {"error_rate"},
    }
