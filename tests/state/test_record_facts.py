from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from state.arrivals import MOST_CELLS, WIDTHS_MS, ArrivalCounter, Arrivals
from state.record_facts import RecordFacts, pack_records, unpack_records
from state.reference import load
from state.sketches.base import from_bytes
from state.sketches.keys import key_sample
from state.sketches.records import RecordLayout, Seen
from state.stores.base import StoredReference
from tests.conftest import Golden
from tests.evidence import build

GOLDEN_VERSION = "0786263ee5a2"
"""What the golden file calls its content."""

HOUR = 3_600_000
START = 1_767_571_200_000
"""2026-01-05T00:00Z, a Monday."""


def counted(times: list[int], cuts: list[int]) -> Arrivals | None:
    counter = ArrivalCounter()
    borders = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    for a, b in pairwise(borders):
        counter.add(np.array(times[a:b], dtype=np.int64))
    return counter.arrivals


@given(
    st.lists(st.integers(0, 3_000_000_000), min_size=1, max_size=50),
    st.lists(st.integers(0, 50), max_size=4),
    st.integers(0, 1_000),
)
def test_cells_depend_on_the_times_alone(times: list[int], cuts: list[int], seed: int) -> None:
    whole = counted(times, [])
    shuffled = np.random.default_rng(seed).permutation(times).tolist()
    cut = counted(shuffled, cuts)
    assert whole is not None
    assert cut is not None
    assert (cut.start_ms, cut.width_ms, cut.counts.tolist()) == (
        whole.start_ms,
        whole.width_ms,
        whole.counts.tolist(),
    )
    # The shortest cells that are few enough, each with the times in it.
    narrower = [w for w in WIDTHS_MS if w < whole.width_ms]
    assert max(times) // whole.width_ms - min(times) // whole.width_ms < MOST_CELLS
    assert all(max(times) // w - min(times) // w >= MOST_CELLS for w in narrower)
    for cell, count in enumerate(whole.counts.tolist()):
        begin = whole.start_ms + cell * whole.width_ms
        assert count == sum(begin <= time < begin + whole.width_ms for time in times)


def test_without_times_nothing_is_known() -> None:
    assert ArrivalCounter().arrivals is None


def test_times_that_lie_too_far_apart_are_given_up() -> None:
    assert counted([0, MOST_CELLS * WIDTHS_MS[-1]], []) is None


def test_windows_are_those_that_plain_counting_finds() -> None:
    rng = np.random.default_rng(3)
    times = sorted((START + rng.integers(0, 30 * HOUR, 400)).tolist())
    arrivals = counted(times, [])
    assert arrivals is not None
    found = arrivals.windows(2 * HOUR, HOUR)
    assert found is not None
    begin = arrivals.start_ms + arrivals.width_ms
    end = arrivals.start_ms + (len(arrivals.counts) - 1) * arrivals.width_ms
    starts = range(begin, end - 2 * HOUR + 1, HOUR // 2)
    wanted = [sum(s <= t < s + 2 * HOUR for t in times) for s in starts]
    empty = [sum(not any(p <= t < p + HOUR for t in times) for p in (s, s + HOUR)) for s in starts]
    assert (found[0].tolist(), found[1].tolist()) == (wanted, empty)


def test_cells_longer_than_a_window_say_nothing_of_it() -> None:
    arrivals = Arrivals(start_ms=0, width_ms=HOUR, counts=np.ones(50, dtype=np.int64))
    assert arrivals.windows(HOUR // 2, HOUR // 2) is None
    found = arrivals.windows(HOUR, HOUR // 4)
    assert found is not None
    # Panes are shorter than cells: which of them are empty is not known.
    assert (found[0].tolist(), found[1].tolist()) == ([1] * 48, [0] * 48)
    short = arrivals.windows(100 * HOUR, HOUR)
    assert short is not None
    assert len(short[0]) == 0


def some_facts() -> RecordFacts:
    return RecordFacts(
        rows=10,
        keyed=9,
        keys=key_sample(np.array([4, 4, 9])),
        refused={"malformed": 3, "no_time": 0},
        wrong={"x": 1},
        sampled=5,
        fields={"x": 5, "rare": 1},
        arrivals=Arrivals(start_ms=0, width_ms=HOUR, counts=np.array([1, 0, 2])),
    )


def test_facts_go_through_bytes_unchanged() -> None:
    facts = some_facts()
    packed = pack_records(facts)
    again = unpack_records(packed)
    assert pack_records(again) == packed
    assert (again.records, again.known, again.seen_once) == (13, frozenset({"x", "rare"}), 1)
    assert again.keys.tolist() == [[4, 2], [9, 1]]
    assert again.refused == {"malformed": 3}
    assert again.arrivals is not None
    assert again.arrivals.counts.tolist() == [1, 0, 2]


def test_fields_of_no_record_are_not_known() -> None:
    facts = RecordFacts(
        rows=1,
        keyed=1,
        keys=key_sample(np.array([4])),
        refused={},
        wrong={},
        sampled=0,
        fields={},
        arrivals=None,
    )
    assert facts.known is None
    assert unpack_records(pack_records(facts)).arrivals is None


def test_references_that_know_their_records_still_load(golden: Golden) -> None:
    wanted = replace(build(sources=("golden.csv",)), records=some_facts())
    body = golden("reference.v3.records.bin", lambda: wanted.stored().body)
    info = replace(wanted.stored().info, version=GOLDEN_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert read.stored().body == body
    assert read.records is not None
    assert pack_records(read.records) == pack_records(some_facts())


def test_what_is_known_of_records_is_part_of_the_version() -> None:
    plain = build()
    known = replace(plain, records=some_facts())
    more = replace(plain, records=replace(some_facts(), rows=11))
    assert len({plain.version, known.version, more.version}) == 3


def test_sketches_of_records_still_load(golden: Golden) -> None:
    layout = RecordLayout(reasons=("malformed",), columns=("x",), paths={"x": "x"}, known=frozenset({"x"}))
    seen = Seen(
        rows=3,
        late=1,
        keys=np.array([7, 7, 9]),
        refused={("malformed", None): 2},
        fields={("x", "new"): 1},
        statuses=3,
        errors=1,
    )
    body = golden("records.v1.bin", lambda: layout.sketch(seen).to_bytes())
    read = from_bytes(body)
    assert read.to_bytes() == layout.sketch(seen).to_bytes() == body
    assert read.keys is not None
    assert read.keys.tolist() == [[7, 2], [9, 1]]
    assert [name for _, name in read.names] == ["new"]
