"""What derived columns of predictions cost: rows per second with them on against off, in one run."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson

from bench.measure import Case, interleaved, pin, say, show
from flows.config import parse_config
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import Plan, make_plan
from flows.reference_build import build_reference
from state.generations import Generations

SEED = 7
STEP_MS = 10
"""A hundred rows a second, so that a window of 100 s has 10,000."""
FEATURES = 10
REPEATS = 5
CLASSES = ("apple", "pear", "plum")

_OFF = "confidence: false, predicted_class: false, uncertain: null, interval: {width: false}"

CASES = {
    "off": f"{_OFF}, entropy: false, checks: false",
    "confidence": f"{_OFF.replace('confidence: false, ', '')}, entropy: false, checks: false",
    "entropy": f"{_OFF}, entropy: true, checks: false",
    "class": f"{_OFF.replace('predicted_class: false, ', '')}, entropy: false, checks: false",
    "uncertain": f"{_OFF.replace(' uncertain: null,', '')}, entropy: false, checks: false",
    "width": f"{_OFF.replace(', interval: {width: false}', '')}, entropy: false, checks: false",
    "checks alone": f"{_OFF}, entropy: false, checks: true",
    "all by default": "",
}
"""What stands in the section `predictions`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Time the same stream under each configuration; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    given = parser.parse_args(arguments)
    rows = 20_000 if given.quick else 200_000
    pin()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "reference.jsonl", 10_000, SEED + 1)
        write_rows(folder / "events.jsonl", rows, SEED)
        plans = {case: plan_of(folder, section) for case, section in CASES.items()}
        cases: dict[str, Case] = {
            case: partial(run_inline, plan, lambda _: None) for case, plan in plans.items()
        }
        timings = interleaved(cases, repeats=REPEATS)
    off = timings["off"].cpu_s
    show(
        f"{FEATURES} features, {len(CLASSES)} classes and an interval, {rows:,} rows, one process",
        ("derived", "columns", "rows/s", "µs per row", "beside off"),
        [
            (
                case,
                str(len(plans[case].config.tracks)),
                f"{rows / timing.cpu_s:,.0f}",
                f"{1e6 * timing.cpu_s / rows:.2f}",
                f"{timing.cpu_s / off:.2f}",
            )
            for case, timing in timings.items()
        ],
    )
    say("CPU time of the plain loop: read, decode, derive, count, compare, judge and report.")


def write_rows(path: Path, rows: int, seed: int) -> None:
    """Write records of a model of three classes that also gives an interval."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.dirichlet([0.5, 0.7, 1.0], rows), 6)
    features = np.round(rng.normal(size=(rows, FEATURES)), 6)
    ends = np.round(np.sort(rng.normal(size=(rows, 2)), axis=1), 6)
    with path.open("wb") as file:
        for row in range(rows):
            record: dict[str, object] = {"t": row * STEP_MS, "scores": scores[row].tolist()}
            record |= {f"x{place}": x for place, x in enumerate(features[row].tolist())}
            record |= dict(zip(("low", "high"), ends[row].tolist(), strict=True))
            file.write(orjson.dumps(record) + b"\n")


def plan_of(folder: Path, section: str) -> Plan:
    """Put a run together whose section `predictions` says this."""
    lines = [
        "model: {name: bench}",
        "input: {path: events.jsonl}",
        "time: {column: t, format: ms}",
        "windows: {tumbling: {size: 100s}}",
        f"predictions: {{{section}}}",
        "columns:",
        *(f"  x{place}: {{kind: numeric}}" for place in range(FEATURES)),
        *(
            f"  {name}: {{kind: numeric, role: score, class: {name}, path: scores.{place}}}"
            for place, name in enumerate(CLASSES)
        ),
        "  low: {kind: numeric, role: interval_low}",
        "  high: {kind: numeric, role: interval_high}",
        "",
    ]
    config = parse_config("\n".join(lines), folder=folder)
    source = file_input(
        folder / "reference.jsonl",
        columns=config.fields,
        time=config.time,
        derived=config.derivations,
    )
    reference = build_reference(source, config.tracks, model="bench", now_ms=0).reference
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    return make_plan(config, Generations((reference,)), tuple(found.readers), opener)


if __name__ == "__main__":
    main()
