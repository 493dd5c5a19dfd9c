"""What every store keeps to in keeping panes."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from state.stores.base import Keeping, Store, StoreError
from state.stores.panes import StoredPane
from tests.contracts.opened_store import OpenedStore
from tests.contracts.store_values import a_pane


class PaneStoreContract(OpenedStore):
    """The last closed panes of every column."""

    def test_panes_come_back_equal_by_start_then_by_reference(self, store: Store) -> None:
        wanted = [
            a_pane(-(2**63) + 1),
            a_pane(-5, body=b"\x00:\xff\n;" * 300),
            a_pane(0, reference="r1"),
            a_pane(0, reference="r2", end=7),
            a_pane(2**63 - 1, end=2**63 - 1),
        ]
        for index in (3, 1, 4, 0, 2):
            store.put_panes([wanted[index]])
        assert store.panes("fraud", "1", "amount") == wanted

    def test_second_pane_at_one_place_replaces_the_first(self, store: Store) -> None:
        store.put_panes([a_pane(1, body=b"a"), a_pane(2, body=b"b"), a_pane(1, body=b"c")])
        store.put_panes([a_pane(2, body=b"d", end=9)])
        assert store.panes("fraud", "1", "amount") == [a_pane(1, body=b"c"), a_pane(2, body=b"d", end=9)]

    def test_pane_times_include_the_start_and_not_the_end(self, store: Store) -> None:
        store.put_panes(a_pane(start) for start in (-1, 0, 1, 2))
        assert starts(store.panes("fraud", "1", "amount", start=0, end=2)) == [0, 1]
        assert starts(store.panes("fraud", "1", "amount", start=1)) == [1, 2]
        assert starts(store.panes("fraud", "1", "amount", end=0)) == [-1]
        assert store.panes("fraud", "1", "amount", start=2, end=0) == []

    def test_panes_do_not_mix(self, store: Store) -> None:
        panes = [
            a_pane(1),
            a_pane(1, feature="am"),
            a_pane(1, feature="amount:1"),
            a_pane(1, model_version="2"),
            a_pane(1, model="churn"),
        ]
        for pane in panes:
            store.put_panes([pane])
        for pane in panes:
            assert store.panes(pane.model, pane.model_version, pane.feature) == [pane]
        assert store.panes("fraud", "1", "unknown") == []
        assert store.pane_counts("fraud", "1") == {"am": 1, "amount": 1, "amount:1": 1}
        assert list(store.pane_counts("fraud", "1")) == ["am", "amount", "amount:1"]
        assert store.pane_counts("nobody", "1") == {}

    def test_last_panes_of_each_column_stay_in_whatever_order_they_come(self, tmp_path: Path) -> None:
        with closing(self.open_store(tmp_path, Keeping(panes=3))) as store:
            store.put_panes(a_pane(start) for start in (5, 1, 9))
            store.put_panes([a_pane(7), a_pane(0), a_pane(2, feature="country")])
            assert starts(store.panes("fraud", "1", "amount")) == [5, 7, 9]
            store.put_panes(a_pane(start) for start in (8, 8, 8))
            assert starts(store.panes("fraud", "1", "amount")) == [7, 8, 9]
            assert store.pane_counts("fraud", "1") == {"amount": 3, "country": 1}

    def test_none_stay_where_none_are_wanted(self, tmp_path: Path) -> None:
        with closing(self.open_store(tmp_path, Keeping(panes=0))) as store:
            store.put_panes([a_pane(1)])
            assert store.panes("fraud", "1", "amount") == []
            assert store.pane_counts("fraud", "1") == {}

    def test_no_panes_may_be_put(self, store: Store) -> None:
        store.put_panes([])
        assert store.pane_counts("fraud", "1") == {}

    @pytest.mark.parametrize("start", [2**63, -(2**63), 1.5, None])
    def test_pane_with_a_bad_time_refuses_all(self, store: Store, start: int) -> None:
        for bad in (replace(a_pane(1), start=start), replace(a_pane(1), end=start)):
            with pytest.raises(StoreError, match=r"pane of column 'amount' at .*: (start|end) is"):
                store.put_panes([a_pane(0), bad])
        assert store.panes("fraud", "1", "amount") == []

    def test_pane_that_not_every_store_could_give_back_refuses_all(self, store: Store) -> None:
        with pytest.raises(StoreError, match="not valid Unicode"):
            store.put_panes([a_pane(0), a_pane(1, feature="\ud800")])
        with pytest.raises(StoreError, match="must be bytes"):
            store.put_panes([a_pane(0), a_pane(1, body=bytearray(b"x"))])  # type: ignore[arg-type]  # meant so
        assert store.pane_counts("fraud", "1") == {}

    def test_failing_iterator_leaves_no_pane(self, store: Store) -> None:
        def panes() -> Iterator[StoredPane]:
            yield a_pane(0)
            raise KeyError("broken")

        with pytest.raises(KeyError):
            store.put_panes(panes())
        assert store.pane_counts("fraud", "1") == {}

    def test_times_of_numpy_come_back_plain(self, store: Store) -> None:
        store.put_panes([a_pane(np.int64(5))])  # type: ignore[arg-type]  # meant so
        assert type(store.panes("fraud", "1", "amount")[0].start) is int


def starts(panes: list[StoredPane]) -> list[int]:
    return [pane.start for pane in panes]
