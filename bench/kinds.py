"""Every kind of trouble in a scenario that has it: seen after how many windows, and what was told before.

Each stream is generated with its truth, its reference built and its events written, all by the command line.
For a kind, `seen after` counts the windows that end after the trouble began, up to the one that told it;
`false before` counts openings in windows that ended before: of this kind all, of others those in windows in
which nothing was wrong.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import yaml

from bench.kinds_events import Opening, Span, Troubles, Watched, moment, openings, windows_after
from bench.kinds_table import KINDS, SLOT_ROWS, STREAMS, Kind, Stream
from bench.measure import show
from flows.injection.truth import read_injection
from flows.scenarios.base import Scenario, ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import SpanTruth, TruthFile, read_truth


def main(arguments: Sequence[str] | None = None) -> None:
    """Watch the streams and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the stream with injected faults alone")
    parser.add_argument("--stream", choices=sorted(STREAMS), help="this stream alone")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    chosen = "stationary" if given.quick else given.stream
    rows: list[tuple[str, ...]] = []
    for name in [chosen] if chosen else STREAMS:
        with TemporaryDirectory() as folder:
            watched = watch(STREAMS[name], Path(folder), seed=given.seed)
        rows += [line(kind, watched) for kind in KINDS if kind.stream == name]
    header = ("kind", "scenario", "window", "told by", "seen after", "false before")
    show("Kinds of trouble", header, rows)


def line(kind: Kind, watched: Watched) -> tuple[str, ...]:
    """Return the row of a kind."""
    head = (kind.name, kind.stream, f"{STREAMS[kind.stream].hours} h")
    spans = watched.troubles.get(kind.truth, ())
    if not spans:
        return (*head, kind.type, "no such trouble", "")
    began = spans[0][0]
    before = [opening for opening in watched.openings if opening.window[1] <= began]
    false = sum(watched.is_false(opening) or _too_early(opening, kind, watched) for opening in before)
    after = (opening for opening in watched.openings if opening.window[1] > began and kind.told_by(opening))
    seen = next(after, None)
    if seen is None:
        return (*head, kind.type, "not", str(false))
    return (*head, f"{kind.type} {seen.check}".strip(), str(windows_after(seen, began)), str(false))


def _too_early(opening: Opening, kind: Kind, watched: Watched) -> bool:
    known = kind.also is not None and watched.is_during(opening, kind.also)
    return kind.told_by(opening) and not known


def watch(stream: Stream, folder: Path, *, seed: int) -> Watched:
    """Generate a stream, watch it, and return what is true and what was told."""
    plain = scenario(stream.scenario, ScenarioOptions(features=stream.features))
    options = ScenarioOptions(
        rows=stream.rows,
        seed=seed,
        step_ms=plain.step_ms,
        disorder_ms=0,
        features=stream.features,
        reference_rows=stream.reference_rows,
    )
    files = write_dataset(plain, options, folder)
    troubles, events = _troubles(read_truth(files.truth)), files.events[0]
    if stream.faults:
        events, injected = _inject(events, folder / "faulty", stream.faults, seed)
        troubles |= injected
    config = folder / "driftflow.yaml"
    sections = stream.sections(files)
    config.write_text(yaml.safe_dump(_configuration(plain, events, stream.hours) | sections))
    _call("reference", "build", config, files.reference)
    _call("run", config)
    logs = (folder / "out" / name for name in ("events.jsonl", "performance.jsonl", "errors.jsonl"))
    lines = [line for log in logs if log.exists() for line in log.read_bytes().splitlines()]
    return Watched(troubles=troubles, openings=openings(lines))


def _troubles(truth: TruthFile) -> Troubles:
    drifts: Troubles = {(told.feature, ""): _spans(told.spans) for told in truth.features}
    return drifts | {(fault.check, fault.feature): _spans(fault.spans) for fault in truth.faults}


def _spans(spans: Sequence[SpanTruth]) -> tuple[Span, ...]:
    return tuple((moment(span.start), moment(span.end)) for span in spans)


class _Timed(msgspec.Struct):
    ts: str


def _inject(events: Path, folder: Path, faults: Sequence[str], seed: int) -> tuple[Path, Troubles]:
    """Put faults into a copy, each in a slot of its own; return the copy and their spans."""
    asked: list[object] = []
    for number, fault in enumerate(faults):
        start = (1 + 2 * number) * SLOT_ROWS
        asked += ["--inject", f"{fault} from={start} to={start + SLOT_ROWS}"]
    _call("generate", events, "--out", folder, "--seed", seed, *asked)
    lines = events.read_bytes().splitlines()
    times = [moment(msgspec.json.decode(line, type=_Timed).ts) for line in lines]
    spans: Troubles = {}
    truth = read_injection(folder / "injected.json")
    for fault, told in zip(faults, truth.faults, strict=True):
        low, high = told.input_rows
        spans[fault, ""] = ((times[low], times[high - 1]),)
    return folder / events.name, spans


def _configuration(source: Scenario, events: Path, hours: int) -> dict[str, object]:
    columns: dict[str, dict[str, str]] = {"id": {"kind": "categorical", "role": "id", "path": "id"}}
    for column in source.columns:
        columns[column.name] = {"kind": str(column.kind), "role": str(column.role), "path": column.path}
        if column.class_name is not None:
            columns[column.name]["class"] = column.class_name
    return {
        "model": {"name": source.name},
        "input": {"path": str(events)},
        "time": {"column": "ts"},
        "windows": {"window": {"size": f"{hours}h"}},
        "columns": columns,
    }


def _call(*arguments: object) -> None:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # this very program
    if done.returncode:
        raise SystemExit(f"driftflow {arguments[0]} failed: {done.stderr}")


if __name__ == "__main__":
    main()
