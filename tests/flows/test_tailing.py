from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from zlib import crc32

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.event_sources import FileTail
from flows.sinks.jsonl import JsonlFile
from flows.tailing import SeenIds, follow
from state.events import EventType


def body(identity: str, *, model: str = "fraud", kind: str = EventType.OPENED) -> bytes:
    return orjson.dumps({"id": identity, "type": kind, "partitionkey": model, "data": {}})


class Given:
    """Gives batches in turn; caught up where one is empty."""

    def __init__(self, *batches: Sequence[bytes]) -> None:
        self.batches = list(batches)
        self.caught_up = False

    def read(self) -> Sequence[bytes]:
        if not self.batches:
            raise KeyboardInterrupt
        batch = self.batches.pop(0)
        self.caught_up = not batch
        return batch

    def position(self) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing is open."""


def pause() -> None:
    """Do not wait."""


def followed(
    source: Given,
    *,
    last: int | None = None,
    types: frozenset[EventType] = frozenset(EventType),
    on_foreign: Callable[[], None] = pause,
) -> list[str]:
    """Follow until Ctrl-C, which the source does when it has nothing more; the ids that came."""
    found: list[str] = []
    events = follow(source, model="fraud", last=last, types=types, wait=pause, on_foreign=on_foreign)
    with pytest.raises(KeyboardInterrupt):
        found.extend(event.id for event in events)
    return found


def test_each_id_once_and_only_of_this_model() -> None:
    batches: tuple[list[bytes], ...] = (
        [body("a"), body("b"), body("a")],
        [],
        [body("c", model="credit"), body("b"), body("d")],
    )
    assert followed(Given(*batches)) == ["a", "b", "d"]


def test_last_counts_what_is_wanted_and_there_at_the_start() -> None:
    reports = [body(f"r{n}", kind=EventType.REPORT) for n in range(3)]
    batches: tuple[list[bytes], ...] = (
        [body("a"), body("b"), *reports],
        [body("c"), *reports],
        [],
        [body("d")],
    )
    wanted = frozenset({EventType.OPENED})
    assert followed(Given(*batches), types=wanted, last=2) == ["b", "c", "d"]
    assert followed(Given(*batches), types=wanted, last=0) == ["d"]
    assert followed(Given(*batches), types=wanted) == ["a", "b", "c", "d"]


def test_without_following_it_ends_where_the_source_has_no_more() -> None:
    source = Given([body("a")], [body("b")], [], [body("c")])
    found = follow(source, model="fraud", forever=False, wait=pause)
    assert [event.id for event in found] == ["a", "b"]


@pytest.mark.parametrize("foreign", [b"", b"\xff", b"not json", b"[]", b'{"id": "x", "type": "other"}'])
def test_what_is_no_event_is_told_and_left_out(foreign: bytes) -> None:
    told: list[None] = []
    assert followed(Given([foreign, body("a")]), on_foreign=lambda: told.append(None)) == ["a"]
    assert len(told) == 1


def test_an_event_is_one_line_however_it_was_written() -> None:
    written = orjson.dumps(orjson.loads(body("a")), option=orjson.OPT_INDENT_2)
    (event,) = follow(Given([written], []), model="fraud", forever=False, wait=pause)
    assert event.body == body("a")


def test_memory_of_ids_is_bounded_and_forgets_the_oldest() -> None:
    seen = SeenIds(most=3)
    assert [seen.add(name) for name in "abcab"] == [True, True, True, False, False]
    assert seen.add("d")
    assert [seen.add(name) for name in "bcd"] == [False] * 3
    assert seen.add("a")
    assert len(seen._known) == len(seen._order) == 3


def drained(tail: FileTail) -> list[str]:
    found: list[str] = []
    while lines := tail.read():
        found += [orjson.loads(line)["id"] for line in lines]
    return found


def test_a_file_that_is_cut_and_written_on_is_read_from_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = FileTail(path)
    assert drained(tail) == []
    with closing(JsonlFile(path, None)) as file:
        file.write([body("a"), body("b")])
        cut = file.snapshot()
        file.write([body("c"), body("d")])
    assert drained(tail) == ["a", "b", "c", "d"]
    with closing(JsonlFile(path, cut)) as file:
        # Shorter than what was read, then longer, with other events in between.
        assert drained(tail) == []
        file.write([body("e"), body("f"), body("g")])
    assert drained(tail) == ["e", "f", "g"]


def test_a_file_that_grew_past_what_was_read_between_two_looks(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = FileTail(path)
    path.write_bytes(b"".join(body(name) + b"\n" for name in "abc"))
    assert drained(tail) == ["a", "b", "c"]
    path.write_bytes(b"".join(body(name) + b"\n" for name in "axyz"))
    assert drained(tail) == ["x", "y", "z"]


def test_half_a_line_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = FileTail(path)
    path.write_bytes(body("a") + b"\n" + body("b")[:10])
    assert drained(tail) == ["a"]
    with path.open("ab") as file:
        file.write(body("b")[10:] + b"\n")
    assert drained(tail) == ["b"]


def test_beyond_the_marks_it_reads_again_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = FileTail(path, most_marks=2)
    path.write_bytes(b"".join(body(name) + b"\n" for name in "abcd"))
    assert drained(tail) == ["a", "b", "c", "d"]
    path.write_bytes(b"".join(body(name) + b"\n" for name in "ab"))
    assert drained(tail) == ["a", "b"]


Step = tuple[int, int]
"""How many lines of the file a life keeps (modulo what is there), and how many it then writes."""


@given(steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=12), data=st.data())
def test_every_event_that_stays_is_given_once_whatever_is_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("tail") / "events.jsonl"
    tail, seen = FileTail(path), SeenIds()
    content: list[str] = []
    given_out: list[str] = []
    for number, (keep, write) in enumerate(steps):
        content = content[: keep % (len(content) + 1)]
        # Half of the lives write what the one before wrote: a replay; the others something new.
        again = data.draw(st.booleans())
        for place in range(write):
            # A replay writes what follows from the lines before: no line stands behind two different logs.
            behind = crc32("".join(content).encode())
            content.append(f"replay-{len(content)}-{behind}" if again else f"new-{number}-{place}-{behind}")
        path.write_bytes(b"".join(body(name) + b"\n" for name in content))
        if data.draw(st.booleans()):
            given_out += [name for name in drained(tail) if seen.add(name)]
    given_out += [name for name in drained(tail) if seen.add(name)]
    assert len(given_out) == len(set(given_out))
    assert set(content) <= set(given_out)
