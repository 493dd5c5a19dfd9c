"""What looking at whole records costs: the same rows with records off, named by their bytes, and by an id."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Case, interleaved, pin, show
from flows.config import parse_config
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import Plan, make_plan
from flows.record_spec import record_spec
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, write_dataset
from flows.scenarios.registry import scenario
from state.generations import Generations
from state.quality import QualityCheck

SEED = 3
STEP_MS = 10
OFF = "records off"
RECORDS_ONLY = f"quality: {{without: [{', '.join(QualityCheck)}]}}\n"
CHOICES = {
    OFF: "quality: {enabled: false}\n",
    "named by their bytes": RECORDS_ONLY,
    "named by an id": "  row: {kind: categorical, role: id, path: ts}\n" + RECORDS_ONLY,
    "checks of columns too": "quality: {enabled: true}\n",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Time reading and decoding, then the whole plain loop, for each choice by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and repeats")
    given = parser.parse_args(arguments)
    rows, repeats = (20_000, 3) if given.quick else (100_000, 7)
    pin()
    with TemporaryDirectory() as name:
        files = _dataset(Path(name), rows, reference_rows=10_000 if given.quick else 50_000)
        plans = {label: _plan(Path(name), files, choice) for label, choice in CHOICES.items()}
        stages: dict[str, dict[str, Case]] = {
            "read, decode, look": {label: partial(_read, plan) for label, plan in plans.items()},
            "plain loop": {label: partial(run_inline, plan, lambda _: None) for label, plan in plans.items()},
        }
        for stage, cases in stages.items():
            timings = interleaved(cases, repeats=repeats)
            base = timings[OFF].cpu_s
            lines = [
                (label, f"{timing.cpu_s / rows * 1e6:.2f}", f"{timing.cpu_s / base:.2f}")
                for label, timing in timings.items()
            ]
            show(stage, ("choice", "CPU us/row", "x off"), lines)


def _dataset(folder: Path, rows: int, *, reference_rows: int) -> DatasetFiles:
    options = ScenarioOptions(
        rows=rows, seed=SEED, step_ms=STEP_MS, disorder_ms=50, reference_rows=reference_rows
    )
    return write_dataset(scenario("wide"), options, folder)


def _plan(folder: Path, files: DatasetFiles, choice: str) -> Plan:
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in scenario("wide").columns
    )
    config = parse_config(
        "model: {name: wide}\ninput: {path: events.jsonl}\ntime: {column: ts, lateness: 1s}\n"
        f"windows: {{tumbling: {{size: 100s}}}}\ncolumns:\n{columns}\n{choice}",
        folder=folder,
    )
    source = file_input(files.reference, columns=config.fields, time=config.time)
    reference = build_reference(
        source, config.tracks, model="wide", now_ms=0, records=record_spec(config)
    ).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    return make_plan(config, Generations((reference,)), found.partitions, opener)


def _read(plan: Plan) -> None:
    for name in plan.partitions:
        partition = plan.open_partition(name, None)
        while partition.poll() is not None:
            pass
        partition.close()


if __name__ == "__main__":
    main()
