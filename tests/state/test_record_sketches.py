from collections import Counter
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import IntArray
from state.sketches.base import LATE, NAME_SAMPLE, ROWS, Sketch, from_bytes, merge_all
from state.sketches.keys import MOST_KEYS, NO_KEY, different_keys, key_sample, merge_keys, repeats
from state.sketches.records import ERRORS, KEYED, SAMPLED, STATUSES, UNKNOWN, RecordLayout, Seen, array_name

LAYOUT = RecordLayout(
    reasons=("malformed", "wrong_type"),
    columns=("x", "c"),
    paths={"x": "x", "c": "in.c"},
    known=frozenset({"x", "in.c", "id"}),
)

FIELDS = st.dictionaries(
    st.lists(st.sampled_from(["x", "in.c", "id", "new", "newer"]), unique=True, max_size=4).map(tuple),
    st.integers(1, 9),
    max_size=3,
)
SEEN = st.builds(
    lambda keys, late, refused, fields, statuses, errors: Seen(
        rows=len(keys),
        late=late,
        keys=np.array(keys, dtype=np.int64),
        refused=refused,
        fields=fields,
        statuses=statuses,
        errors=min(errors, statuses),
    ),
    st.lists(st.integers(NO_KEY, 5) | st.integers(0, 2**62), max_size=30),
    st.integers(0, 3),
    st.dictionaries(
        st.sampled_from([("malformed", None), ("wrong_type", None), ("wrong_type", "c")]), st.integers(1, 5)
    ),
    FIELDS,
    st.integers(0, 9),
    st.integers(0, 9),
)


@given(st.lists(SEEN, min_size=1, max_size=6), st.data())
def test_any_cut_and_order_gives_the_same_bytes(parts: list[Seen], data: st.DataObject) -> None:
    sketches = [LAYOUT.sketch(part) for part in parts]
    whole = reduce(Sketch.merge, sketches).to_bytes()
    mixed = data.draw(st.permutations(sketches))
    assert merge_all(mixed).to_bytes() == whole
    assert reduce(Sketch.merge, mixed).to_bytes() == whole
    assert from_bytes(whole).to_bytes() == whole


@given(st.lists(SEEN, min_size=1, max_size=4))
def test_everything_is_counted_once(parts: list[Seen]) -> None:
    sketch = merge_all([LAYOUT.sketch(part) for part in parts])
    assert sketch.rows == sum(part.rows for part in parts)
    assert sketch.counters[LATE] == sum(part.late for part in parts)
    refused, wrong = Counter[str](), Counter[str]()
    fields = Counter[tuple[str, ...]]()
    for part in parts:
        fields.update(part.fields)
        for (reason, column), count in part.refused.items():
            refused[reason] += count
            if column is not None:
                wrong[column] += count
    assert LAYOUT.refused(sketch) == {reason: refused[reason] for reason in LAYOUT.reasons}
    assert LAYOUT.wrong(sketch) == {column: wrong[column] for column in LAYOUT.columns}
    assert sketch.counters[SAMPLED] == fields.total()
    assert LAYOUT.absent(sketch) == {
        column: sum(n for names, n in fields.items() if path not in names)
        for column, path in LAYOUT.paths.items()
    }
    new = {name for names in fields for name in names if name in {"new", "newer"}}
    assert {name for _, name in sketch.names} == new
    assert sketch.counters[UNKNOWN] == sum(n for names, n in fields.items() if new & set(names))
    assert sketch.counters[KEYED] == sum(int((part.keys >= 0).sum()) for part in parts)
    assert sketch.counters[STATUSES] == sum(part.statuses for part in parts)
    assert sketch.counters[ERRORS] == sum(part.errors for part in parts)


def test_a_reference_that_knows_no_fields_calls_none_unknown() -> None:
    layout = RecordLayout(reasons=(), columns=("x",), paths={"x": "x"}, known=None)
    sketch = layout.sketch(Seen(fields={("new",): 3}))
    assert (int(sketch.counters[UNKNOWN]), sketch.names, layout.absent(sketch)) == (0, (), {"x": 3})


def test_few_unknown_names_are_kept_of_many() -> None:
    many: dict[tuple[str, ...], int] = {(f"field{number}",): 1 for number in range(500)}
    assert len(LAYOUT.sketch(Seen(fields=many)).names) == NAME_SAMPLE


def hashed(keys: IntArray) -> IntArray:
    """Scatter small numbers over 63 bits, each to one place."""
    table = np.random.default_rng(7).integers(0, 2**63 - 1, int(keys.max()) + 1)
    return table[keys]


@settings(max_examples=30)
@given(
    keys=st.lists(st.integers(0, 3_000), min_size=1, max_size=400),
    more=st.sampled_from([0, 3_000]),
    cuts=st.lists(st.integers(0, 3_400), max_size=5),
    data=st.data(),
)
def test_a_sample_of_keys_holds_the_whole_count_of_each(
    keys: list[int], more: int, cuts: list[int], data: st.DataObject
) -> None:
    values = hashed(np.array([*keys, *range(more), 3_000]))
    counts = Counter(values.tolist())
    wanted = [(key, counts[key]) for key in sorted(counts)[:MOST_KEYS]]
    borders = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = data.draw(st.permutations([key_sample(values[a:b]) for a, b in pairwise(borders)]))
    assert list(map(tuple, merge_keys(parts).tolist())) == wanted


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300))
def test_few_keys_are_counted_exactly(keys: list[int]) -> None:
    counts = Counter(keys)
    found = repeats(key_sample(hashed(np.array([*keys, 40]))[:-1]), len(keys))
    assert (found.records, found.keys, found.exact) == (len(keys), len(counts), True)
    assert found.copies == len(keys) - len(counts)
    extra = [count - 1 for count in counts.values()]
    assert found.clump == (sum(x * x for x in extra) / sum(extra) if any(extra) else 1.0)
    assert found.share == pytest.approx(1 - len(counts) / len(keys))


def test_the_share_of_copies_of_many_keys_is_unbiased() -> None:
    # 20,000 keys, of which every tenth came twice: 2,000 of 22,000 records are copies. A sample of 1,024 keys
    # tells that share with a standard error of sqrt(.1 * .9 / 1024) = .0094 of the keys.
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(60):
        keys = rng.integers(0, 2**63 - 1, 20_000)
        found = repeats(key_sample(np.concatenate([keys, keys[:2_000]])), 22_000)
        assert (found.keys, found.exact) == (MOST_KEYS, False)
        shares.append(found.share)
    assert abs(float(np.mean(shares)) - 2_000 / 22_000) < 4 * 0.0094 / 60**0.5


def test_one_key_of_very_many_records_leaves_too_few_keys() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        keys = rng.integers(0, 2**63 - 1, 30_000)
        sample = key_sample(np.concatenate([keys, np.repeat(keys[:1], 20_000)]))
        least = 1 - different_keys(sample, 50_000, deviations=4.0) / 50_000
        # Two fifths are copies; four standard errors of 1/32 of the 30,000 keys are taken off.
        assert 0.25 < least < 0.4
        assert different_keys(key_sample(keys), 30_000, deviations=5.0) == 30_000
        # Few keys are counted.
        assert different_keys(key_sample(np.repeat(keys[:9], 5)), 45, deviations=5.0) == 9


def test_missing_keys_are_nobodys_copies() -> None:
    sketch = LAYOUT.sketch(Seen(rows=3, keys=np.array([NO_KEY, NO_KEY, 5])))
    assert sketch.keys is not None
    assert (sketch.counters[ROWS], sketch.counters[KEYED], sketch.keys.tolist()) == (3, 1, [[5, 1]])


def test_an_element_is_there_where_its_array_is() -> None:
    layout = RecordLayout(
        reasons=(), columns=("p", "q"), paths={"p": "proba.1", "q": "proba.x"}, known=frozenset()
    )
    sketch = layout.sketch(Seen(fields={(array_name("proba"),): 2, ("proba",): 3}))
    assert layout.absent(sketch) == {"p": 3, "q": 3}
