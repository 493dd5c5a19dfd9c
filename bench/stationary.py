"""False alarms on streams in which nothing drifts: generated ones, and a CSV file of your own."""

import argparse
import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.measure import say, show
from detectors.base import Kind
from flows.config import parse_config
from flows.inline import run_inline
from flows.input import InputSet, config_input, file_input, partition_opener
from flows.plan import Plan, make_plan
from flows.reference_build import build_reference
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario
from state.columns import Column
from state.events import EventType
from state.generations import Generations
from state.report import Output
from state.stores.base import StoredEvent

SEED = 6
FEATURES = 20
WINDOW_ROWS = 500
RATE = 0.05
TARGET_RATIO = 1.2


@dataclass(slots=True)
class Tally:
    """Windows in which something was said, in all and by feature."""

    windows: int = 0
    opened: set[int] = field(default_factory=set)
    suspect: int = 0
    suspect_by_feature: Counter[str] = field(default_factory=Counter)
    opened_by_feature: Counter[str] = field(default_factory=Counter)
    unlikely_by_feature: Counter[str] = field(default_factory=Counter)

    def take(self, items: list[Output]) -> None:
        """Count what one or more windows gave."""
        for item in items:
            if not isinstance(item, StoredEvent):
                continue
            if item.type == EventType.OPENED:
                self.opened.add(item.end)
                self.opened_by_feature[item.feature or ""] += 1
            elif item.type == EventType.REPORT:
                self._report(orjson.loads(item.body)["data"]["features"])

    def _report(self, features: list[dict[str, object]]) -> None:
        self.windows += 1
        hits = [str(f["feature"]) for f in features if _at_most(f["q_value"])]
        self.suspect += bool(hits)
        self.suspect_by_feature.update(hits)
        self.unlikely_by_feature.update(str(f["feature"]) for f in features if _at_most(f["p_value"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Count alarms; print a table per stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 windows instead of 2,000")
    parser.add_argument("--seed", type=int, default=SEED, help="of the generated stream")
    parser.add_argument("--data", type=Path, help="a CSV file to run as well; its first quarter is reference")
    given = parser.parse_args(arguments)
    windows = 200 if given.quick else 2_000
    _show(f"{windows:,} windows x {FEATURES} generated features", _generated(windows, given.seed))
    if given.data is not None:
        with TemporaryDirectory() as name:
            _show(str(given.data), _from_csv(given.data, Path(name)))


def _generated(windows: int, seed: int) -> Tally:
    with TemporaryDirectory() as name:
        folder = Path(name)
        made = scenario("stationary", ScenarioOptions(features=FEATURES))
        options = ScenarioOptions(rows=windows * WINDOW_ROWS, seed=seed, reference_rows=50_000)
        files = write_dataset(made, options, folder)
        return _tally(folder, made.columns, files.events[0], files.reference)


def _from_csv(data: Path, folder: Path) -> Tally:
    """Split a file by its rows: the first quarter is the reference, the rest the stream."""
    text = (gzip.decompress if data.suffix == ".gz" else bytes)(data.read_bytes()).decode()
    header, *rows = csv.reader(text.splitlines())
    cut = len(rows) // 4
    reference, events = folder / "reference.csv", folder / "events.csv"
    for path, part in ((reference, rows[:cut]), (events, rows[cut:])):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *part])
    names = [name for name in header if name.startswith("attrib")] or header
    columns = tuple(Column(name=n, path=n, kind=Kind.NUMERIC) for n in names)
    return _tally(folder, columns, events, reference)


def _tally(folder: Path, columns: tuple[Column, ...], events: Path, reference: Path) -> Tally:
    text = (
        f"model: {{name: stationary}}\ninput: {{path: {events.name}}}\ntime: {{rows: true}}\n"
        f"windows: {{only: {{size: {WINDOW_ROWS} rows}}}}\n"
        f"detection: {{false_discovery_rate: {RATE}}}\ncolumns:\n"
        + "".join(f"  {c.name}: {{kind: {c.kind}, path: {c.path}}}\n" for c in columns)
    )
    tally = Tally()
    run_inline(_plan(text, folder, reference), tally.take)
    return tally


def _plan(text: str, folder: Path, reference: Path) -> Plan:
    config = parse_config(text, folder=folder)
    source: InputSet = file_input(reference, columns=config.columns, time=None)
    built = build_reference(source, config.columns, model="stationary", now_ms=0).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(built.version))
    return make_plan(config, Generations((built,)), tuple(found.readers), opener)


def _at_most(value: object) -> bool:
    return isinstance(value, float) and value <= RATE


def _show(title: str, tally: Tally) -> None:
    show(
        title,
        ("feature", f"p <= {RATE}", f"q <= {RATE}", "episode opens"),
        list(_rows(tally)),
    )
    opened = len(tally.opened) / tally.windows
    say(f"An episode opens in {opened:.4f} of the windows (wanted: {TARGET_RATIO * RATE:.3f} or less).")


def _rows(tally: Tally) -> Iterator[tuple[str, str, str, str]]:
    windows = tally.windows
    yield "any", "", f"{tally.suspect / windows:.4f}", f"{len(tally.opened) / windows:.4f}"
    for name in sorted(tally.unlikely_by_feature):
        yield (
            name,
            f"{tally.unlikely_by_feature[name] / windows:.4f}",
            f"{tally.suspect_by_feature[name] / windows:.4f}",
            f"{tally.opened_by_feature[name] / windows:.4f}",
        )


if __name__ == "__main__":
    main()
