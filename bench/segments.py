"""What counting by segment costs: the same rows without segments, by one field, and by two."""

import argparse
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Case, Timing, interleaved, pin, say, show
from bench.throughput import Prepared, prepare
from flows.config import parse_config
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import Plan, make_plan
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, write_dataset
from flows.scenarios.registry import scenario
from state.generations import Generations

SEED = 3
STEP_MS = 10
SEGMENTS = {
    "none": "{}",
    "8 segments": "{columns: [c8], top: 6}",
    "28 segments of 2 fields": "{columns: [c8, c20], top: 16}",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Time summarize, compare and the whole plain loop for each choice of segments, by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and repeats")
    given = parser.parse_args(arguments)
    rows, repeats = (20_000, 3) if given.quick else (100_000, 7)
    pin()
    with TemporaryDirectory() as name:
        files = _dataset(Path(name), rows, reference_rows=10_000 if given.quick else 50_000)
        plans = {label: _plan(Path(name), files, segments) for label, segments in SEGMENTS.items()}
        prepared = {label: prepare(plan) for label, plan in plans.items()}
        for stage in ("summarize", "compare", "plain loop"):
            cases = {label: _case(stage, each) for label, each in prepared.items()}
            _show(stage, interleaved(cases, repeats=repeats), rows)
    for label, each in prepared.items():
        size = sum(len(data) for batch in each.partials for _, p in batch for _, _, data in p[3])
        say(f"{label}: {size / rows:.1f} bytes a row from summarize to panes")


def _dataset(folder: Path, rows: int, *, reference_rows: int) -> DatasetFiles:
    options = ScenarioOptions(
        rows=rows, seed=SEED, step_ms=STEP_MS, disorder_ms=50, reference_rows=reference_rows
    )
    return write_dataset(scenario("wide"), options, folder)


def _plan(folder: Path, files: DatasetFiles, segments: str) -> Plan:
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in scenario("wide").columns
    )
    config = parse_config(
        f"model: {{name: wide}}\ninput: {{path: events.jsonl}}\ntime: {{column: ts, lateness: 1s}}\n"
        f"windows: {{tumbling: {{size: 100s}}}}\nsegments: {segments}\ncolumns:\n{columns}\n",
        folder=folder,
    )
    source = file_input(files.reference, columns=config.fields, time=config.time)
    reference = build_reference(
        source, config.columns, model="wide", now_ms=0, segments=config.segments
    ).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    return make_plan(config, Generations((reference,)), tuple(found.readers), opener)


def _case(stage: str, prepared: Prepared) -> Case:
    plan = prepared.plan

    def combine() -> None:
        for batch in prepared.batches:
            deque(plan.summarize(batch), maxlen=0)

    def compare() -> None:
        for name, closed in prepared.closed:
            for found in closed:
                plan.compare(name, found)

    cases: dict[str, Case] = {"summarize": combine, "compare": compare}
    return cases.get(stage, partial(run_inline, plan, lambda _: None))


def _show(stage: str, timings: dict[str, Timing], rows: int) -> None:
    base = timings["none"].cpu_s
    show(
        stage,
        ("segments", "CPU us/row", "x none"),
        [
            (label, f"{timing.cpu_s / rows * 1e6:.2f}", f"{timing.cpu_s / base:.2f}")
            for label, timing in timings.items()
        ],
    )


if __name__ == "__main__":
    main()
