"""Partitions that come and go between runs on one recovery folder."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from flows.plan import Plan
from flows.recovery import await_recovery, known_partitions, noted_partitions, open_recovery
from flows.recovery_note import RecoveryError
from tests.integration.stream import load_plan, write_stream


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    layout = write_stream(tmp_path_factory.mktemp("partitions") / "data", rows=100)
    return replace(load_plan(layout.config()), live=True)


def with_partitions(plan: Plan, *names: str) -> Plan:
    return replace(plan, partitions=names)


def test_new_partitions_of_a_live_input_are_taken_in_and_stay_known_as_new(
    plan: Plan, tmp_path: Path
) -> None:
    assert known_partitions(tmp_path) is None
    assert noted_partitions(tmp_path) is None
    snapshots = open_recovery(tmp_path, with_partitions(plan, "t-0", "t-1"))
    assert known_partitions(tmp_path) == noted_partitions(tmp_path) == frozenset({"t-0", "t-1"})
    for names in (("t-0", "t-1", "t-2"), ("t-0", "t-1", "t-2"), ("t-0", "t-1", "t-2", "t-3")):
        assert open_recovery(tmp_path, with_partitions(plan, *names)) == snapshots
        assert noted_partitions(tmp_path) == frozenset(names)
        # However often it starts: what came later must not be begun at the latest record.
        assert known_partitions(tmp_path) == frozenset({"t-0", "t-1"})


def test_a_note_of_an_earlier_release_knows_all_its_partitions(plan: Plan, tmp_path: Path) -> None:
    open_recovery(tmp_path, with_partitions(plan, "t-0"))
    path = tmp_path / "driftflow.json"
    note = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    del note["first"]
    path.write_bytes(msgspec.json.encode(note))
    assert known_partitions(tmp_path) == frozenset({"t-0"})
    open_recovery(tmp_path, with_partitions(plan, "t-0", "t-1"))
    assert known_partitions(tmp_path) == frozenset({"t-0"})


def test_partitions_that_are_gone_are_refused_by_name(plan: Plan, tmp_path: Path) -> None:
    open_recovery(tmp_path, with_partitions(plan, "t-0", "t-1", "t-2"))
    before = (tmp_path / "driftflow.json").read_bytes()
    fewer = with_partitions(plan, "t-0", "t-3")
    for start in (open_recovery, await_recovery):
        with pytest.raises(RecoveryError, match=r"read t-1, t-2, .* no such partition .*--overwrite"):
            start(tmp_path, fewer)
    assert (tmp_path / "driftflow.json").read_bytes() == before


def test_new_files_are_still_refused(plan: Plan, tmp_path: Path) -> None:
    files = replace(plan, live=False)
    open_recovery(tmp_path, with_partitions(files, "a"))
    with pytest.raises(RecoveryError, match=r"input files \(gone: none; new: b\)"):
        open_recovery(tmp_path, with_partitions(files, "a", "b"))


def test_other_members_wait_until_the_first_has_taken_a_partition_in(plan: Plan, tmp_path: Path) -> None:
    snapshots = open_recovery(tmp_path, with_partitions(plan, "t-0"))
    more = with_partitions(plan, "t-0", "t-1")
    with pytest.raises(RecoveryError, match="member 0 has not taken in t-1 within 0 s"):
        await_recovery(tmp_path, more, patience_s=0.1)
    assert noted_partitions(tmp_path) == frozenset({"t-0"})
    open_recovery(tmp_path, more)
    assert await_recovery(tmp_path, more, patience_s=0.1) == snapshots


def test_a_folder_that_nobody_makes(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(RecoveryError, match="was not made by member 0 within 0 s"):
        await_recovery(tmp_path / "none", plan, patience_s=0.1)
