"""Connections that are lent: kept after answers, closed after faults."""

import pytest

from service.problems import ProblemError
from service.stores import StorePool
from state.stores.base import NotFoundError, Store, StoreError
from state.stores.memory import MemoryStore


class _Counted:
    """Opens stores, and knows how many."""

    def __init__(self) -> None:
        self.opened = 0

    def __call__(self, _model: str) -> Store:
        self.opened += 1
        return MemoryStore()


@pytest.mark.parametrize(
    ("error", "opened"),
    [
        (NotFoundError("no event 'x'"), 1),
        (ProblemError(404, "There is no such series."), 1),
        (StoreError("the connection was lost"), 2),
        (ZeroDivisionError(), 2),
    ],
)
def test_a_connection_outlives_answers_and_no_fault(error: Exception, opened: int) -> None:
    stores = _Counted()
    pool = StorePool(stores)
    with pytest.raises(type(error)), pool.lend("demo"):
        raise error
    with pool.lend("demo"):
        pass
    assert stores.opened == opened


def test_as_many_are_open_as_overlap() -> None:
    stores = _Counted()
    pool = StorePool(stores)
    for _ in range(3):
        with pool.lend("demo") as first, pool.lend("demo") as second:
            assert first is not second
    assert stores.opened == 2
