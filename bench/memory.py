"""Peak memory of a run: ten times the rows, and windows from an hour to thirty days."""

import argparse
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import say, show
from flows.config import load_config
from flows.engine import run
from flows.graph import Outputs
from flows.input import config_input, file_input, partition_opener
from flows.plan import make_plan
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario
from state.generations import Generations
from state.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[1]
SEED = 4
REFERENCE_ROWS = 10_000
WINDOWS = {
    "1 h": "{only: {size: 1h}}",
    "1 d by 1 h": "{only: {size: 1d, slide: 1h}}",
    "30 d": "{only: {size: 30d}}",
}
TARGET_RATIO = 1.1
MIB = 1 << 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each window length at two sizes of input; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        _run_once(given.child)
        return
    few = 20_000 if given.quick else 200_000
    with TemporaryDirectory() as name:
        folders = {rows: write_input(Path(name) / str(rows), rows) for rows in (few, 10 * few)}
        peaks = {
            (window, rows): peak_bytes(folder, windows)
            for rows, folder in folders.items()
            for window, windows in WINDOWS.items()
        }
    show(
        "Peak resident memory of a run on Bytewax, MiB",
        ("windows", f"{few:,} rows", f"{10 * few:,} rows", "ratio"),
        [
            (
                window,
                f"{peaks[window, few] / MIB:.1f}",
                f"{peaks[window, 10 * few] / MIB:.1f}",
                f"{peaks[window, 10 * few] / peaks[window, few]:.3f}",
            )
            for window in WINDOWS
        ],
    )
    say(f"Wanted: each ratio {TARGET_RATIO} or less, and a column alike from top to bottom.")


def write_input(folder: Path, rows: int) -> Path:
    """Write the demo's stream and its reference, one row per half minute."""
    options = ScenarioOptions(rows=rows, seed=SEED, disorder_ms=90_000, reference_rows=REFERENCE_ROWS)
    write_dataset(scenario("demo"), options, folder)
    return folder


def peak_bytes(folder: Path, windows: str) -> int:
    """Run an input in a process of its own; return the most memory that it held."""
    demo = scenario("demo")
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in demo.columns
    )
    config = folder / "driftflow.yaml"
    config.write_text(
        f"model: {{name: demo}}\ninput: {{path: events.jsonl}}\ntime: {{column: ts, lateness: 2m}}\n"
        f"windows: {windows}\ncolumns:\n{columns}\n"
    )
    # The child is this module; it prints one number.
    found = subprocess.run(  # noqa: S603  # our own interpreter and file
        [sys.executable, "-m", "bench.memory", "--child", str(config)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(found.stdout.split()[-1])


def _run_once(path: Path) -> None:
    config = load_config(path)
    source = file_input(config.folder / "reference.jsonl", columns=config.columns, time=config.time)
    reference = build_reference(source, config.columns, model="demo", now_ms=0).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    out = config.folder / "out"
    out.mkdir(exist_ok=True)
    run(
        make_plan(config, Generations((reference,)), tuple(found.readers), opener),
        Outputs(
            events=out / "events.jsonl",
            dead_letters=out / "dead_letters.jsonl",
            late_rows=None,
            open_store=lambda: SqliteStore(out / "store.sqlite"),
        ),
        overwrite=True,
    )
    print(_peak_of_this_process())


def _peak_of_this_process() -> int:
    """Return the high-water mark; getrusage would count what the parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
