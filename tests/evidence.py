"""Evidence as real windows give it: a small reference, and rows of several moods compared with it."""

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np

from detectors.base import Kind
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import Recursion
from detectors.verdicts import Rule, Rules
from state.alarms import AlarmRules
from state.columns import Column, Role
from state.durations import Axis
from state.evidence import evidence_of
from state.generations import Generations
from state.grid import Grid, WindowSpec, build_grid
from state.judge import Judge, JudgeContext
from state.layout import categories, numeric_bins
from state.reference import Bins, FeatureReference, Provenance, Reference
from state.report_context import ReportContext
from state.scoring import Evidence, Gap, Scored, score
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins
from state.windows import ClosedWindow

MOODS = ("calm", "slight", "large", "few", "missing", "barred")
"""What rows of a window are like; in a "barred" window each row holds a value that no reference row had."""

FAMILY = ("x", "y", "c")
LEVEL = 0.05
MIN_EFFECT = 0.02
NO_PANES = np.zeros(1, dtype=np.int64)

_COLUMNS = {
    "x": Column(name="x", path="in.x", kind=Kind.NUMERIC),
    "y": Column(name="y", path="out.y", kind=Kind.NUMERIC, role=Role.SCORE),
    "c": Column(name="c", path="in.c", kind=Kind.CATEGORICAL),
}
_NAMES = [*["a"] * 10, *["b"] * 6, *["c"] * 3, None]


def values_of(column: str, mood: str, rows: int, seed: int) -> list[float | str | None]:
    """Rows of one column."""
    rng = np.random.default_rng(seed)
    if mood == "missing":
        nothing = None if column == "c" else float("nan")
        return [nothing] * rows
    if column == "c":
        names: list[str | None] = [_NAMES[i] for i in rng.integers(0, len(_NAMES), rows).tolist()]
        changed = {"slight": rows // 8, "large": rows // 2, "barred": rows}.get(mood, 0)
        return [*(f"new{i % 30}" for i in range(changed)), *names[changed:]]
    base = rng.normal(size=rows) if column == "x" else np.where(rng.random(rows) < 0.5, 0, rng.random(rows))
    moved = {"slight": 0.3, "large": 1.5, "barred": 1e9}.get(mood, 0.0)
    return list((base + moved).tolist())


def sketch_of(bins: Bins, values: Sequence[float | str | None]) -> Sketch:
    if isinstance(bins, NumericBins):
        return bins.summarize(np.array(values, dtype=np.float64), NO_PANES, NO_PANES)[0]
    return bins.summarize([v if isinstance(v, str) else None for v in values], NO_PANES, NO_PANES)[0]


def build(*, seed: int = 5, created_ms: int = 0, sources: tuple[str, ...] = ("rows.csv",)) -> Reference:
    """Freeze a reference of 2,000 rows."""
    features = []
    for i, (name, column) in enumerate(_COLUMNS.items()):
        values = values_of(name, "calm", 2_000, seed + i)
        counts = {n: values.count(n) for n in ("a", "b", "c")} if name == "c" else {}
        bins: Bins = categories(counts) if counts else numeric_bins(np.array(values, dtype=np.float64))
        features.append(FeatureReference(column, bins, sketch_of(bins, values)))
    made = Provenance(
        rows=2_000,
        refused=3,
        start_ms=0,
        end_ms=9,
        sources=sources,
        sha256="ab" * 32,
        created_ms=created_ms,
    )
    return Reference("credit", tuple(features), made)


@cache
def reference() -> Reference:
    return build()


@cache
def _template(column: str, mood: str) -> Scored:
    return _scored(reference(), column, mood)


def _scored(against: Reference, column: str, mood: str) -> Scored:
    feature = against.feature(column)
    rows = 10 if mood == "few" else 400
    values = values_of(column, mood, rows, 99)
    window = ClosedWindow(0, 0, 1, sketch_of(feature.bins, values))
    found = score(feature, window, version=against.version, min_effect=MIN_EFFECT)
    assert isinstance(found, Scored)
    return found


def scored(
    column: str,
    mood: str,
    *,
    spec: int,
    start: int,
    end: int,
    late: int = 0,
    against: Reference | None = None,
) -> Scored:
    """One column of one window, compared with `reference()` or with another one."""
    if against is None or against is reference():
        found = _template(column, mood)
    else:
        found = _scored(against, column, mood)
    return msgspec.structs.replace(found, spec=spec, start=start, end=end, late=late)


def gap(
    column: str, *, spec: int, start: int, end: int, windows: int, against: Reference | None = None
) -> Gap:
    version = (against or reference()).version
    return Gap(feature=column, spec=spec, start=start, end=end, reference=version, windows=windows)


def judged(found: Sequence[Scored | Gap]) -> list[Evidence]:
    said = Judge(JudgeContext(level=LEVEL, min_rows=50, evidence={})).add(found)
    return [item for item in said if isinstance(item, Evidence)]


HOUR = 3_600_000
SPECS = (
    WindowSpec(name="tumbling", size=2 * HOUR, slide=2 * HOUR),
    WindowSpec(name="sliding", size=5 * HOUR, slide=2 * HOUR),
)


def grid_of(axis: Axis = Axis.MILLISECONDS, specs: tuple[WindowSpec, ...] = SPECS) -> Grid:
    return build_grid(specs, axis=axis, zone="UTC", origin=None)


def context(
    *,
    axis: Axis = Axis.MILLISECONDS,
    fingerprint: str = "f0",
    of: Reference | None = None,
    specs: tuple[WindowSpec, ...] = SPECS,
    rules: Rules | None = None,
) -> ReportContext:
    return ReportContext(
        model="credit",
        model_version="7",
        features=FAMILY,
        generations=Generations((of or reference(),)),
        grid=grid_of(axis, specs),
        rules=rules or Rules(rule=Rule.WINDOW, false_discovery_rate=LEVEL),
        fingerprint=fingerprint,
        evidence={(of or reference()).version: evidence_of(of or reference(), FAMILY, rows=500, risk=0.05)},
        alarms=AlarmRules(
            recursion=Recursion.SR,
            budget=Budget(columns=len(FAMILY), blocks=1_000, episodes=1),
            source="budget: a test's",
        ),
    )


Plot = Sequence[tuple[int, int, dict[str, str] | None]]
"""Windows in order: specification, number, and the mood of each column; None where there is no row."""


def evidence(plot: Plot, context: ReportContext) -> dict[str, list[Evidence]]:
    """What each column sends for a plot."""
    found = dict[str, list[Scored | Gap]]({name: [] for name in FAMILY})
    for spec, k, moods in plot:
        window = context.grid.windows[spec]
        start, end = k * window.slide, k * window.slide + window.size
        against = context.generations.of_window(start)
        for name, items in found.items():
            items.append(
                gap(name, spec=spec, start=start, end=end, windows=1, against=against)
                if moods is None
                else scored(name, moods[name], spec=spec, start=start, end=end, late=k % 3, against=against)
            )
    return {name: judged(items) for name, items in found.items()}
