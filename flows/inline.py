"""The graph as a plain loop: what Bytewax is measured against, and what could replace it."""

from collections.abc import Callable, Sequence

from flows.batch import Batch
from flows.error_watch import ErrorWatch
from flows.performance import Performing
from flows.plan import Plan
from state.joined import Joined
from state.outcomes import OutcomePartial
from state.report import Output
from state.stores.panes import StoredPane

Choose = Callable[[Sequence[str]], str]
"""Picks the partition that is polled next."""


def in_turn() -> Choose:
    """Poll partitions one after the other."""
    turn = 0

    def choose(names: Sequence[str]) -> str:
        nonlocal turn
        turn += 1
        return names[turn % len(names)]

    return choose


def run_inline(
    plan: Plan,
    emit: Callable[[list[Output]], None],
    *,
    choose: Choose | None = None,
    on_batch: Callable[[Batch], None] = lambda _: None,
    on_panes: Callable[[list[StoredPane]], None] = lambda _: None,
    on_joined: Callable[[str, Joined], None] = lambda _shard, _joined: None,
    on_performance: Callable[[list[Output]], None] = lambda _: None,
    on_errors: Callable[[list[Output]], None] = lambda _: None,
) -> None:
    """Run a plan to the end of its input in this thread; results are those of any other engine.

    Parameters
    ----------
    emit
        Takes the outputs, in order.
    choose
        Order in which partitions are polled; makes no difference to the outputs.
    on_batch
        Sees every batch, for dead letters and progress.
    on_panes
        Takes the closed panes that are to be kept, column by column.
    on_joined
        Sees what each shard of the join tells.
    on_performance
        Takes the outputs of the report of performance, in order; often there are none.
    on_errors
        Likewise of the errors of joined rows.
    """
    pick = choose or in_turn()
    live = {name: plan.open_partition(name, None) for name in plan.sources}
    mergers = {name: plan.panes() for name in plan.context.tracks}
    windows = {name: plan.windows() for name in plan.context.tracks}
    judges = {name: plan.judge() for name in plan.context.tracks}
    joins = {shard: plan.join() for shard in plan.shards}
    report, recorder = plan.report(), plan.pane_recorder
    performance = None if plan.performing is None else InlinePerformance(plan.performing)
    while live:
        name = pick(sorted(live))
        batch = live[name].poll()
        if batch is None:
            live.pop(name).close()
            continue
        on_batch(batch)
        for shard, halves in plan.halves(batch) if joins else ():
            joins[shard].add(halves)
            joined = joins[shard].close()
            if joined is not None:
                on_joined(shard, joined)
                if performance is not None:
                    on_performance(performance.of_joined(shard, joined))
                    on_errors(performance.errors.of_joined(shard, joined))
        if performance is not None and not joins:
            on_performance(performance.of_batch(batch))
        for track, partial in plan.summarize(batch):
            mergers[track].add(partial)
            panes = mergers[track].close()
            if panes is None:
                continue
            on_panes(recorder.record(track, panes))
            found = [plan.compare(track, closed) for closed in windows[track].add(panes)]
            outputs = report.add(judges[track].add(found))
            if outputs:
                emit(outputs)


class InlinePerformance:
    """The steps of performance, one after the other."""

    def __init__(self, performing: Performing) -> None:
        self._performing = performing
        self._windows, self._report = performing.windows(), performing.report()
        self.errors = InlineErrors(performing.errors)

    def of_batch(self, batch: Batch) -> list[Output]:
        """Take a batch that brings its labels."""
        return [output for _, partial in self._performing.of_batch(batch) for output in self._add(partial)]

    def of_joined(self, shard: str, joined: Joined) -> list[Output]:
        """Take rows that have found their labels."""
        return self._add(self._performing.of_joined(shard, joined)[1])

    def _add(self, partial: OutcomePartial) -> list[Output]:
        self._windows.add(partial)
        return self._report.add(self._windows.close())


class InlineErrors:
    """The steps of the errors of joined rows; without a column of errors they give nothing."""

    def __init__(self, watch: ErrorWatch | None) -> None:
        self._watch = watch
        if watch is not None:
            self._panes, self._windows = watch.panes(), watch.windows()
            self._judge, self._report = watch.judge(), watch.report()

    def of_joined(self, shard: str, joined: Joined) -> list[Output]:
        """Take rows that have found their labels."""
        if self._watch is None:
            return []
        for _, partial in self._watch.of_joined(shard, joined):
            self._panes.add(partial)
        panes = self._panes.close()
        found = [] if panes is None else map(self._watch.compare, self._windows.add(panes))
        return self._report.add(self._judge.add(found))
