"""Drifts and violated checks on real streams whose drift is known, by default settings: what, and when."""

import argparse
import gzip
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import say, show
from flows.config import Config, load_config
from flows.detection import promise_of
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import make_plan
from flows.reference_build import build_reference
from state.generations import Generations
from state.report import Output
from state.stores.episodes import StoredEpisode

ROOT = Path(__file__).parents[1]

Opened = defaultdict[tuple[str, ...], list[int]]
"""Ends of windows, by what they opened."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    given = parser.parse_args(arguments)
    os.environ["DRIFTFLOW_DATA"] = str(given.data)
    examples = ROOT / "examples"
    car_loan = given.data / "car_loan" / "synthetic_car_loan_reference.csv.gz"
    _stream(
        "car_loan (inputs and score move at row 25,000)", examples / "car_loan" / "driftflow.yaml", car_loan
    )
    _stream(
        "elec2 (three features go live at row 17,424)",
        examples / "elec2" / "driftflow.yaml",
        None,
        rows=8_000,
    )
    with TemporaryDirectory() as name:
        config, reference = sea_stream(given.data, Path(name))
        _stream("sea_stream (one concept, no drift)", config, reference)


def _stream(title: str, path: Path, reference: Path | None, *, rows: int | None = None) -> None:
    config = load_config(path)
    opened, violated = openings(config, reference, rows=rows)
    say(f"\n{promise_of(config).alarms.source}")
    show(
        title,
        ("column", *(window.name for window in config.grid.windows)),
        [
            (column.name, *(_ends(opened[window.name, column.name]) for window in config.grid.windows))
            for column in config.columns
        ],
    )
    for (window, feature, check), ends in violated.items():
        say(f"violated: {check} of {feature or 'the records'}, {window}, {_ends(ends)}")


def openings(config: Config, reference: Path | None, *, rows: int | None) -> tuple[Opened, Opened]:
    """Ends of windows that opened a drift by window and column, and a violation by its check as well."""
    source = config_input(config)
    base = source if reference is None else file_input(reference, columns=config.columns, time=config.time)
    built = build_reference(base, config.columns, model=config.file.model.name, now_ms=0, rows=rows).reference
    opener = partition_opener(config, source, config.state_fingerprint(built.version))
    outputs: list[Output] = []
    run_inline(make_plan(config, Generations((built,)), tuple(source.readers), opener), outputs.extend)
    drifts, violations = Opened(list), Opened(list)
    for output in outputs:
        if isinstance(output, StoredEpisode) and output.is_open and output.windows == 1:
            place = (output.window, output.feature)
            if output.check:
                violations[*place, output.check].append(output.opened)
            else:
                drifts[place].append(output.opened)
    return drifts, violations


def sea_stream(data: Path, folder: Path) -> tuple[Path, Path]:
    """Split the stationary stream, 10,000 rows as reference; return configuration and reference."""
    text = gzip.decompress((data / "stationary" / "sea_stream.csv.gz").read_bytes()).decode()
    header, *rows = text.splitlines()
    for name, part in (("reference", rows[:10_000]), ("events", rows[10_000:])):
        (folder / f"{name}.csv").write_text("\n".join([header, *part]) + "\n")
    columns = "".join(f"  {name}: {{kind: numeric}}\n" for name in header.split(",")[:3])
    config = folder / "driftflow.yaml"
    config.write_text(
        "model: {name: sea}\ninput: {path: events.csv}\ntime: {rows: true}\n"
        f"windows: {{thousand: {{size: 1000 rows}}}}\ncolumns:\n{columns}"
    )
    return config, folder / "reference.csv"


def _ends(ends: list[int]) -> str:
    return "no episode" if not ends else "opened at row " + ", ".join(f"{end:,}" for end in ends)


if __name__ == "__main__":
    main()
