"""Labels up to a day late, one in twenty never: join rate, memory, and a join of all at once beside it.

Each run is a process of its own. One of them is killed in the middle and goes on; one joins nothing.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import orjson

from bench.join_data import HORIZON, Counts, Made, errors, expected, write_input
from bench.measure import say, show
from flows.config import load_config
from flows.engine import Recovery, run
from flows.graph import Outputs
from flows.hooks import Hooks
from flows.input import config_input, file_input, file_labels, partition_opener
from flows.plan import Plan, make_plan
from flows.reference_build import build_reference
from state.generations import Generations
from state.joined import Count, Joined
from state.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[1]
ROWS = 1_000_000
KILL_AT = 0.5
"""Share of what the whole run told, after which it is killed."""

CONFIG = """
model: {{name: prices}}
input: {{path: events}}
time: {{column: ts, format: ms}}
windows: {{hourly: {{size: 1h}}}}
columns:
  guess: {{kind: numeric, role: prediction}}
  request: {{kind: categorical, role: id}}
{labels}
"""

LABELS = f"labels: {{path: labels, label: truth, time: {{column: known, format: ms}}, horizon: {HORIZON}h}}"
MEASURED = "... and performance measured"
KINDS = {
    "predictions alone": "",
    "with labels joined": LABELS,
    MEASURED: f"{LABELS}\nperformance: {{task: regression, metrics: [mae]}}",
}


_Line = tuple[str, list[tuple[int, int, list[int]]], int, int]
"""What a shard told: its name, counts by known pane and pane, predictions that wait, bytes held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run in a process of its own."""

    cpu_s: float
    peak: int
    told: Counts
    most_waiting: int
    most_bytes: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the input, run it four times, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the rows")
    parser.add_argument("--rows", type=int, default=None, help="predictions")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--recovery", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        _run_once(given.child, recovery=given.recovery)
        return
    rows = given.rows or (ROWS // 50 if given.quick else ROWS)
    with TemporaryDirectory() as name:
        folder = Path(name)
        made = write_input(folder, rows)
        wanted = expected(made)
        configs = write_configs(folder)
        runs = {kind: measured(config) for kind, config in configs.items()}
        config = configs[MEASURED]
        found = reported(config)
        kept = runs["... and a snapshot every second"] = measured(config, recovery=True)
        log = performance_log(config)
        killed, before = killed_in_the_middle(config, len(wanted))
        same_log = performance_log(config) == log
    _show(made, runs)
    on = runs["with labels joined"]
    sums = np.sum(list(on.told.values()), axis=0)
    over = sums[[Count.LABELLED, Count.UNLABELLED, Count.FORGOTTEN]]
    say(
        f"Join rate: {over[0] / over.sum():.6f} of {over.sum():,} predictions; "
        f"orphans {sums[Count.ORPHANS]:,}, repeated {sums[Count.REPEATED_LABELS]:,}."
    )
    say(
        f"Equal to numpy's join of everything at once: {on.told == wanted}; "
        f"with snapshots: {kept.told == wanted}."
    )
    say(_error_line(found, errors(made)))
    say(
        f"Killed (kill -9) when {before:.0%} was told, then gone on with: equal to it: {killed == wanted}; "
        f"the log of performance, {len(log):,} bytes, the same: {same_log}."
    )


def _error_line(found: dict[int, tuple[int, float]], wanted: dict[int, tuple[int, float]]) -> str:
    """Hold the final reports against all rows at once."""
    rows = {hour: n for hour, (n, _) in found.items()} == {hour: n for hour, (n, _) in wanted.items()}
    gap = max(abs(found[hour][1] - mean) for hour, (_, mean) in wanted.items() if hour in found)
    return (
        f"Final reports of {len(found)} windows: rows equal to all at once: {rows}; "
        f"mean absolute errors differ by {gap:.1e} at most."
    )


def reported(config: Path) -> dict[int, tuple[int, float]]:
    """Read what `errors_in` reads from what a run has written."""
    return errors_in(performance_log(config).splitlines())


def errors_in(lines: Sequence[bytes]) -> dict[int, tuple[int, float]]:
    """Read labelled rows and mean absolute error of each window's final report, by the window's start."""
    found = {}
    for line in lines:
        event = orjson.loads(line)
        data = event["data"]
        if event["type"].endswith("report") and data["final"]:
            start = datetime.fromisoformat(data["window"]["start"])
            (error,) = [metric for metric in data["metrics"] if metric["name"] == "mae"]
            found[round(start.timestamp() * 1000)] = (error["n"], error["value"])
    return found


def performance_log(config: Path) -> bytes:
    """Return the events of performance as bytes."""
    return (_out(config) / "performance.jsonl").read_bytes()


def write_configs(folder: Path) -> dict[str, Path]:
    """Write a configuration of each kind beside the input."""
    configs = {kind: folder / f"{place}.yaml" for place, kind in enumerate(KINDS)}
    for kind, config in configs.items():
        config.write_text(CONFIG.format(labels=KINDS[kind]))
    return configs


def _show(made: Made, runs: dict[str, Measured]) -> None:
    rows, labels = len(made.made_ms), len(made.known_ms)
    show(
        f"{rows:,} predictions, {labels:,} labels up to a day late, on Bytewax in one process",
        ("run", "CPU s", "µs a record", "peak MiB", "most that waited", "their MiB"),
        [
            (
                name,
                f"{each.cpu_s:.2f}",
                f"{each.cpu_s / (rows + labels * bool(each.told)) * 1e6:.2f}",
                f"{each.peak / 2**20:.0f}",
                f"{each.most_waiting:,}",
                f"{each.most_bytes / 2**20:.1f}",
            )
            for name, each in runs.items()
        ],
    )


def measured(config: Path, *, recovery: bool = False) -> Measured:
    """Run a configuration to its end."""
    _clear(config)
    child = _start(config, recovery=recovery)
    out, _ = child.communicate()
    assert child.returncode == 0
    cpu_s, peak = orjson.loads(out.splitlines()[-1])
    waiting, held = _most_held(config)
    return Measured(cpu_s=cpu_s, peak=peak, told=_told(config), most_waiting=waiting, most_bytes=held)


def killed_in_the_middle(config: Path, whole: int) -> tuple[Counts, float]:
    """Kill a run when it has told half of all, go on with it; return what it told, and how far it was."""
    _clear(config)
    child = _start(config, recovery=True)
    while child.poll() is None and len(_told(config)) < KILL_AT * whole:
        time.sleep(0.2)
    child.kill()
    child.communicate()
    before = len(_told(config)) / whole
    child = _start(config, recovery=True)
    child.communicate()
    assert child.returncode == 0
    return _told(config), before


def _start(config: Path, *, recovery: bool) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "bench.join", "--child", str(config)]
    return subprocess.Popen(  # noqa: S603  # our own interpreter and file
        [*words, *(["--recovery"] if recovery else [])], cwd=ROOT, stdout=subprocess.PIPE
    )


def _out(config: Path) -> Path:
    return config.with_suffix(".out")


def _clear(config: Path) -> None:
    subprocess.run(["rm", "-rf", str(_out(config))], check=True)  # noqa: S603, S607  # a folder of ours


def _told(config: Path) -> Counts:
    """Read what the shards told; what a crash made one tell again must be the same."""
    shards: dict[tuple[str, int, int], list[int]] = {}
    for shard, counts, *_ in _lines(config):
        for known, pane, numbers in counts:
            assert shards.setdefault((shard, known, pane), numbers) == numbers
    found: Counts = defaultdict(lambda: [0] * len(Count))
    for (_, known, pane), numbers in shards.items():
        found[known, pane] = [a + b for a, b in zip(found[known, pane], numbers, strict=True)]
    return dict(found)


def _most_held(config: Path) -> tuple[int, int]:
    """Return the most predictions that waited at once, and the most bytes that were held."""
    held: dict[str, tuple[int, int]] = {}
    most, most_bytes = 0, 0
    for shard, _, waiting, memory in _lines(config):
        held[shard] = waiting, memory
        most = max(most, sum(waiting for waiting, _ in held.values()))
        most_bytes = max(most_bytes, sum(memory for _, memory in held.values()))
    return most, most_bytes


def _lines(config: Path) -> list[_Line]:
    path = _out(config) / "joined.jsonl"
    # A killed run may leave half a line.
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [msgspec.json.decode(line, type=_Line) for line in lines]


def plan_of(path: Path) -> Plan:
    """Make the plan of a configuration, with a reference of the file beside it."""
    config = load_config(path)
    source = file_input(path.parent / "reference.jsonl", columns=config.columns, time=config.time)
    reference = build_reference(source, config.columns, model="prices", now_ms=0).reference
    found = config_input(config).with_labels(file_labels(config))
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    return make_plan(config, Generations((reference,)), found.partitions, opener)


def _run_once(path: Path, *, recovery: bool) -> None:
    plan, out = plan_of(path), _out(path)
    out.mkdir(exist_ok=True)
    joined = (out / "joined.jsonl").open("ab", buffering=0)

    def told(shard: str, each: Joined) -> None:
        joined.write(orjson.dumps([shard, each.counts, each.waiting, each.memory]) + b"\n")

    before = _cpu_s()
    run(
        plan,
        Outputs(
            events=out / "events.jsonl",
            dead_letters=out / "dead_letters.jsonl",
            performance=out / "performance.jsonl",
            late_rows=None,
            open_store=lambda: SqliteStore(out / "store.sqlite"),
        ),
        recovery=Recovery(folder=out / "recovery", interval_s=1.0) if recovery else None,
        hooks=Hooks(on_joined=told),
    )
    print(orjson.dumps([_cpu_s() - before, _peak_of_this_process()]).decode())


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_of_this_process() -> int:
    """Return the high-water mark; getrusage would count what the parent held when it forked."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
