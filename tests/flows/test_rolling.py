"""A log in several files is the same log: written, killed anywhere, cut back, and read."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.event_sources import FileTail
from flows.sinks.jsonl import JsonlFile, SinkError
from flows.sinks.rolling import Rolling, drop_rolled, log_parts, rolled_parts
from tests.command_line import Call, caller

LINES = [b'{"n":%d}' % number for number in range(40)]
ROLLING = Rolling(max_bytes=30, keep_files=3)
KEEP_MANY = Rolling(max_bytes=30, keep_files=1_000)


def text(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def content(path: Path) -> bytes:
    return b"".join(part.path.read_bytes() for part in log_parts(path))


class KilledError(Exception):
    """Stands for kill -9."""


@contextmanager
def killed_at(call: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process die before the n-th change of a file's name, size or being."""
    left = [call]

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def change(*arguments: object) -> object:
            if not left[0]:
                raise KilledError
            left[0] -= 1
            return real(*arguments)

        return change

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying(Path.replace))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        patch.setattr(os, "truncate", dying(os.truncate))
        patch.setattr(os, "ftruncate", dying(os.ftruncate))
        with suppress(KilledError):
            yield


def test_full_files_are_left_at_a_snapshot_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None, ROLLING)) as file:
        for at in range(0, 40, 2):
            file.write(LINES[at : at + 2])
            assert file.snapshot() == len(text(LINES[: at + 2]))
    parts = log_parts(path)
    # Two lines have 16 to 18 bytes, so every second snapshot finds a full file.
    assert [part.path.name for part in parts] == [
        *(f"events.{len(text(LINES[:n])):020d}.jsonl" for n in (28, 32, 36)),
        "events.jsonl",
    ]
    assert content(path) == text(LINES[28:])
    assert [part.start for part in parts] == [len(text(LINES[:n])) for n in (28, 32, 36, 40)]


@settings(max_examples=60)
@given(
    kills=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3)), max_size=4),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6),
)
def test_log_is_the_same_wherever_it_was_killed_and_cut_back(
    tmp_path_factory: pytest.TempPathFactory, kills: list[tuple[int, int]], sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    resume: int | None = None
    snapshots = {0: 0}
    for kill, back in [*kills, (1_000, 1)]:
        with (
            pytest.MonkeyPatch.context() as patch,
            killed_at(kill, patch),
            closing(JsonlFile(path, resume, KEEP_MANY)) as file,
        ):
            at = snapshots[resume or 0]
            for size in [*sizes, len(LINES)]:
                file.write(LINES[at : at + size])
                at = min(at + size, len(LINES))
                snapshots[file.snapshot()] = at
        # Recovery may go back further than to the last snapshot, and forgets those that it went back over.
        snapshots = dict(sorted(snapshots.items())[: max(len(snapshots) + 1 - back, 1)])
        resume = max(snapshots) or None
    assert content(path) == text(LINES)
    assert len(log_parts(path)) > 1


def test_position_in_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None, ROLLING)) as file:
        for line in LINES:
            file.write([line])
            file.snapshot()
    before = content(path)
    with pytest.raises(SinkError, match=r"byte 8 of the log, and what is left begins at byte .*--overwrite"):
        JsonlFile(path, 8, ROLLING)
    with pytest.raises(SinkError, match=r"no line ends there.*--overwrite"):
        JsonlFile(path, rolled_parts(path)[-1].start + 3, ROLLING)
    assert content(path) == before


@pytest.mark.parametrize("rolling", [None, ROLLING])
def test_starting_anew_drops_full_files_too(tmp_path: Path, rolling: Rolling | None) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None, ROLLING)) as file:
        for line in LINES:
            file.write([line])
            file.snapshot()
    (tmp_path / "events.notes.jsonl").write_bytes(b"mine")
    JsonlFile(path, None, rolling).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["events.jsonl", "events.notes.jsonl"]
    assert content(path) == b""
    assert not drop_rolled(path)


def test_log_goes_on_in_one_file_where_no_limit_is_set_any_more(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None, KEEP_MANY)) as file:
        file.write(LINES[:10])
        position = file.snapshot()
    with closing(JsonlFile(path, position, None)) as file:
        file.write(LINES[10:])
        assert file.snapshot() == len(text(LINES))
    assert content(path) == text(LINES)
    assert path.read_bytes() == text(LINES[10:])


@given(looks=st.lists(st.integers(1, 9), min_size=1), cut=st.integers(0, 39))
def test_tail_reads_every_line_across_files_and_cuts(
    tmp_path_factory: pytest.TempPathFactory, looks: list[int], cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    tail, found = FileTail(path), list[bytes]()

    def write(first: int, resume: int | None) -> None:
        at = first
        with closing(JsonlFile(path, resume, KEEP_MANY)) as file:
            for size in [*looks, len(LINES)]:
                file.write(LINES[at : at + size])
                file.snapshot()
                at += size
                found.extend(tail.read())

    write(0, None)
    write(cut, len(text(LINES[:cut])))
    found.extend(tail.read())
    assert list(dict.fromkeys(found)) == LINES
    assert tail.read() == []
    assert tail.caught_up


def test_run_leaves_the_same_log_in_several_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call: Call = caller(capsys, monkeypatch)
    config = tmp_path / "driftflow.yaml"
    call("generate", "demo", "--out", tmp_path, "--rows", 5_000, "--reference-rows", 2_000)
    call("reference", "build", config, tmp_path / "reference.jsonl")
    whole = call("run", config, "--json").json()
    log = (tmp_path / "out" / "events.jsonl").read_bytes()
    told = config.read_text().replace("output:", "output:\n  max_file_bytes: 65536\n  keep_files: 100")
    told = told.replace("input:", "input:\n  batch_rows: 100")
    config.write_text(f"{told}\nrecovery: {{folder: snapshots, interval: 10ms}}\n")
    again = call("run", config, "--overwrite", "--json").json()
    assert len(log_parts(tmp_path / "out" / "events.jsonl")) > 2
    assert content(tmp_path / "out" / "events.jsonl") == log
    assert again["episodes"] == whole["episodes"]
    assert again["windows"] == whole["windows"]
    tailed = call("tail", config, "--no-follow", "--json").out.encode()
    assert [orjson.loads(line) for line in tailed.splitlines()] == [
        orjson.loads(line) for line in log.splitlines()
    ]
    refused = call("run", config, "--recovery", tmp_path / "other")
    assert refused.code == 1
    assert f"({len(log):,} bytes)" in refused.err
