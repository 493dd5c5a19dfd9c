"""A partition that appears in mid-run: windows that lack its rows were told before, or say so."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from state.durations import Axis
from state.grid import END, WindowSpec, build_grid
from state.panes import PaneMerger, Partial
from state.sketches.base import LATE, ROWS, Sketch, empty
from state.windows import ClosedWindow, Windows
from tests.strategies import HOUR

GRID = build_grid(
    (
        WindowSpec(name="shift", size=3 * HOUR, slide=3 * HOUR),
        WindowSpec(name="last", size=3 * HOUR, slide=HOUR),
    ),
    axis=Axis.MILLISECONDS,
    zone="UTC",
    origin=0,
)
"""Three panes a window: the first kind shares none, of the second three are open at any time."""

TUMBLING = 0

Key = tuple[int, int]


def rows(count: int) -> Sketch:
    sketch = empty(5)
    sketch.counters[ROWS] = count
    return sketch


def partials(name: str, counts: Sequence[int]) -> list[Partial]:
    """One batch a pane, rows in order of time."""
    sent: list[Partial] = [
        (name, pane, pane, ((pane, 0, rows(count).to_bytes()),) if count else (), ())
        for pane, count in enumerate(counts)
    ]
    return [*sent, (name, END, len(counts) - 1, (), ())]


@dataclass
class Column:
    """The steps from partials to windows, and what they told."""

    merger: PaneMerger
    windows: Windows
    told: dict[Key, ClosedWindow]

    @classmethod
    def start(cls, partitions: Sequence[str]) -> "Column":
        return cls(PaneMerger.start(partitions), Windows.start(GRID.windows), {})

    def again(self, partitions: Sequence[str]) -> "Column":
        """Go on from a snapshot, with other partitions."""
        return Column(
            PaneMerger.start(partitions, self.merger.snapshot()),
            Windows.start(GRID.windows, self.windows.snapshot()),
            {},
        )

    def take(self, sent: Sequence[Partial]) -> None:
        for partial in sent:
            self.merger.add(partial)
            closed = self.merger.close()
            for window in [] if closed is None else self.windows.add(closed):
                if isinstance(window, ClosedWindow):
                    self.told[window.spec, window.start] = window


def whole(old: Sequence[int], new: Sequence[int]) -> dict[Key, ClosedWindow]:
    """What is told where both partitions are there from the start."""
    column = Column.start(["old", "new"])
    column.take([*partials("old", old), *partials("new", new)])
    return column.told


def rows_and_late(window: ClosedWindow) -> tuple[int, int]:
    return window.sketch.rows, int(window.sketch.counters[LATE])


counts = st.lists(st.integers(0, 4), min_size=12, max_size=12).map(lambda drawn: [1, *drawn, 1])


@given(counts, counts, st.integers(0, 14))
@example(old=[2] * 14, new=[1] * 14, known=8)
def test_a_window_that_lacks_rows_of_a_new_partition_was_told_before_or_says_so(
    old: list[int], new: list[int], known: int
) -> None:
    before = Column.start(["old"])
    before.take(partials("old", old)[:known])
    after = before.again(["old", "new"])
    after.take(partials("old", old)[known:])
    assert not after.told  # Nothing closes before the new partition has reported.
    after.take(partials("new", new))
    wanted = whole(old, new)
    assert not any(window.incomplete for window in [*before.told.values(), *wanted.values()])
    for key, window in after.told.items():
        assert window.sketch.rows == wanted[key].sketch.rows or window.incomplete
    # No row goes missing: each is in a window, or told as late.
    told = [window for (spec, _), window in {**before.told, **after.told}.items() if spec == TUMBLING]
    assert sum(sum(rows_and_late(window)) for window in told) == sum(old) + sum(new)


@given(counts, counts, st.integers(0, 14))
def test_nothing_differs_where_a_new_partition_begins_behind_what_is_closed(
    old: list[int], new: list[int], known: int
) -> None:
    sent = partials("old", old)[:known]
    new = [0 if pane < known else count for pane, count in enumerate(new)]
    before = Column.start(["old"])
    before.take(sent)
    after = before.again(["old", "new"])
    after.take([*partials("new", new), *partials("old", old)[known:]])
    assert {
        key: (rows_and_late(window), window.incomplete)
        for key, window in {**before.told, **after.told}.items()
    } == {key: (rows_and_late(window), window.incomplete) for key, window in whole(old, new).items()}


def test_windows_that_are_open_over_dropped_rows_say_so() -> None:
    before = Column.start(["old"])
    before.take(partials("old", [2] * 14)[:8])
    after = before.again(["old", "new"])
    after.take([*partials("new", [1] * 14), *partials("old", [2] * 14)[8:]])
    # Panes 0 to 6 were closed when the new partition was known, and windows over 5 or 6 still open.
    # Three rows a pane, less one of each closed pane; the seven are late in pane 7.
    said = {key: (*rows_and_late(window), window.incomplete) for key, window in after.told.items()}
    assert said == {
        (0, 6): (8, 7, True),
        (0, 9): (9, 0, False),
        (0, 12): (6, 0, False),
        (1, 5): (7, 7, True),
        (1, 6): (8, 7, True),
        (1, 7): (9, 7, False),
        **{(1, start): (9, 0, False) for start in range(8, 12)},
    }
