"""The part of the graph behind labels: performance, and the errors of joined rows."""

import bytewax.operators as op
from bytewax.dataflow import Stream
from bytewax.operators import KeyedStream

from flows import operators as adapters
from flows.batch import Batch
from flows.error_watch import ErrorWatch
from flows.hooks import Hooks
from flows.performance import Performing
from state.error_report import ErrorReport
from state.joined import Joined
from state.outcome_windows import OutcomeWindow
from state.performance_report import PerformanceReport
from state.report import Output
from state.scoring import BlockCounts, Found
from state.windows import Told


def measured(
    performing: Performing,
    batches: Stream[Batch],
    joined: KeyedStream[Joined] | None,
    stateful: adapters.Keyed,
    hooks: Hooks,
) -> KeyedStream[list[Output]]:
    """Measure performance beside everything else: labels that stay away hold up no other report.

    Outcomes are of joined rows, or of the batches that bring their own labels.
    """

    def begin(resume: bytes | None) -> PerformanceReport:
        begun = performing.report(resume)
        hooks.on_resume_checks(begun.open_violations)
        return begun

    def report(logic: PerformanceReport, values: list[OutcomeWindow]) -> list[list[Output]]:
        found = adapters.report_performance(logic, values)
        for given in found:
            hooks.on_outputs(given)
        return found

    if joined is None:
        outcomes = op.flat_map("outcomes", batches, performing.of_batch)
    else:
        outcomes = op.map("outcomes", joined, lambda keyed: performing.of_joined(*keyed))
    windows = stateful("performance", outcomes, performing.windows, adapters.close_outcomes)
    return stateful("performance_report", windows, begin, report)


def errors_watched(
    watch: ErrorWatch, joined: KeyedStream[Joined], stateful: adapters.Keyed, hooks: Hooks
) -> KeyedStream[list[Output]]:
    """Watch the errors of joined rows by the steps of any column, beside everything else."""

    def compare(keyed: tuple[str, Told]) -> tuple[str, Found | BlockCounts]:
        key, closed = keyed
        return key, watch.compare(closed)

    def begin(resume: bytes | None) -> ErrorReport:
        begun = watch.report(resume)
        hooks.on_resume(begun.open_episodes)
        return begun

    def report(logic: ErrorReport, values: list[bytes]) -> list[list[Output]]:
        found = adapters.report(logic, values)
        for given in found:
            hooks.on_outputs(given)
        return found

    errors = op.flat_map("errors", joined, lambda keyed: watch.of_joined(*keyed))
    panes = stateful("errors_panes", errors, watch.panes, adapters.merge_panes)
    windows = stateful("errors_windows", panes, watch.windows, adapters.close_windows)
    compared = op.map("errors_compare", windows, compare)
    evidence = stateful("errors_judge", compared, watch.judge, adapters.judge)
    return stateful("errors_report", evidence, begin, report)
