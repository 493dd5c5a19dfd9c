"""What checks of data quality cost, and how often windows without a fault violate one: both in one run."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.random import Generator

from bench.measure import Case, interleaved, pin, say, show
from bench.throughput import Prepared, prepare, wide_plan
from detectors.base import FloatArray, Kind
from detectors.calibration import Calibration, Fault
from detectors.checks import CheckStatus
from flows.inline import run_inline
from flows.plan import Plan
from state.columns import Column
from state.generations import Generations
from state.layout import numeric_bins
from state.quality import QualityRules, column_checks
from state.reference import FeatureReference, Reference
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins
from state.spans import SPAN_ROWS

SEED = 11
NO_PANES = np.zeros(1, dtype=np.int64)
REFERENCE_ROWS, WINDOW_ROWS = 10_000, 500
LEVELS = (0.05, 0.01, 1e-4)
DEFAULT = "default"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the stream that is timed")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--references", type=int, default=200, help="references that are drawn")
    given = parser.parse_args(arguments)
    pin()
    with TemporaryDirectory() as name:
        _show_cost(wide_plan(Path(name), given.rows, reference_rows=10_000), given.rows, given.repeats)
    _show_false_alarms(given.references)


def _show_cost(plan: Plan, rows: int, repeats: int) -> None:
    """Time counting, comparing and the whole with checks and without."""
    plans = {"on": plan, "off": _without(plan)}
    prepared = {name: prepare(each) for name, each in plans.items()}
    cases: dict[str, Case] = {}
    for name, each in plans.items():
        cases[f"summarize {name}"] = partial(_summarize, each, prepared[name])
        cases[f"compare {name}"] = partial(_compare, each, prepared[name])
        cases[f"whole {name}"] = partial(run_inline, each, lambda _: None)
    timings = interleaved(cases, repeats=repeats)
    table = []
    for stage in ("summarize", "compare", "whole"):
        on, off = (timings[f"{stage} {name}"].cpu_s for name in ("on", "off"))
        micro = (f"{1e6 * seconds / rows:.2f}" for seconds in (on, off))
        table.append((stage, *micro, f"{on / off:.3f}", f"{rows / on:,.0f}", f"{rows / off:,.0f}"))
    columns = len(plan.context.features)
    header = ("stage", "µs per row, on", "off", "on / off", "rows/s, on", "off")
    show(f"{rows:,} rows, {columns} columns, windows of 10,000 rows, one process", header, table)


def _without(plan: Plan) -> Plan:
    """Take the checks, and what is counted for them alone, out of a plan."""
    (reference,) = plan.generations.references
    features = tuple(_plain(feature) for feature in reference.features)
    plain = Reference(reference.model, features, reference.provenance)
    return replace(
        plan,
        features=(tuple(plain.feature(column.column.name) for column in plan.features[0]),),
        context=replace(
            plan.context,
            generations=Generations((plain,)),
            evidence={plain.version: plan.context.evidence[reference.version]},
        ),
        quality=None,
    )


def _plain(feature: FeatureReference) -> FeatureReference:
    if not isinstance(feature.bins, NumericBins):
        return feature
    bins = replace(feature.bins, extent=None)
    sketch = replace(feature.sketch, counters=feature.sketch.counters[: bins.width])
    return FeatureReference(feature.column, bins, sketch, feature.calibration)


def _summarize(plan: Plan, prepared: Prepared) -> None:
    for batch in prepared.batches:
        for _ in plan.summarize(batch):
            pass


def _compare(plan: Plan, prepared: Prepared) -> None:
    for name, closed in prepared.closed:
        for found in closed:
            plan.compare(name, found)


Draw = Callable[[Generator, int], FloatArray]


def _independent(rng: Generator, rows: int) -> FloatArray:
    """Draw log-normal values, 2 % of them zero and 3 % missing."""
    values = np.where(rng.random(rows) < 0.02, 0.0, rng.lognormal(0, 1, rows))
    return np.where(rng.random(rows) < 0.03, np.nan, values)


def _in_clumps(rng: Generator, rows: int) -> FloatArray:
    """Draw values that follow each other (0.9), and gaps in clumps of 20 rows."""
    noise = rng.normal(size=rows)
    values = np.empty(rows)
    values[0] = noise[0]
    for place in range(1, rows):
        values[place] = 0.9 * values[place - 1] + np.sqrt(1 - 0.81) * noise[place]
    for start in np.flatnonzero(rng.random(rows) < 0.03 / 20).tolist():
        values[start : start + 20] = np.nan
    return values


def _show_false_alarms(references: int) -> None:
    """Draw references and windows of one law; count windows with a violation."""
    rng = np.random.default_rng(SEED)
    table = []
    for name, draw, knows in (
        ("independent rows", _independent, True),
        ("rows in clumps", _in_clumps, True),
        ("rows in clumps, reference without an order", _in_clumps, False),
    ):
        windows = 0
        violated: dict[float | str, int] = dict.fromkeys((*LEVELS, DEFAULT), 0)
        for _ in range(references):
            reference = _reference(draw(rng, REFERENCE_ROWS), ordered=knows)
            for sketch in _windows(reference, draw(rng, 20 * WINDOW_ROWS)):
                windows += 1
                for level in violated:
                    violated[level] += _violates(reference, sketch, level)
        shares = (f"{violated[level] / windows:.2g}" for level in violated)
        table.append((name, f"{windows:,}", *shares))
    header = ("rows", "windows", *(f"level {level:g}" for level in LEVELS), "default (1e-4)")
    title = f"Windows that violate any of five checks, {WINDOW_ROWS} rows beside {REFERENCE_ROWS:,}"
    show(title, header, table)
    say("Levels: any excess matters. Default: more than one percentage point, as configured by default.")


def _violates(reference: FeatureReference, window: Sketch, level: float | str) -> bool:
    strict = isinstance(level, float)
    rules = QualityRules(
        level=level if isinstance(level, float) else 1e-4, min_excess=0.0 if strict else 0.01, min_rows=50
    )
    return any(c.status is CheckStatus.VIOLATED for c in column_checks(reference, window, rules))


def _reference(rows: FloatArray, *, ordered: bool) -> FeatureReference:
    """Freeze a reference as `driftflow reference build` does, with what its spans show or without."""
    finite = rows[np.isfinite(rows)]
    bins = numeric_bins(finite, extent=(float(finite.min()), float(finite.max())))
    sketch = bins.summarize(rows, NO_PANES, NO_PANES)[0]
    column = Column(name="x", path="x", kind=Kind.NUMERIC)
    if not ordered:
        return FeatureReference(column, bins, sketch)
    places, groups = bins.places(rows).reshape(-1, SPAN_ROWS), int(bins.groups.max()) + 1
    chunks = np.array([np.bincount(bins.groups[span[span >= 0]], minlength=groups) for span in places])
    faults = {
        Fault.MISSING: np.isnan(rows).reshape(-1, SPAN_ROWS).sum(axis=1),
        Fault.ZERO: (rows == 0).reshape(-1, SPAN_ROWS).sum(axis=1),
    }
    known = {fault: counts for fault, counts in faults.items() if counts.any()}
    return FeatureReference(column, bins, sketch, Calibration(chunks=chunks, faults=known))


def _windows(reference: FeatureReference, rows: FloatArray) -> list[Sketch]:
    borders = range(0, len(rows) + 1, WINDOW_ROWS)
    assert isinstance(reference.bins, NumericBins)
    return [reference.bins.summarize(rows[a:b], NO_PANES, NO_PANES)[0] for a, b in pairwise(borders)]


if __name__ == "__main__":
    main()
