"""Realised performance of a car-loan model per 1,000 rows, its labels in a file, beside NannyML's.

Inputs and truth move at row 25,000. NannyML runs in an environment of its own, see
`bench/peers_environments.py`; where that is not to be had, driftflow's figures stand alone.
"""

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import say, show
from bench.peers_environments import ROOT, prepare, python_of

ROWS = 1_000
MOVED = 25_000
METRICS = ("roc_auc", "f1", "accuracy")
FILES = ("reference", "analysis", "analysis_target")

Figures = Mapping[str, Sequence[float]]
"""By metric: one figure per window."""

_CONFIG = """
model: {{name: car_loan}}
input: {{path: analysis.csv}}
time: {{rows: true}}
columns:
  id: {{kind: categorical, role: id}}
  car_value: {{kind: numeric}}
  salary_range: {{kind: categorical}}
  debt_to_income_ratio: {{kind: numeric}}
  loan_length: {{kind: numeric}}
  repaid_loan_on_prev_car: {{kind: categorical}}
  size_of_downpayment: {{kind: categorical}}
  driver_tenure: {{kind: numeric}}
  y_pred_proba: {{kind: numeric, role: score}}
  y_pred: {{kind: categorical, role: prediction}}
labels: {{path: analysis_target.csv, label: repaid}}
windows: {{thousand: {{size: 1000 rows}}}}
performance:
  metrics: [roc_auc, f1, accuracy]
  level: {level}
  max_drop: {{roc_auc: {drop}, f1: {drop}, accuracy: {drop}}}
"""


@dataclass(slots=True)
class Told:
    """What one tool says: figures, the windows it calls degraded, the error that it allows for."""

    figures: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})
    degraded: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in METRICS})
    bounds: list[float] = field(default_factory=list)
    drifted: dict[str, int] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of windows, and one of what was called degraded when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--level", type=float, default=0.001)
    parser.add_argument("--drop", type=float, default=0.02)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file in FILES:
            packed = given.data / "car_loan" / f"synthetic_car_loan_{file}.csv.gz"
            (folder / f"{file}.csv").write_bytes(gzip.decompress(packed.read_bytes()))
        mine = _driftflow(folder, level=given.level, drop=given.drop)
        theirs = _nannyml(folder)
    _show_windows(mine, theirs)
    _show_alarms(mine, theirs)
    for column, end in sorted(mine.drifted.items(), key=lambda item: item[1]):
        say(f"drift of {column} opened with the window that ends at row {end:,}")


def _driftflow(folder: Path, *, level: float, drop: float) -> Told:
    config = folder / "driftflow.yaml"
    config.write_text(_CONFIG.format(level=level, drop=drop))
    for command in (["reference", "build", str(config), str(folder / "reference.csv")], ["run", str(config)]):
        run = [sys.executable, "-m", "flows.cli", *command]
        subprocess.run(run, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  # this program
    told = Told()
    for line in (folder / "out" / "performance.jsonl").read_bytes().splitlines():
        event = json.loads(line)
        data = event["data"]
        if event["type"].endswith("report") and data["final"]:
            metrics = {metric["name"]: metric for metric in data["metrics"]}
            for name in METRICS:
                told.figures[name].append(metrics[name]["value"])
            told.bounds.append(metrics["roc_auc"]["bound"])
            for check in data["checks"]:
                if check["status"] == "violated":
                    told.degraded[check["name"]].append(data["window"]["end"])
    for line in (folder / "out" / "events.jsonl").read_bytes().splitlines():
        event = json.loads(line)
        if event["type"].endswith("drift.opened"):
            told.drifted.setdefault(event["data"]["result"]["feature"], event["data"]["window"]["end"])
    return told


def _nannyml(folder: Path) -> Told | None:
    prepare("numpy2")
    python = python_of("numpy2")
    if not python.exists():
        return None
    asked = [str(python), str(ROOT / "bench" / "car_loan_nannyml.py"), str(folder)]
    answer = subprocess.run(asked, check=False, capture_output=True, text=True)  # noqa: S603  # of its own
    if answer.returncode:
        say(f"NannyML gave no answer: {answer.stderr.strip().splitlines()[-1:]}")
        return None
    found = json.loads(answer.stdout.splitlines()[-1])
    return Told(figures=found["figures"], degraded=found["degraded"])


def _show_windows(mine: Told, theirs: Told | None) -> None:
    header = ["rows", *(f"{name} {tool}" for name in METRICS for tool in ("driftflow", "NannyML"))]
    lines = []
    for place in range(len(mine.bounds)):
        cells = [f"{place * ROWS:,}"]
        for name in METRICS:
            cells.append(f"{mine.figures[name][place]:.6f}")
            cells.append("-" if theirs is None else f"{theirs.figures[name][place]:.6f}")
        lines.append(cells)
    show("Realised performance", header, lines)
    if theirs is None:
        return
    for name in METRICS:
        pairs = zip(mine.figures[name], theirs.figures[name], strict=True)
        allowed = f"bound up to {max(mine.bounds):.4f}" if name == "roc_auc" else "exact"
        say(f"largest difference of {name}: {max(abs(a - b) for a, b in pairs):.2e} ({allowed})")


def _show_alarms(mine: Told, theirs: Told | None) -> None:
    header = ("metric", "tool", f"before row {MOVED:,}", "after it", "first after it ends at row")
    lines = []
    for tool, told in (("driftflow", mine), ("NannyML", theirs)):
        for name in METRICS if told is not None else ():
            assert told is not None  # asked above
            ends = told.degraded[name]
            after = [end for end in ends if end > MOVED]
            first = f"{min(after):,}" if after else "-"
            lines.append((name, tool, f"{len(ends) - len(after)} of 25", f"{len(after)} of 25", first))
    show("Windows called degraded", header, lines)


if __name__ == "__main__":
    main()
