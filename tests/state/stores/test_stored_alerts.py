"""Alerts in files that earlier releases and this one wrote, and plans of the questions to them."""

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from state.stores.alerts import Delivery, Progress, StoredNotice
from state.stores.sqlite import SqliteStore
from tests.conftest import Golden
from tests.contracts.store_values import a_notice, an_acknowledgement, an_episode, an_event

_SENT = replace(a_notice("a"), delivery=Delivery.SENT, attempts=2, next_ms=6, settled_ms=8, reason="503")


def test_alerts_of_the_seventh_layout_are_read(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(golden("store.v7.sqlite", _seventh))
    for _ in range(2):
        with closing(SqliteStore(path)) as store:
            assert store.alert_progress("fraud") == Progress(revision=1, body=b"progress")
            assert store.notices("fraud") == [_SENT, a_notice("b")]
            assert store.acknowledgements("fraud") == [an_acknowledgement("e1", note="seen")]
            assert store.episodes("fraud") == [an_episode("e1")]
            assert store.events("fraud") == [an_event("a")]
            assert not store.claim_alerts("fraud", owner="two", now_ms=9, until_ms=20)


def test_file_of_the_first_layout_takes_alerts(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(golden("store.v1.sqlite", lambda: pytest.fail("only the first release writes it")))
    with closing(SqliteStore(path)) as store:
        assert store.alert_progress("fraud") is None
        store.commit_alerts("fraud", Progress(revision=1, body=b""), [a_notice("a")])
        assert store.events("fraud") == [an_event("a")]
    with closing(SqliteStore(path)) as store:
        assert store.notices("fraud") == [a_notice("a")]


@pytest.mark.parametrize(
    ("delivery", "index"), [(None, "notice_by_time"), (Delivery.WAITING, "notice_by_delivery")]
)
def test_notices_are_found_by_index(tmp_path: Path, delivery: Delivery | None, index: str) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        statements: list[str] = []
        connection = store._file.connection
        connection.set_trace_callback(statements.append)
        store.notices("fraud", delivery=delivery, limit=3)
        connection.set_trace_callback(None)
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {statements[0]}").fetchall())
    assert f"SEARCH notice USING INDEX {index} (model=?" in plan
    assert "TEMP B-TREE" not in plan


def test_two_processes_commit_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
        notices: list[StoredNotice] = []
        for revision in range(1, 5):
            notices.append(a_notice(str(revision), decided_ms=revision))
            store = one if revision % 2 else two
            store.commit_alerts("fraud", Progress(revision=revision, body=b""), [notices[-1]])
        assert one.notices("fraud") == two.notices("fraud") == notices


def _seventh() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with closing(SqliteStore(path)) as store:
            store.add_events([an_event("a")])
            store.put_episodes([an_episode("e1")])
            store.claim_alerts("fraud", owner="one", now_ms=0, until_ms=10)
            notices = [a_notice("a"), a_notice("b")]
            store.commit_alerts("fraud", Progress(revision=1, body=b"progress"), notices)
            store.settle_notice(_SENT)
            store.acknowledge(an_acknowledgement("e1", note="seen"))
        return path.read_bytes()
