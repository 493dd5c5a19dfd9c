import re
import shutil
from pathlib import Path

import orjson
import pytest

from flows.engine import Member, Recovery, RunError, clear, run
from flows.recovery import locked
from flows.recovery_note import NOTE, RecoveryError
from tests.integration.processes import running
from tests.integration.results import Results, assert_same, inline_results, outputs_in, read_results
from tests.integration.stream import Layout, load_plan, write_stream


@pytest.fixture
def data(tmp_path: Path) -> Layout:
    return write_stream(tmp_path / "data", rows=3_000, files=2)


@pytest.fixture
def recovery(tmp_path: Path) -> Recovery:
    return Recovery(folder=tmp_path / "recovery", interval_s=0.05)


@pytest.fixture
def wanted(data: Layout, tmp_path: Path) -> Results:
    return inline_results(load_plan(data.config()), tmp_path / "wanted")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"windows": "{shift: {size: 6h}, day: {size: 12h, slide: 6h}}"},
            'windows.day.slide ("3h" then, "6h" now)',
        ),
        (
            {"windows": "{shift: {size: 6h}, late: {size: 12h, slide: 3h}}"},
            (
                'windows.day.size ("12h" then, not there now), windows.day.slide ("3h" then, not there now), '
                'windows.late.size (not there then, "12h" now), windows.late.slide (not there then, "3h" now)'
            ),
        ),
        # The same windows in another order: state knows them by number.
        ({"windows": "{day: {size: 12h, slide: 3h}, shift: {size: 6h}}"}, "windows (their order)"),
        ({"detection": "{min_rows: 60}"}, "detection.min_rows (50 then, 60 now)"),
        ({"lateness": "3m"}, 'time.lateness ("2m" then, "3m" now)'),
        ({"segments": "{}"}, 'segments.columns (["country"] then, not there now)'),
        ({"missing": '["", "-"]'}, 'input.missing ([""] then, ["","-"] now)'),
    ],
)
def test_changed_configuration_is_refused_by_name(
    data: Layout, recovery: Recovery, tmp_path: Path, change: dict[str, str], named: str
) -> None:
    outputs = outputs_in(tmp_path / "out")
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    before = read_results(tmp_path / "out")
    changed = load_plan(data.config("changed", **change))  # type: ignore[arg-type]  # texts, all of them
    with pytest.raises(
        RecoveryError, match=f"changed since: {re.escape(named)}\\. .*state reset.*--overwrite"
    ):
        run(changed, outputs, recovery=recovery)
    assert_same(read_results(tmp_path / "out"), before)
    # The way back is open too.
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    assert_same(read_results(tmp_path / "out"), before)


def test_what_has_changed_is_named_by_section_where_an_older_note_knows_no_more(
    data: Layout, recovery: Recovery, tmp_path: Path
) -> None:
    outputs = outputs_in(tmp_path / "out")
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    note = recovery.folder / NOTE
    kept = orjson.loads(note.read_bytes())
    del kept["settings"]
    note.write_bytes(orjson.dumps(kept))
    with pytest.raises(RecoveryError, match=r"changed since: detection\. "):
        run(load_plan(data.config("changed", detection="{min_rows: 60}")), outputs, recovery=recovery)
    # With the next start the note knows.
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    assert orjson.loads(note.read_bytes())["settings"]["detection.min_rows"] == "50"


def test_batch_size_may_change(data: Layout, recovery: Recovery, wanted: Results, tmp_path: Path) -> None:
    outputs = outputs_in(tmp_path / "out")
    assert run(load_plan(data.config(batch_rows=100)), outputs, recovery=recovery)
    assert run(load_plan(data.config(batch_rows=500)), outputs, recovery=recovery)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_changed_reference_is_refused(data: Layout, recovery: Recovery, tmp_path: Path) -> None:
    outputs = outputs_in(tmp_path / "out")
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    other = write_stream(tmp_path / "other", rows=100, reference_rows=3_000)
    shutil.copy(other.reference, data.reference)
    with pytest.raises(RecoveryError, match="changed since: reference"):
        run(load_plan(data.config()), outputs, recovery=recovery)


def test_changed_files_are_refused(data: Layout, recovery: Recovery, tmp_path: Path) -> None:
    outputs = outputs_in(tmp_path / "out")
    assert run(load_plan(data.config()), outputs, recovery=recovery)
    (data.events / "part-1.jsonl").rename(data.events / "part-2.jsonl")
    with pytest.raises(RecoveryError, match=r"gone: part-1\.jsonl; new: part-2\.jsonl"):
        run(load_plan(data.config()), outputs, recovery=recovery)


def test_second_run_at_the_same_time_is_refused(data: Layout, wanted: Results, tmp_path: Path) -> None:
    config = data.config("slow", batch_rows=50)
    recovery = Recovery(folder=tmp_path / "recovery", interval_s=0.05)
    with running(config, tmp_path / "out", recovery=recovery.folder, pause_s=0.02) as (first,):
        assert first.reading.wait(60)
        for overwrite in (False, True):
            with pytest.raises(RecoveryError, match="another run holds the recovery folder"):
                run(load_plan(config), outputs_in(tmp_path / "out"), recovery=recovery, overwrite=overwrite)
        assert first.wait() == 0
    assert_same(read_results(tmp_path / "out"), wanted)


def test_lock_ends_with_its_holder(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    with locked(tmp_path), pytest.raises(RecoveryError), locked(tmp_path):
        pass


def test_overwrite_starts_anew(data: Layout, recovery: Recovery, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(load_plan(data.config()), outputs_in(out), recovery=recovery)
    assert read_results(out).dead
    clean = write_stream(tmp_path / "clean", rows=3_000, files=2, messy=False)
    plan = load_plan(clean.config(windows="{day: {size: 1d}}"))
    (out / "store.sqlite").unlink()
    assert run(plan, outputs_in(out), recovery=recovery, overwrite=True)
    # This stream has no dead letters and no late rows; those of the run before are gone.
    wanted = inline_results(plan, tmp_path / "wanted")
    assert not wanted.dead
    assert_same(read_results(out), wanted)


def test_events_of_an_earlier_run_are_in_the_way(data: Layout, wanted: Results, tmp_path: Path) -> None:
    plan, outputs = load_plan(data.config()), outputs_in(tmp_path / "out")
    assert run(plan, outputs)
    with pytest.raises(RunError, match=r"events\.jsonl holds the events of an earlier run .*--overwrite"):
        run(plan, outputs)
    # A recovery folder that never saw these events does not make them its own.
    with pytest.raises(RunError, match="earlier run"):
        run(plan, outputs, recovery=Recovery(folder=tmp_path / "new", interval_s=1.0))
    assert_same(read_results(tmp_path / "out"), wanted)
    assert run(plan, outputs, overwrite=True)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_members_do_not_overwrite_each_other(data: Layout, recovery: Recovery, tmp_path: Path) -> None:
    plan, outputs = load_plan(data.config()), outputs_in(tmp_path / "out")
    assert run(plan, outputs, recovery=recovery)
    with pytest.raises(RunError, match="member 0 of 2"):
        run(
            plan,
            outputs,
            recovery=recovery,
            member=Member(process_id=0, addresses=("127.0.0.1:1", "127.0.0.1:2")),
            overwrite=True,
        )
    clear(outputs, recovery)
    assert run(plan, outputs, recovery=recovery)
