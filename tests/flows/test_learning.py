from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from flows.decode.base import Decoder
from flows.input import InputSet, OpenReader
from flows.learning import learn_reference, shares
from flows.sources.base import RawBatch, Reader
from state.reference import BadReferenceError, Reference
from tests.streams import CATEGORICAL, NUMERIC, MemoryDecoder, MemoryReader, Row

COLUMNS = (NUMERIC, CATEGORICAL)


def rows(start: int, many: int) -> tuple[Row, ...]:
    return tuple(Row(i, float(i % 7), "ab"[i % 2]) for i in range(start, start + many))


@dataclass
class Growing:
    """A live partition: `there` of its rows can be read by now."""

    rows: Sequence[Row]
    cut: int
    there: int = 0
    at: int = 0
    opened: int = 0
    closed: int = 0

    def open(self, _position: bytes | None) -> tuple[Reader, Decoder]:
        self.opened += 1
        return self, MemoryDecoder(self.rows)

    def read(self, max_records: int) -> RawBatch:
        numbers = range(self.at, min(self.at + min(self.cut, max_records), self.there))
        self.at += len(numbers)
        return RawBatch(records=[b"%d" % number for number in numbers], numbers=list(numbers))

    def position(self) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


@dataclass
class Topic:
    """Partitions that grow while somebody waits."""

    parts: dict[str, Growing]
    grow: Callable[[dict[str, Growing]], None]
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.grow(self.parts)

    def learned(self, many: int) -> Reference:
        source = InputSet(
            readers={name: part.open for name, part in self.parts.items()},
            total=0,
            unit="bytes",
            names=("t",),
            live=True,
        )
        return learn_reference(source, COLUMNS, model="m", rows=many, now_ms=0, sleep=self.sleep).reference


def by(step: int) -> Callable[[dict[str, Growing]], None]:
    def grow(parts: dict[str, Growing]) -> None:
        for part in parts.values():
            part.there = min(part.there + step, len(part.rows))

    return grow


@pytest.mark.parametrize(("cut", "step"), [(3, 5), (100, 1), (7, 1_000)])
def test_a_live_input_gives_the_same_however_fast_it_comes(cut: int, step: int) -> None:
    def parts(cut: int) -> dict[str, Growing]:
        return {"t-0": Growing(rows(0, 200), cut), "t-1": Growing(rows(1_000, 90), cut)}

    topic = Topic(parts(cut), by(step))
    found = topic.learned(101)
    assert found.provenance.rows == 101
    assert (topic.parts["t-0"].at, topic.parts["t-1"].at) == (51, 50)
    assert [(part.opened, part.closed) for part in topic.parts.values()] == [(1, 1)] * 2
    assert found.version == Topic(parts(1_000), by(1_000)).learned(101).version
    assert topic.slept


def test_what_it_waits_for_is_said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.patience.FIRST_WORD_S", 0.0)
    beats = list[int]()
    part, silent = Growing(rows(0, 60), 100, there=60), Growing(rows(0, 60), 100)

    def sleep(_seconds: float) -> None:
        silent.there = 60 if beats[2:] else 10

    source = InputSet(
        readers={"t-0": part.open, "t-1": silent.open}, total=0, unit="bytes", names=("t",), live=True
    )
    learn_reference(
        source, COLUMNS, model="m", rows=80, now_ms=0, on_wait=lambda: beats.append(1), sleep=sleep
    )
    assert len(beats) >= 2
    assert "wanted 30 more of t-1" in caplog.text


def test_a_bounded_input_gives_its_first_good_rows_or_is_refused() -> None:
    first, second = rows(0, 50), rows(50, 50)

    def opener(part: Sequence[Row], at: bytes | None) -> tuple[Reader, Decoder]:
        return MemoryReader(part, [9], at), MemoryDecoder(part)

    readers: dict[str, OpenReader] = {"a": partial(opener, first), "b": partial(opener, second)}
    source = InputSet(readers=readers, total=0, unit="rows", names=("a", "b"))
    assert learn_reference(source, COLUMNS, model="m", rows=70, now_ms=0).reference.provenance.rows == 70
    with pytest.raises(
        BadReferenceError, match=r"`reference\.rows`: the input has 100 good rows, wanted 101"
    ):
        learn_reference(source, COLUMNS, model="m", rows=101, now_ms=0)


@pytest.mark.parametrize(("many", "parts"), [(1, 3), (10, 3), (12, 4), (7, 1)])
def test_shares_sum_to_the_whole(many: int, parts: int) -> None:
    found = shares(many, [f"p{i}" for i in range(parts)])
    assert sum(found.values()) == many
    assert max(found.values()) - min(found.values()) <= 1
