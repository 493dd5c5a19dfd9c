"""The generator's readers give the rows of the scenario under any cut, resume and partitioning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.scenarios.base import BLOCK_ROWS, ScenarioOptions
from flows.scenarios.lines import json_lines
from flows.scenarios.registry import scenario
from flows.sources.base import Reader, SourceError
from flows.sources.generator import GeneratorReader, generator_readers

DEMO = scenario("demo")
OPTIONS = ScenarioOptions(rows=2 * BLOCK_ROWS + 301, seed=6)
WHOLE = json_lines(DEMO, OPTIONS, 0, OPTIONS.rows)


def drain(reader: Reader, max_records: int = 400) -> tuple[list[bytes], list[int], int]:
    """Records, numbers and the sum of sizes up to the end."""
    records: list[bytes] = []
    numbers: list[int] = []
    size = 0
    while (batch := reader.read(max_records)) is not None:
        assert 0 < len(batch.records) <= max_records
        assert batch.refused == ()
        records.extend(batch.records)
        numbers.extend(batch.numbers)
        size += batch.size
    return records, numbers, size


@given(
    partitions=st.integers(1, 7),
    cuts=st.lists(st.integers(1, 3000), max_size=6),
    data=st.data(),
)
def test_cuts_and_resumes_change_nothing(partitions: int, cuts: list[int], data: st.DataObject) -> None:
    partition = data.draw(st.integers(0, partitions - 1))
    reader = GeneratorReader(DEMO, OPTIONS, partition=partition, partitions=partitions)
    records: list[bytes] = []
    numbers: list[int] = []
    for cut in cuts:
        batch = reader.read(cut)
        if batch is not None:
            records.extend(batch.records)
            numbers.extend(batch.numbers)
        if data.draw(st.booleans()):
            position = reader.position()
            reader.close()
            reader = GeneratorReader(
                DEMO, OPTIONS, partition=partition, partitions=partitions, position=position
            )
    rest, rest_numbers, _ = drain(reader)
    assert records + rest == WHOLE[partition::partitions]
    assert numbers + rest_numbers == list(range(len(WHOLE[partition::partitions])))


@pytest.mark.parametrize("partitions", [1, 2, 5, 1500])
def test_partitions_share_the_rows_in_turn(partitions: int) -> None:
    readers = generator_readers(DEMO, OPTIONS, partitions=partitions)
    assert sum(reader.total_bytes for reader in readers) == OPTIONS.rows
    for partition in {0, partitions // 2, partitions - 1}:
        records, numbers, size = drain(readers[partition])
        assert records == WHOLE[partition::partitions]
        assert numbers == list(range(len(records)))
        assert size == readers[partition].total_bytes == len(records)


def test_readers_resume_where_their_positions_say() -> None:
    readers = generator_readers(DEMO, OPTIONS, partitions=2)
    assert readers[1].read(100) is not None
    resumed = generator_readers(DEMO, OPTIONS, partitions=2, positions={1: readers[1].position()})
    assert drain(resumed[0])[0] == WHOLE[0::2]
    assert drain(resumed[1])[0] == WHOLE[1::2][100:]


def test_the_end_stays_the_end_also_after_a_resume() -> None:
    reader = GeneratorReader(DEMO, OPTIONS)
    drain(reader)
    assert reader.read(5) is None
    resumed = GeneratorReader(DEMO, OPTIONS, position=reader.position())
    assert resumed.read(5) is None
    assert resumed.position() == reader.position()


def test_a_partition_without_rows_ends_at_once() -> None:
    reader = GeneratorReader(DEMO, ScenarioOptions(rows=2), partition=2, partitions=3)
    assert reader.total_bytes == 0
    assert reader.read(1) is None


@pytest.mark.parametrize("position", [b"", b"-3", b"x", b"\xff", b"3", "\u0663".encode()])
def test_positions_of_something_else_are_refused(position: bytes) -> None:
    # 3 is a row of partition 1 of 2.
    with pytest.raises(SourceError, match="wanted a row of partition 0 of 2"):
        GeneratorReader(DEMO, OPTIONS, partition=0, partitions=2, position=position)


def test_partitions_that_do_not_exist_are_refused() -> None:
    with pytest.raises(SourceError, match="generator partition is 2 of 2, wanted 0 to 1"):
        GeneratorReader(DEMO, OPTIONS, partition=2, partitions=2)
    with pytest.raises(SourceError, match="0 partitions"):
        generator_readers(DEMO, OPTIONS, partitions=0)
