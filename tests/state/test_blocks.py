from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.blocks import Block, Blocks, BlockSpec
from state.grid import END
from state.sketches.base import ROWS, Sketch, empty

WIDTH = 6


def sketch(rows: int) -> Sketch:
    made = empty(WIDTH)
    made.counters[ROWS] = rows
    return made


def told(blocks: list[Block]) -> list[tuple[int, int, int]]:
    return [(block.start, block.end, block.sketch.rows) for block in blocks]


def oracle(panes: dict[int, int], spec: BlockSpec) -> list[tuple[int, int, int]]:
    """From the definition: the shortest runs of panes with enough rows and panes, one after the other."""
    found, rest = list[tuple[int, int, int]](), sorted(panes)
    while rest:
        start = rest[0]
        ends = (
            end
            for end in range(start + spec.panes, rest[-1] + spec.panes + 2)
            if sum(panes[p] for p in rest if p < end) >= spec.rows
        )
        end = next(ends, None)
        if end is None:
            return found
        found.append((start, end, sum(panes[p] for p in rest if p < end)))
        rest = [p for p in rest if p >= end]
    return found


specs = st.builds(
    lambda rows, panes: BlockSpec(rows=rows, panes=panes), st.integers(1, 300), st.integers(1, 6)
)
streams = st.dictionaries(st.integers(-20, 60), st.integers(1, 100), max_size=40)


@settings(max_examples=200)
@given(spec=specs, panes=streams, data=st.data())
def test_blocks_are_those_of_the_definition_however_panes_come(
    spec: BlockSpec, panes: dict[int, int], data: st.DataObject
) -> None:
    blocks, found, done = Blocks.begin(spec), list[Block](), -30
    while done < 70:
        upto = data.draw(st.integers(done + 1, 71))
        found += blocks.add([(p, sketch(panes[p])) for p in sorted(panes) if done <= p < upto], upto)
        done = upto
        if data.draw(st.booleans()):
            blocks = Blocks.begin(spec, 0, blocks.snapshot())
    found += blocks.add([], END)
    assert told(found) == oracle(panes, spec)


@settings(max_examples=100)
@given(spec=specs, panes=streams)
def test_blocks_share_no_row_and_their_number_is_bounded(spec: BlockSpec, panes: dict[int, int]) -> None:
    found = Blocks.begin(spec).add([(p, sketch(panes[p])) for p in sorted(panes)], END)
    for earlier, later in pairwise(found):
        assert earlier.end <= later.start
    for block in found:
        assert block.sketch.rows >= spec.rows
        assert block.end - block.start >= spec.panes
    # What the budget of false alarms counts on.
    assert len(found) * spec.panes <= 60 + 20 + 1 + spec.panes


def test_the_counts_of_a_block_are_those_of_its_panes() -> None:
    panes = [(i, Sketch(counters=np.full(WIDTH, i + 1), names=())) for i in range(3)]
    (block,) = Blocks.begin(BlockSpec(rows=6, panes=1)).add(panes, 3)
    assert block.sketch.counters.tolist() == [6] * WIDTH
    assert (block.start, block.end) == (0, 3)


def test_what_is_not_full_is_dropped_at_the_end() -> None:
    assert Blocks.begin(BlockSpec(rows=10, panes=1)).add([(0, sketch(9))], END) == []


@pytest.mark.parametrize("upto", [4, 7, END])
def test_a_block_ends_where_it_has_its_panes_whenever_it_is_looked_at(upto: int) -> None:
    blocks = Blocks.begin(BlockSpec(rows=10, panes=4))
    assert blocks.add([(0, sketch(50))], 3) == []
    assert told(blocks.add([], upto)) == [(0, 4, 50)]
