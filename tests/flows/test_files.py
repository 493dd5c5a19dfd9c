import csv
import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.decode.base import Reason
from flows.sources.base import RefusedRecord, SourceError
from flows.sources.files import FileReader, open_lines
from flows.sources.formats import FileFormat

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)

LIMIT = 12

# Everything that matters to the splitter, in few letters so that combinations come up.
streams = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b'"', b",", b"a", b"bcd", b"e" * 14]), max_size=25
).map(b"".join)


def drain(reader: FileReader, max_records: int = 1_000) -> list[tuple[int, bytes] | RefusedRecord]:
    """Read to the end and close; records and refusals in order of their numbers."""
    found: dict[int, tuple[int, bytes] | RefusedRecord] = {}
    while (batch := reader.read(max_records)) is not None:
        assert 0 < len(batch.records) + len(batch.refused) <= max_records
        found |= {number: (number, raw) for number, raw in zip(batch.numbers, batch.records, strict=True)}
        found |= {refused.number: refused for refused in batch.refused}
    reader.close()
    assert sorted(found) == list(range(len(found)))
    return [found[number] for number in sorted(found)]


def lines_of(content: bytes, limit: int) -> list[bytes | None]:
    """Oracle for JSONL: records, None for too long ones."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    stripped = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    return [line if len(line) <= limit else None for line in stripped if line]


@relaxed
@given(content=streams, compress=st.booleans(), block_bytes=st.integers(1, 40), max_records=st.integers(1, 5))
@example(content=b"\xef\xbb\xbf" + b"a" * LIMIT + b"\r\nb", compress=False, block_bytes=1, max_records=1)
def test_records_are_the_lines_however_reads_are_cut(
    *, tmp_path: Path, content: bytes, compress: bool, block_bytes: int, max_records: int
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(gzip.compress(content) if compress else content)
    reader = open_lines(path, max_record_bytes=LIMIT, block_bytes=block_bytes)
    found = drain(reader, max_records)
    expected = lines_of(content, LIMIT)
    assert [None if isinstance(item, RefusedRecord) else item[1] for item in found] == expected
    lines = [line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    # What stands behind the last line end is no line.
    assert reader.empty_lines == lines.count(b"") - (
        content.endswith((b"\n", b"\xef\xbb\xbf")) or not content
    )


@relaxed
@given(
    content=streams,
    quoted=st.booleans(),
    block_bytes=st.integers(1, 40),
    max_records=st.integers(1, 5),
    reads=st.integers(0, 8),
)
@example(content=b'"a\n\n",e\n"' + b"x\n" * 12 + b'y"\nz', quoted=True, block_bytes=1, max_records=1, reads=1)
def test_resuming_anywhere_gives_the_rest(
    *, tmp_path: Path, content: bytes, quoted: bool, block_bytes: int, max_records: int, reads: int
) -> None:
    form = FileFormat.CSV if quoted else FileFormat.JSONL
    for name, data in (("p", b"h\n" + content), ("z", gzip.compress(b"h\n" + content))):
        path = tmp_path / name
        path.write_bytes(data)
        whole_reader = open_lines(path, format=form, max_record_bytes=LIMIT)
        whole = drain(whole_reader)
        first = open_lines(path, format=form, max_record_bytes=LIMIT, block_bytes=block_bytes)
        for _ in range(reads):
            first.read(max_records)
        resume = first.position()
        first.close()
        rest = open_lines(path, format=form, max_record_bytes=LIMIT, resume=resume, block_bytes=7)
        numbers = drain_numbers(rest)
        assert numbers == whole[len(whole) - len(numbers) :]
        assert rest.empty_lines == whole_reader.empty_lines
        assert rest.header == whole_reader.header


def drain_numbers(reader: FileReader) -> list[tuple[int, bytes] | RefusedRecord]:
    """Like `drain`, for a reader that starts in the middle."""
    found: list[tuple[int, tuple[int, bytes] | RefusedRecord]] = []
    while (batch := reader.read(3)) is not None:
        found += [(number, (number, raw)) for number, raw in zip(batch.numbers, batch.records, strict=True)]
        found += [(refused.number, refused) for refused in batch.refused]
    reader.close()
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def test_resuming_delivers_each_record_once(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(100)))
    found: list[bytes] = []
    resume = None
    for _ in range(15):
        reader = open_lines(path, resume=resume, block_bytes=16)
        batch = reader.read(7)
        found += [] if batch is None else batch.records
        resume = reader.position()
        reader.close()
    assert found == [b"%d" % number for number in range(100)]


@relaxed
@given(
    st.lists(
        st.lists(st.text(st.sampled_from('a",\n\r '), max_size=6), min_size=2, max_size=2),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 30),
)
def test_csv_records_are_those_of_the_csv_module(
    tmp_path: Path, rows: list[list[str]], block_bytes: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["x", "y"], *rows])
    path = tmp_path / "x.csv"
    path.write_bytes(text.getvalue().encode())
    reader = open_lines(path, block_bytes=block_bytes)
    assert reader.header == ("x", "y")
    records = [item[1] for item in drain(reader) if not isinstance(item, RefusedRecord)]
    assert [next(csv.reader([record.decode()])) for record in records] == rows


def test_a_stray_quote_does_not_join_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'size,n\n5" pipe,1\n6" pipe,2\n')
    assert drain(open_lines(path)) == [(0, b'5" pipe,1'), (1, b'6" pipe,2')]


def test_a_quote_that_never_closes_costs_a_bounded_piece(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n"open,1\n' + b"x,1\n" * 20)
    found = drain(open_lines(path, max_record_bytes=30))
    # The line of 8 bytes and 7 of 4 are the first to exceed 30 and a line end of 2.
    refusal = found[0]
    assert isinstance(refusal, RefusedRecord)
    assert refusal.reason is Reason.TOO_LONG
    assert "takes 36 bytes" in refusal.detail
    assert found[1:] == [(number, b"x,1") for number in range(1, 14)]


def test_an_open_quote_at_the_end_is_delivered(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for end in (b"", b"\n"):
        path.write_bytes(b'a,b\n1,2\n3,"x\ny' + end)
        reader = open_lines(path, block_bytes=3)
        assert drain(reader) == [(0, b"1,2"), (1, b'3,"x\ny')]
        resumed = open_lines(path, resume=reader.position())
        assert drain(resumed) == []


@pytest.mark.parametrize("compress", [False, True])
def test_a_long_line_costs_little_memory(tmp_path: Path, *, compress: bool) -> None:
    content = b"1\n" + b"x" * 10_000_000 + b"\n2"
    path = tmp_path / "x.jsonl"
    path.write_bytes(gzip.compress(content) if compress else content)
    del content
    tracemalloc.start()
    found = drain(open_lines(path, max_record_bytes=100_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    refusal = found[1]
    assert isinstance(refusal, RefusedRecord)
    assert (refusal.reason, refusal.raw) == (Reason.TOO_LONG, b"x" * 1_000)
    assert "10,000,001" in refusal.detail
    assert [found[0], found[2]] == [(0, b"1"), (2, b"2")]
    # Some blocks of 256 KiB and what is held of the record.
    assert peak < 2_000_000


def test_sizes_add_up_to_the_file(tmp_path: Path) -> None:
    content = b'{"a": 1}\n' * 5_000
    for data in (content, gzip.compress(content)):
        path = tmp_path / "x.jsonl"
        path.write_bytes(data)
        reader = open_lines(path, block_bytes=1_000)
        sizes = []
        while (batch := reader.read(100)) is not None:
            sizes.append(batch.size)
        assert sum(sizes) == reader.total_bytes == len(data)
        reader.close()


def read_all(reader: FileReader, found: list[bytes]) -> None:
    while (batch := reader.read(700)) is not None:
        found += batch.records


def cut(data: bytes) -> bytes:
    return data[:-9]


def cut_in_the_middle(data: bytes) -> bytes:
    return data[: len(data) // 2]


def wrong_checksum(data: bytes) -> bytes:
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


def garbage_behind(data: bytes) -> bytes:
    return data + b"garbage"


@pytest.mark.parametrize("damage", [cut, cut_in_the_middle, wrong_checksum, garbage_behind])
def test_damaged_gzip_fails_after_the_good_records(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    lines = [b"%d" % zlib.crc32(b"%d" % number) for number in range(20_000)]
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(damage(gzip.compress(b"\n".join(lines) + b"\n")))
    reader = open_lines(path)
    found: list[bytes] = []
    with pytest.raises(SourceError, match=r"x\.jsonl\.gz: the gzip file (ends in the middle|is damaged)"):
        read_all(reader, found)
    with pytest.raises(SourceError):
        reader.read(1)
    reader.close()
    assert found == lines[: len(found)]
    # Half of the file holds about half of the records; other damage is behind the last one.
    assert len(found) > 8_000 if damage is cut_in_the_middle else len(found) >= 19_990


def test_several_gzip_members_are_one_stream(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(gzip.compress(b"1\n2") + gzip.compress(b"3\n4\n"))
    assert drain(open_lines(path)) == [(0, b"1"), (1, b"23"), (2, b"4")]


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_that_shrank_is_refused(tmp_path: Path, *, compress: bool) -> None:
    path = tmp_path / "x.jsonl"
    pack = gzip.compress if compress else bytes
    path.write_bytes(pack(b"1\n2\n3\n"))
    reader = open_lines(path)
    drain(reader)
    path.write_bytes(pack(b"1\n"))
    with pytest.raises(SourceError, match="holds 2 bytes, but reading is to resume at byte 6"):
        open_lines(path, resume=reader.position())


@pytest.mark.parametrize("resume", [b"", b"\xff", b"{}", b'{"v":2,"offset":0,"number":0,"empty":0}', b"[1]"])
def test_a_foreign_position_is_refused(tmp_path: Path, resume: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"1\n")
    with pytest.raises(SourceError, match="position"):
        open_lines(path, resume=resume)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'\xef\xbb\xbf"a b","c\nd"\r\n1,2\r\n')
    reader = open_lines(path, block_bytes=1)
    assert reader.header == ("a b", "c\nd")
    assert drain(reader) == [(0, b"1,2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"\n\n", "empty"), (b"\xff,b\n", "header"), (b"x" * 50, "header takes 50 bytes")],
)
def test_a_csv_file_without_a_header_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        open_lines(path, max_record_bytes=20)
