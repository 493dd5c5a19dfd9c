"""Where the microseconds of a row go, from JSON bytes to scored windows, against bare orjson.loads."""

import argparse
import shutil
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.measure import Case, Timing, interleaved, pin, say, show
from flows.batch import Batch
from flows.config import parse_config
from flows.engine import Recovery, run
from flows.graph import Outputs
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import Plan, make_plan
from flows.reference_build import build_reference
from flows.scenarios.base import Scenario, ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario
from flows.sinks.jsonl import JsonlFile
from flows.sources.base import RawBatch
from state.generations import Generations
from state.panes import PanesClosed, Partial
from state.report import Output
from state.scoring import BlockCounts, Found
from state.stores.base import Point, StoredEvent
from state.stores.sqlite import SqliteStore
from state.windows import Told

SEED = 3
STEP_MS = 10
"""A hundred rows a second, so that a window of 100 s has 10,000."""

TARGET_SHARE = 0.3
TARGET_OVERHEAD = 1.2
TARGET_JUDGING = 0.05

JUDGING = "judge, report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The input of every stage, made once."""

    plan: Plan
    lines: list[bytes]
    raw: list[RawBatch]
    batches: list[Batch]
    partials: list[list[tuple[str, Partial]]]
    closed: list[tuple[str, list[Told]]]
    scored: list[tuple[str, list[Found | BlockCounts]]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Time every stage and the whole; print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and repeats")
    parser.add_argument("--rows", type=int, help="rows of the stream")
    given = parser.parse_args(arguments)
    rows = given.rows or (20_000 if given.quick else 100_000)
    pin()
    with TemporaryDirectory() as name:
        folder = Path(name)
        plan = wide_plan(folder, rows, reference_rows=10_000 if given.quick else 50_000)
        prepared = prepare(plan)
        stages = interleaved(_stages(prepared), repeats=3 if given.quick else 7)
        wholes = interleaved(_wholes(prepared, folder), repeats=3 if given.quick else 7)
    size = sum(map(len, prepared.lines)) / rows
    columns = len(plan.context.features)
    _show(f"Stages: {rows:,} rows of {size:.0f} bytes, {columns} columns", stages, rows)
    _show("Whole runs, events and series written", wholes, rows)
    _judge(wholes)
    judging = stages[JUDGING].cpu_s / wholes["Bytewax"].cpu_s
    say(f"Judging takes {judging:.3f} of the run's time (wanted: {TARGET_JUDGING} or less).")


def prepare(plan: Plan) -> Prepared:
    """Run the stages one after the other over the whole stream, and keep what each of them gives."""
    config = plan.config
    (opener,) = config_input(config).readers.values()
    reader, _ = opener(None)
    raw: list[RawBatch] = []
    while (found := reader.read(config.file.input.batch_rows)) is not None:
        raw.append(found)
    reader.close()
    batches = _polled(plan)
    partials = [list(plan.summarize(batch)) for batch in batches]
    closed = _closed(plan, partials)
    return Prepared(
        plan=plan,
        lines=[record for part in raw for record in part.records],
        raw=raw,
        batches=batches,
        partials=partials,
        closed=closed,
        scored=[(name, [plan.compare(name, found) for found in told]) for name, told in closed],
    )


def wide_plan(folder: Path, rows: int, *, reference_rows: int) -> Plan:
    """Put a run over generated rows of many columns together."""
    wide = scenario("wide")
    options = ScenarioOptions(
        rows=rows, seed=SEED, step_ms=STEP_MS, disorder_ms=50, reference_rows=reference_rows
    )
    files = write_dataset(wide, options, folder)
    config = parse_config(_config_text(wide), folder=folder)
    source = file_input(files.reference, columns=config.columns, time=config.time)
    reference = build_reference(source, config.columns, model=wide.name, now_ms=0).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    return make_plan(config, Generations((reference,)), tuple(found.readers), opener)


def _config_text(wide: Scenario) -> str:
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in wide.columns
    )
    return (
        f"model: {{name: {wide.name}}}\ninput: {{path: events.jsonl}}\ntime: {{column: ts, lateness: 1s}}\n"
        f"windows: {{tumbling: {{size: 100s}}}}\ncolumns:\n{columns}\n"
    )


def _stages(prepared: Prepared) -> dict[str, Case]:
    plan = prepared.plan
    config = plan.config
    (opener,) = config_input(config).readers.values()

    def read() -> None:
        reader, _ = opener(None)
        while reader.read(config.file.input.batch_rows) is not None:
            pass
        reader.close()

    def decode() -> None:
        reader, decoder = opener(None)
        reader.close()
        for raw in prepared.raw:
            decoder.decode(raw.records)

    def combine() -> None:
        for batch in prepared.batches:
            deque(plan.summarize(batch), maxlen=0)

    return {
        "orjson.loads": _bare(prepared),
        "read lines": read,
        "decode to columns": decode,
        "poll (read, decode, place)": lambda: _polled(plan, keep=False),
        "summarize": combine,
        "panes and windows": lambda: _closed(plan, prepared.partials),
        **_scoring(prepared),
    }


def _scoring(prepared: Prepared) -> dict[str, Case]:
    plan = prepared.plan

    def compare() -> None:
        for name, closed in prepared.closed:
            for found in closed:
                plan.compare(name, found)

    def judge() -> None:
        judges = {name: plan.judge() for name in plan.context.features}
        report = plan.report()
        for name, scored in prepared.scored:
            report.add(judges[name].add(scored))

    return {"compare": compare, JUDGING: judge}


def _bare(prepared: Prepared) -> Case:
    return lambda: deque(map(orjson.loads, prepared.lines), maxlen=0)


def _wholes(prepared: Prepared, folder: Path) -> dict[str, Case]:
    plan = prepared.plan

    def fresh(name: str) -> Path:
        out = folder / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out

    def inline() -> None:
        _inline(plan, fresh("inline"))

    def bytewax() -> None:
        run(plan, _outputs(fresh("bytewax")))

    def recovering(interval_s: float) -> None:
        out = fresh("recovering")
        run(plan, _outputs(out), recovery=Recovery(folder=out / "recovery", interval_s=interval_s))

    return {
        "orjson.loads": _bare(prepared),
        "plain loop": inline,
        "Bytewax": bytewax,
        "Bytewax, snapshots every 2 s": lambda: recovering(2.0),
        "Bytewax, snapshots every 0.1 s": lambda: recovering(0.1),
    }


def _inline(plan: Plan, out: Path) -> None:
    log = JsonlFile(out / "events.jsonl", None)
    with closing(log), closing(SqliteStore(out / "store.sqlite")) as store:

        def emit(items: list[Output]) -> None:
            events = [item for item in items if isinstance(item, StoredEvent)]
            store.add_points(item for item in items if isinstance(item, Point))
            store.add_events(events)
            log.write([event.body for event in events])

        run_inline(plan, emit)


def _outputs(out: Path) -> Outputs:
    return Outputs(
        events=out / "events.jsonl",
        dead_letters=out / "dead_letters.jsonl",
        late_rows=None,
        open_store=lambda: SqliteStore(out / "store.sqlite"),
    )


def _polled(plan: Plan, *, keep: bool = True) -> list[Batch]:
    (name,) = plan.partitions
    with closing(plan.open_partition(name, None)) as partition:
        batches = []
        while (batch := partition.poll()) is not None:
            if keep:
                batches.append(batch)
        return batches


def _closed(plan: Plan, partials: list[list[tuple[str, Partial]]]) -> list[tuple[str, list[Told]]]:
    names = plan.context.features
    mergers, windows = {n: plan.panes() for n in names}, {n: plan.windows() for n in names}
    closed: list[tuple[str, list[Told]]] = []
    for batch in partials:
        for name, partial in batch:
            mergers[name].add(partial)
            panes: PanesClosed | None = mergers[name].close()
            if panes is not None:
                closed.append((name, windows[name].add(panes)))
    return closed


def _show(title: str, timings: dict[str, Timing], rows: int) -> None:
    base = timings["orjson.loads"].cpu_s
    show(
        title,
        ("", "CPU us/row", "wall us/row", "rows/s", "x orjson"),
        [
            (
                name,
                f"{timing.cpu_s / rows * 1e6:.2f}",
                f"{timing.wall_s / rows * 1e6:.2f}",
                f"{rows / timing.wall_s:,.0f}",
                f"{base / timing.cpu_s:.2f}",
            )
            for name, timing in timings.items()
        ],
    )


def _judge(wholes: dict[str, Timing]) -> None:
    share = wholes["orjson.loads"].cpu_s / wholes["Bytewax"].cpu_s
    overhead = wholes["Bytewax"].cpu_s / wholes["plain loop"].cpu_s
    say(f"Bytewax runs at {share:.2f} of the speed of orjson.loads (wanted: {TARGET_SHARE} or more)")
    say(f"and takes {overhead:.2f} times the plain loop's time (wanted: {TARGET_OVERHEAD} or less).")


if __name__ == "__main__":
    main()
