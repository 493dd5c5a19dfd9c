import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.grid import END
from state.halves import Halves, HalvesPartial, Side, hash_ids
from state.join import LabelJoin
from state.joined import FROM_START, Count, Joined, JoinLimits
from state.panes import UnknownPartitionError
from tests.conftest import Golden
from tests.state.join_oracle import Row, batch_join

WIDE = JoinLimits(horizon=3, early=2, max_rows=1_000)
NAMES = ("predictions:a", "predictions:b", "labels:a", "labels:b")


@dataclass(frozen=True, slots=True)
class Report:
    """One batch of a partition."""

    partition: str
    frontier: int
    last: int
    rows: tuple[Row, ...] = ()
    late: tuple[tuple[int, int], ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()

    @property
    def message(self) -> HalvesPartial:
        label = self.partition.startswith("labels")
        payload = [[row.value, -row.value] if label else [row.value] for row in self.rows]
        halves = Halves(
            np.array([row.ident for row in self.rows], dtype=np.uint64),
            np.array([row.pane for row in self.rows], dtype=np.int64),
            np.array(payload, dtype=np.float64).reshape(len(self.rows), 1 + label),
        )
        side = Side.LABELS if label else Side.PREDICTIONS
        data = halves.to_bytes()
        return str(side), self.partition, self.frontier, self.last, data, self.late, self.skipped


def begin(limits: JoinLimits = WIDE, resume: bytes | None = None, names: Sequence[str] = NAMES) -> LabelJoin:
    return LabelJoin(names, (1, 2), limits, resume)


def predictions(frontier: int, *rows: tuple[int, int, float], partition: str = "a") -> Report:
    return reported(f"predictions:{partition}", frontier, rows)


def labels(frontier: int, *rows: tuple[int, int, float], partition: str = "a") -> Report:
    return reported(f"labels:{partition}", frontier, rows)


def reported(partition: str, frontier: int, rows: Sequence[tuple[int, int, float]]) -> Report:
    """Build a report of rows of pane, id and value."""
    label = partition.startswith("labels")
    made = tuple(Row(label, partition, pane, ident, value) for pane, ident, value in rows)
    timed = [row.pane for row in made if row.pane != FROM_START]
    return Report(partition, frontier, max(timed, default=-END), made)


def pairs_of(joined: Sequence[Joined]) -> list[tuple[int, int, float, float]]:
    found = []
    for item in joined:
        assert (item.labels[:, 0] == -item.labels[:, 1]).all()
        columns = (item.known, item.panes, item.predictions[:, 0], item.labels[:, 0])
        found += list(zip(*(column.tolist() for column in columns), strict=True))
    return found


def counts_of(joined: Sequence[Joined]) -> dict[tuple[int, int], list[int]]:
    found = defaultdict[tuple[int, int], list[int]](lambda: [0] * len(Count))
    for item in joined:
        for known, pane, numbers in item.counts:
            assert known < item.upto
            found[known, pane] = [a + b for a, b in zip(found[known, pane], numbers, strict=True)]
    return dict(found)


def totals(joined: Sequence[Joined]) -> dict[str, int]:
    sums = np.sum([numbers for *_, numbers in (c for item in joined for c in item.counts)], axis=0)
    return {count.name: int(sums[count]) for count in Count if sums[count]}


def run(
    reports: Sequence[Report],
    limits: JoinLimits = WIDE,
    restarts: frozenset[int] = frozenset(),
    names: Sequence[str] = NAMES,
) -> list[Joined]:
    join, told = begin(limits, names=names), list[Joined]()
    for i, report in enumerate(reports):
        join.add(report.message)
        found = join.close()
        if found is not None:
            assert not told or found.upto > told[-1].upto
            told.append(found)
        if i in restarts:
            join = begin(limits, join.snapshot(), names)
    return told


TWO = ("predictions:a", "labels:a")


def test_a_label_becomes_known_in_its_own_pane_and_counts_for_the_prediction() -> None:
    told = run(
        [predictions(5, (3, 7, 0.5), (3, 8, 0.25)), labels(5, (4, 7, 1.0)), predictions(END), labels(END)],
        names=TWO,
    )
    assert pairs_of(told) == [(4, 3, 0.5, 1.0)]
    # The other one is given up when pane 6, the third after its own, has closed.
    assert counts_of(told)[6, 3][Count.UNLABELLED] == 1
    assert totals(told) == {"PREDICTIONS": 2, "LABELLED": 1, "UNLABELLED": 1, "LABELS": 1}


def test_nothing_is_told_before_every_partition_of_both_sides_has_passed_a_pane() -> None:
    join = begin()
    for report in (predictions(9, (3, 7, 0.5)), predictions(8, partition="b"), labels(9, (4, 7, 1.0))):
        join.add(report.message)
        assert join.close() is None
    join.add(labels(4, partition="b").message)
    told = join.close()
    assert told is not None
    assert (told.upto, pairs_of([told])) == (4, [])
    join.add(labels(6, partition="b").message)
    told = join.close()
    assert told is not None
    assert (told.upto, pairs_of([told])) == (6, [(4, 3, 0.5, 1.0)])


def test_labels_that_come_first_wait_for_their_prediction() -> None:
    told = run([labels(END, (2, 7, 1.0), (1, 8, 0.0)), predictions(END, (4, 7, 0.5), (4, 8, 0.5))], names=TWO)
    assert pairs_of(told) == [(4, 4, 0.5, 1.0)]
    assert counts_of(told)[3, 1][Count.ORPHANS] == 1


def test_the_first_prediction_and_its_first_label_count() -> None:
    told = run(
        [
            predictions(END, (3, 7, 0.5), (3, 7, 0.75), (4, 7, 0.875)),
            labels(END, (4, 7, 1.0), (4, 7, 0.0), (5, 7, 0.0)),
        ],
        names=TWO,
    )
    assert pairs_of(told) == [(4, 3, 0.5, 1.0)]
    assert totals(told) == {
        "PREDICTIONS": 1,
        "LABELLED": 1,
        "REPEATED_PREDICTIONS": 2,
        "LABELS": 3,
        "REPEATED_LABELS": 2,
    }


def test_an_id_may_come_again_when_its_horizon_has_passed() -> None:
    told = run(
        [predictions(END, (0, 7, 0.5), (3, 7, 0.25), (4, 7, 0.75)), labels(END, (5, 7, 1.0))], names=TWO
    )
    assert pairs_of(told) == [(5, 4, 0.75, 1.0)]
    assert totals(told)["REPEATED_PREDICTIONS"] == 1
    assert counts_of(told)[3, 0][Count.UNLABELLED] == 1


def test_labels_without_a_time_are_known_with_their_prediction() -> None:
    told = run(
        [
            labels(-END, (FROM_START, 7, 1.0), (FROM_START, 7, 0.0)),
            predictions(9, (3, 7, 0.5)),
            labels(END, (FROM_START, 8, 0.0), (FROM_START, 9, 0.0)),
            predictions(END, (9_000, 8, 0.25)),
        ],
        names=TWO,
    )
    assert pairs_of(told) == [(3, 3, 0.5, 1.0), (9_000, 9_000, 0.25, 0.0)]
    assert totals(told) == {
        "PREDICTIONS": 2,
        "LABELLED": 2,
        "LABELS": 4,
        "REPEATED_LABELS": 1,
        "ORPHANS": 1,
    }
    assert counts_of(told)[9_000, 9_000][Count.ORPHANS] == 1


def test_more_rows_than_a_shard_may_hold_cost_the_oldest() -> None:
    limits = JoinLimits(horizon=9, early=9, max_rows=2)
    told = run(
        [
            predictions(END, (1, 5, 0.5), (2, 6, 0.5), (3, 7, 0.5)),
            labels(END, (1, 15, 0.0), (2, 14, 0.0), (3, 13, 0.0), (4, 5, 1.0), (4, 6, 1.0)),
        ],
        limits,
        names=TWO,
    )
    assert pairs_of(told) == [(4, 2, 0.5, 1.0)]
    assert counts_of(told)[3, 1][Count.FORGOTTEN] == 1
    # The oldest label goes in pane 3; in pane 4 that of the forgotten prediction takes the next one's place.
    assert [k for k, v in sorted(counts_of(told).items()) if v[Count.ORPHANS]] == [
        (3, 1),
        (4, 2),
        (12, 3),
        (13, 4),
    ]


def test_late_rows_and_rows_without_an_id_are_counted() -> None:
    late = Report("labels:a", 4, 4, late=((3, 2), (4, 1)))
    told = run(
        [predictions(4, (3, 0, 0.5), (3, 7, 0.5)), late, labels(END, (4, 0, 1.0)), predictions(END)],
        names=TWO,
    )
    assert totals(told) == {
        "PREDICTIONS": 1,
        "PREDICTIONS_WITHOUT_ID": 1,
        "UNLABELLED": 1,
        "LABELS_WITHOUT_ID": 1,
        "LATE_LABELS": 3,
    }


def test_labels_of_a_partition_that_comes_later_are_known_from_then_on() -> None:
    join = begin(names=TWO)
    for report in (predictions(6, (5, 7, 0.5), (5, 8, 0.25)), labels(7)):
        join.add(report.message)
    assert join.close() is not None
    resumed = begin(resume=join.snapshot(), names=[*TWO, "labels:b", "predictions:b"])
    for report in (
        predictions(END),
        labels(END),
        # Its windows have been told: such a prediction is late, its label is not.
        predictions(END, (5, 9, 0.5), partition="b"),
        labels(END, (4, 7, 1.0), (7, 8, 0.0), partition="b"),
    ):
        assert resumed.close() is None
        resumed.add(report.message)
    told = resumed.close()
    assert told is not None
    assert pairs_of([told]) == [(6, 5, 0.5, 1.0), (7, 5, 0.25, 0.0)]
    assert totals([told]) == {"LABELLED": 2, "LABELS": 2, "LATE_PREDICTIONS": 1}


def test_an_unknown_partition_is_refused() -> None:
    with pytest.raises(UnknownPartitionError, match="'labels:z', wanted one of labels:a, predictions:a"):
        begin(names=TWO).add(labels(0, partition="z").message)


@st.composite
def streams(draw: st.DrawFn) -> list[Report]:
    """Draw the batches of up to two partitions a side; frontiers rise, rows come at or after them."""
    names = [name for name in NAMES if name.endswith("a") or draw(st.booleans())]
    found, frontiers, last = list[Report](), dict.fromkeys(names, 0), dict.fromkeys(names, -END)
    timed = draw(st.booleans())
    if not timed:
        frontiers |= {name: -END for name in names if name.startswith("labels")}
    value = iter(range(10_000))
    for name in draw(st.lists(st.sampled_from(names), max_size=25)):
        label = name.startswith("labels")
        from_start = label and not timed
        drawn = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=5))
        placed = sorted((pane, i, ident) for i, (pane, ident) in enumerate(drawn))
        rows = tuple(
            Row(label, name, FROM_START if from_start else frontiers[name] + pane, ident, float(next(value)))
            for pane, _, ident in placed
        )
        if not from_start:
            last[name] = max([last[name], *(row.pane for row in rows)])
            frontiers[name] = max(frontiers[name], last[name] - draw(st.integers(0, 3)))
        found.append(Report(name, frontiers[name], last[name], rows))
    return [*found, *(Report(name, END, last[name]) for name in names)]


LIMITS = st.builds(
    JoinLimits, horizon=st.integers(0, 5), early=st.integers(0, 5), max_rows=st.sampled_from([1, 2, 4, 1_000])
)


@given(stream=streams(), limits=LIMITS, data=st.data(), restarts=st.frozensets(st.integers(0, 30)))
def test_any_order_and_any_restart_give_what_a_batch_join_gives(
    stream: list[Report], limits: JoinLimits, data: st.DataObject, restarts: frozenset[int]
) -> None:
    names = sorted({report.partition for report in stream})
    wanted = batch_join([row for report in stream for row in report.rows], limits)
    told = run(stream, limits, restarts, names)
    assert pairs_of(told) == wanted.pairs
    assert counts_of(told) == dict(wanted.counts)
    # Partitions in any interleaving that keeps each one's own order, batches cut in two.
    queues = {name: [r for r in stream if r.partition == name] for name in names}
    mixed = list[Report]()
    while any(queues.values()):
        name = data.draw(st.sampled_from([n for n, q in queues.items() if q]))
        report = queues[name].pop(0)
        cut = len(report.rows) // 2
        before = max([r.frontier for r in mixed if r.partition == name], default=-END)
        mixed.append(Report(name, before, report.last, report.rows[:cut]))
        mixed.append(Report(name, report.frontier, report.last, report.rows[cut:]))
    again = run(mixed, limits, names=names)
    assert (pairs_of(again), counts_of(again)) == (pairs_of(told), counts_of(told))


@given(stream=streams(), limits=LIMITS)
def test_every_row_is_counted_once(stream: list[Report], limits: JoinLimits) -> None:
    names = sorted({report.partition for report in stream})
    sums = np.sum(
        [c[2] for item in run(stream, limits, names=names) for c in item.counts] or [(0,) * len(Count)],
        axis=0,
    )
    rows = [row for report in stream for row in report.rows]
    if not any(row.pane != FROM_START for row in rows):
        return
    found = {count: int(sums[count]) for count in Count}
    made = found[Count.PREDICTIONS]
    assert made == found[Count.LABELLED] + found[Count.UNLABELLED] + found[Count.FORGOTTEN]
    assert found[Count.LABELS] == found[Count.LABELLED] + found[Count.ORPHANS] + found[Count.REPEATED_LABELS]
    assert sum(not row.label for row in rows) == (
        made + found[Count.REPEATED_PREDICTIONS] + found[Count.PREDICTIONS_WITHOUT_ID]
    )
    assert sum(row.label for row in rows) == found[Count.LABELS] + found[Count.LABELS_WITHOUT_ID]


def test_memory_follows_what_is_held_not_what_has_come() -> None:
    rng = np.random.default_rng(1)
    limits = JoinLimits(horizon=10, early=0, max_rows=1_000_000)
    join = LabelJoin(TWO, (1, 2), limits)
    sizes = []
    for pane in range(60):
        ids = rng.integers(1, 2**63, 500)
        join.add(predictions(pane + 1, *((pane, int(i), 0.5) for i in ids)).message)
        join.add(labels(pane + 1, *((pane, int(i), 0.0) for i in ids[:250])).message)
        assert join.close() is not None
        sizes.append(join.memory)
    held = 10 * 250
    assert join.waiting == (held, 0)
    # Twice what is held: 25 bytes a waiting prediction with one number, 17 one that has its label.
    assert max(sizes[20:]) <= 2 * held * (25 + 17)


def test_panes_that_a_time_out_closed_are_told_once_they_are_worked_off() -> None:
    join, found = begin(names=TWO), list[Joined]()
    for reported in (
        dataclasses.replace(predictions(5), skipped=((2, 5),)),
        dataclasses.replace(labels(4), skipped=((0, 1),)),
        labels(6),
        predictions(7),
        labels(END),
        predictions(END),
    ):
        join.add(reported.message)
        told = join.close()
        found += [] if told is None else [told]
        join = begin(resume=join.snapshot(), names=TWO)
    assert [(each.upto, each.skipped, each.skipped_labels) for each in found] == [
        (4, ((2, 4),), ((0, 1),)),
        (5, ((4, 5),), ()),
        (6, (), ()),
        (7, (), ()),
        (END, (), ()),
    ]


def test_stored_state_of_this_version_still_loads(golden: Golden) -> None:
    def make() -> bytes:
        join = begin(names=TWO)
        join.add(predictions(4, (3, 7, 0.5), (3, 8, 0.25), (5, 10, 0.125)).message)
        join.add(labels(5, (3, 7, 1.0), (2, 9, 1.0), (5, 8, 0.0)).message)
        assert join.close() is not None
        return join.snapshot()

    join = begin(resume=golden("join.v1.bin", make), names=TWO)
    assert join.waiting == (1, 1)
    join.add(predictions(END, (4, 9, 0.75)).message)
    join.add(labels(END).message)
    told = join.close()
    assert told is not None
    assert pairs_of([told]) == [(4, 4, 0.75, 1.0), (5, 3, 0.25, 0.0)]
    assert totals([told])["UNLABELLED"] == 1


def test_ids_hash_to_the_same_number_everywhere() -> None:
    # blake2b, digest_size=8, of the text, little endian; by `python -c` with PYTHONHASHSEED of its own.
    assert hash_ids(["a", "ä", "", None]).tolist() == [
        3405396810240292928,
        int.from_bytes(blake2b("ä".encode(), digest_size=8).digest(), "little"),
        int.from_bytes(blake2b(b"", digest_size=8).digest(), "little"),
        0,
    ]
