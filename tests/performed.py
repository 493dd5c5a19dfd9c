"""Windows of predictions with their labels, good and bad, as the report of performance takes them."""

import numpy as np

from detectors.performance.base import Task
from state.generations import Generations
from state.joined import Count
from state.outcome_metrics import metrics_of
from state.outcome_windows import OutcomeWindow
from state.outcomes import HEAD, OutcomeLayout, Use
from state.performance import PerformanceRules
from state.performance_report import PerformanceContext
from state.report_context import ReportContext
from state.sketches.base import Sketch

LAYOUT = OutcomeLayout(task=Task.BINARY, classes=("no", "yes"), positive=1)
RULES = PerformanceRules(metrics=("accuracy", "f1"), level=1e-3)


def sketch(right: int, wrong: int, *, predictions: int | None = None) -> Sketch:
    """Rows of two classes alike, so many of them predicted right and wrong."""
    counters = np.zeros(LAYOUT.width, dtype=np.int64)
    half = (right + 1) // 2
    counters[HEAD : HEAD + 4] = [half, wrong - wrong // 2, wrong // 2, right - half]
    counters[Use.USED] = counters[Count.LABELLED] = right + wrong
    counters[Count.PREDICTIONS] = right + wrong if predictions is None else predictions
    return Sketch(counters)


def performance_context(of: ReportContext, *, rules: PerformanceRules = RULES) -> PerformanceContext:
    """Compare with a reference that is right in nine rows of ten."""
    known = metrics_of(LAYOUT, sketch(9_000, 1_000).counters)
    generations: Generations = of.generations
    return PerformanceContext(
        report=of,
        layout=LAYOUT,
        rules=rules,
        expected={each.version: rules.expected(known) for each in generations.references},
    )


def window(
    k: int, right: int, wrong: int, *, revision: int = 0, final: bool = False, predictions: int = 1_000
) -> OutcomeWindow:
    """The k-th tumbling window of `tests.evidence.SPECS`, told so many panes after its end."""
    start, end = 2 * k, 2 * k + 2
    found = sketch(right, wrong, predictions=predictions)
    return OutcomeWindow(0, start, end, end + revision, final, partial=False, sketch=found)
