"""A stream of predictions and their labels, with everything that goes wrong between the two."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson

from flows.config import load_config
from flows.input import file_input
from flows.plan import Plan
from flows.reference_build import build_reference
from state.halves import halves_from_bytes
from state.joined import Count, Joined, JoinLimits
from state.stores.sqlite import SqliteStore
from tests.integration.stream import MODEL, Layout, activate, write_stream
from tests.state.join_oracle import Row, batch_join

LABELS = "{path: labels, label: outcome, time: {column: known_at}, horizon: 1d, early: 6h, lateness: 1h}"

Told = dict[tuple[str, int], list[tuple[int, list[int]]]]
"""What each shard has told of each known pane: panes with their counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledLayout:
    """Where a stream with labels stands."""

    layout: Layout

    def config(
        self, name: str, *, batch_rows: int = 8_192, labels: str = LABELS, performance: str | None = None
    ) -> Path:
        """Write a configuration that joins labels, and return its path."""
        path = self.layout.config(name, batch_rows=batch_rows)
        text = path.read_text() + "  request: {kind: categorical, role: id}\n" + f"labels: {labels}\n"
        path.write_text(text + ("" if performance is None else f"performance: {performance}\n"))
        return path

    def whole(self, name: str, *, batch_rows: int = 8_192, performance: str) -> Path:
        """Write a configuration whose events bring their labels, and return its path."""
        path = self.layout.config(name, batch_rows=batch_rows)
        text = path.read_text() + "  truth: {kind: categorical, role: label}\n"
        path.write_text(f"{text}performance: {performance}\n")
        return path


def write_labelled(folder: Path, *, rows: int, files: int = 1, label_files: int = 2) -> LabelledLayout:
    """Write predictions as `write_stream` does, and labels up to a day and a half later, in random order.

    Some predictions have no id, or one that was there before; one in ten never gets a label; some labels come
    twice, have no id, belong to nothing, come before their prediction, or too late in their file.
    """
    layout = write_stream(folder, rows=rows, files=files)
    rng = np.random.default_rng(12)
    found: list[tuple[datetime, bytes]] = []
    for part in sorted(layout.events.iterdir()):
        lines = []
        for number, line in enumerate(part.read_bytes().splitlines()):
            named, labels = _labelled(line, f"{part.stem}-{number}", rng)
            lines.append(named)
            found += labels
        part.write_bytes(b"\n".join(lines) + b"\n")
    found.sort(key=lambda item: item[0])
    folder_of_labels = layout.folder / "labels"
    folder_of_labels.mkdir()
    for place in range(label_files):
        own = [line for _, line in found[place::label_files]]
        (folder_of_labels / f"labels-{place}.jsonl").write_bytes(b"\n".join(own) + b"\n")
    return LabelledLayout(layout=layout)


def _labelled(
    line: bytes, ident: str, rng: np.random.Generator
) -> tuple[bytes, list[tuple[datetime, bytes]]]:
    """Give a prediction its id, and return it with its labels."""
    try:
        row = orjson.loads(line)
        made = datetime.fromisoformat(row["ts"])
    except ValueError:
        return line, []
    way = rng.random()
    if way < 0.02:
        return line, []
    row["request"] = "again" if way < 0.04 else ident
    # One prediction in seven is wrong; the truth stands in the event too, for runs that join nothing.
    other = {"accept": "decline", "decline": "accept"}.get(row.get("prediction"), "accept")
    row["truth"] = outcome = other if rng.random() < 1 / 7 else row.get("prediction")
    labels = []
    if rng.random() < 0.9:
        known = made + timedelta(hours=float(rng.uniform(-1, 36)))
        labels.append((known, ident))
    if rng.random() < 0.03:
        labels.append((made + timedelta(hours=float(rng.uniform(0, 12))), ident))
    if rng.random() < 0.03:
        labels.append((made, rng.choice(["nothing", "again", ""])))
    told = []
    for known, name in labels:
        # In the file it stands up to two hours after its time; an hour is allowed.
        stands = known + timedelta(hours=float(rng.uniform(0, 2)) if rng.random() < 0.2 else 0.0)
        record = {"request": name or None, "outcome": outcome, "known_at": known.isoformat()}
        told.append((stands, orjson.dumps(record)))
    return orjson.dumps(row), told


def keep_labelled_reference(stream: LabelledLayout, *, performance: str) -> None:
    """Build the reference anew with labels, one in twenty of which is not what was predicted."""
    folder, rng = stream.layout.folder, np.random.default_rng(3)
    rows = [orjson.loads(line) for line in (folder / "reference.jsonl").read_bytes().splitlines()]
    for row in rows:
        row["truth"] = row["prediction"] if rng.random() < 0.95 else "accept"
    (folder / "labelled.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)) + b"\n")
    config = load_config(stream.whole("reference", performance=performance))
    assert config.performance is not None
    source = file_input(
        folder / "labelled.jsonl", columns=config.fields, time=config.time, derived=config.derivations
    )
    built = build_reference(
        source,
        config.tracks,
        model=MODEL,
        now_ms=0,
        segments=config.segments,
        outcomes=config.performance.spec,
    ).reference
    with closing(SqliteStore(stream.layout.reference)) as store:
        store.put_reference(built.stored())
    activate(stream.layout, built.version)


def hear(told: Told) -> Callable[[str, Joined], None]:
    """Return what takes the joins of a run."""
    return lambda shard, joined: add_told(told, shard, joined.counts)


def add_told(told: Told, shard: str, counts_told: Sequence[tuple[int, int, tuple[int, ...]]]) -> None:
    """Take what a shard tells; of a pane that was told before a crash it must tell the same again."""
    panes: Told = {}
    for known, pane, numbers in counts_told:
        panes.setdefault((shard, known), []).append((pane, list(numbers)))
    for key, counts in panes.items():
        assert told.setdefault(key, counts) == counts, key


def totals(told: Told) -> dict[tuple[int, int], list[int]]:
    """Add up what all shards have told, by known pane and pane."""
    found: dict[tuple[int, int], list[int]] = {}
    for (_, known), counts in told.items():
        for pane, numbers in counts:
            before = found.get((known, pane), [0] * len(Count))
            found[known, pane] = [a + b for a, b in zip(before, numbers, strict=True)]
    return found


def joined_at_once(plan: Plan) -> dict[tuple[int, int], list[int]]:
    """Join all rows of a plan's input by the oracle: what every run is held against."""
    labels = plan.config.labels
    assert labels is not None
    late = Counter[tuple[int, Count]]()
    rows = list(_rows_of(plan, late))
    limits = labels.limits
    found = batch_join(rows, JoinLimits(horizon=limits.horizon, early=limits.early, max_rows=10**9))
    for (pane, place), count in late.items():
        found.count(pane, pane, place, count)
    return dict(found.counts)


def _rows_of(plan: Plan, late: Counter[tuple[int, Count]]) -> Iterator[Row]:
    for name in plan.sources:
        partition = plan.open_partition(name, None)
        while (batch := partition.poll()) is not None:
            for _, (side, _, _, _, data, late_rows, _) in plan.halves(batch):
                label = side == "labels"
                for pane, count in late_rows:
                    late[pane, Count.LATE_LABELS if label else Count.LATE_PREDICTIONS] += count
                half = halves_from_bytes(data)
                for ident, pane in zip(half.ids.tolist(), half.panes.tolist(), strict=True):
                    yield Row(label, name, pane, ident, 0.0)
        partition.close()
