"""A time-out of predictions is said by the windows that may lack some, through the join."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from detectors.performance.base import Task
from flows.batch import Batch
from flows.config import parse_config
from flows.halves import halves, shard_names
from state.grid import END
from state.join import LabelJoin
from state.outcome_windows import OutcomeWindows
from state.outcomes import OutcomeLayout
from tests.flows.test_time_outs import HOUR, NOTHING_MORE, Live, bounds, polled, rows

TEXT = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  p: {kind: numeric, role: prediction}
  i: {kind: categorical, role: id}
labels: {path: labels.jsonl, label: y, horizon: 2h, shards: 2}
windows: {hourly: {size: 1h}}
"""


def batches() -> list[Batch]:
    """A row, a time-out of two hours, then rows again; no label ever."""
    live = Live(
        [rows(HOUR // 2), NOTHING_MORE, NOTHING_MORE, rows(2 * HOUR, 3 * HOUR)], bounds(idle_timeout=10_000)
    )
    partition, found = live.open(), list[Batch]()
    for now in (HOUR // 2, HOUR // 2, 2 * HOUR, 3 * HOUR):
        live.clock.now = now
        batch = polled(partition)
        found.append(replace(batch, categorical={"i": [f"{now}-{i}" for i in range(batch.rows)]}))
    nothing = np.zeros(0, dtype=np.int64)
    end = replace(found[1], rows=0, panes=nothing, starts=nothing, frontier=END, quiet=False)
    return [*found, end, replace(end, partition="labels:l", last=-END)]


def test_windows_of_predictions_that_a_time_out_closed_say_so() -> None:
    config = parse_config(TEXT, folder=Path())
    labels = config.labels
    assert labels is not None
    layout = OutcomeLayout(task=Task.REGRESSION)
    shards = shard_names(labels.shards)
    joins = {shard: LabelJoin(("p", "labels:l"), layout.widths, labels.limits) for shard in shards}
    windows = OutcomeWindows.start(shards, config.grid.windows, labels.limits.horizon)
    for batch in batches():
        for shard, part in halves(batch, labels, np.zeros((batch.rows, 1))):
            joins[shard].add(part)
            joined = joins[shard].close()
            if joined is not None:
                windows.add(layout.partial(shard, joined))
    assert {(each.start, each.incomplete) for each in windows.close()} == {(0, True), (2, False), (3, False)}
