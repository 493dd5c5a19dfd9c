"""What measuring performance costs where events bring their labels: the same rows with it and without."""

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
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, write_dataset
from flows.scenarios.registry import scenario
from state.generations import Generations

SEED = 5
WINDOW = "6h"
SECTIONS = {
    "off": "",
    "metrics": "performance: {positive: 'yes', errors: false}\n",
    "metrics and errors": "performance: {positive: 'yes'}\n",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    pin()
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = write_dataset(scenario("churn"), ScenarioOptions(rows=given.rows, seed=SEED), folder)
        plans = {what: _plan(files, folder, section) for what, section in SECTIONS.items()}
        cases: dict[str, Case] = {
            what: partial(run_inline, plan, lambda _: None) for what, plan in plans.items()
        }
        timings = interleaved(cases, repeats=given.repeats)
    off = timings["off"].cpu_s
    table = [
        (
            what,
            f"{1e6 * each.cpu_s / given.rows:.2f}",
            f"{1e6 * (each.cpu_s - off) / given.rows:+.2f}",
            f"{each.cpu_s / off:.3f}",
            f"{given.rows / each.cpu_s:,.0f}",
        )
        for what, each in timings.items()
    ]
    columns = len(plans["off"].context.features)
    title = f"churn, {given.rows:,} rows, {columns} columns, a score, windows of {WINDOW}, one process"
    show(title, ("performance", "µs per row", "more", "of off", "rows/s"), table)


def _plan(files: DatasetFiles, folder: Path, section: str) -> Plan:
    churn = scenario("churn")
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in churn.columns
    )
    config = parse_config(
        f"model: {{name: {churn.name}}}\ninput: {{path: {files.events[0]}}}\ntime: {{column: ts}}\n"
        f"windows: {{six: {{size: {WINDOW}}}}}\ncolumns:\n{columns}\n{section}",
        folder=folder,
    )
    source = file_input(files.reference, columns=config.fields, time=config.time, derived=config.derivations)
    built = build_reference(
        source,
        config.tracks,
        model=churn.name,
        now_ms=0,
        outcomes=None if config.performance is None else config.performance.spec,
    ).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(built.version))
    return make_plan(config, Generations((built,)), found.partitions, opener)


if __name__ == "__main__":
    main()
