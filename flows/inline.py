"""The graph as a plain loop: what Bytewax is measured against, and what could replace it."""

from collections.abc import Callable, Sequence

from flows.batch import Batch
from flows.plan import Plan
from state.joined import Joined
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
    """
    pick = choose or in_turn()
    live = {name: plan.open_partition(name, None) for name in plan.sources}
    mergers = {name: plan.panes() for name in plan.context.tracks}
    windows = {name: plan.windows() for name in plan.context.tracks}
    judges = {name: plan.judge() for name in plan.context.tracks}
    joins = {shard: plan.join() for shard in plan.shards}
    report, recorder = plan.report(), plan.pane_recorder
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
        for column, partial in plan.summarize(batch):
            mergers[column].add(partial)
            panes = mergers[column].close()
            if panes is None:
                continue
            on_panes(recorder.record(column, panes))
            found = [plan.compare(column, closed) for closed in windows[column].add(panes)]
            outputs = report.add(judges[column].add(found))
            if outputs:
                emit(outputs)
