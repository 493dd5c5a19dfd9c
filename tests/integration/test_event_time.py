from pathlib import Path

from tests.integration.arrivals import arrivals, brute_force, watch


def test_partitions_that_lag_idle_and_appear_late_lose_nothing(tmp_path: Path) -> None:
    partitions = arrivals(minutes=120, rows_per_minute=12)
    wanted = brute_force(partitions)
    found = watch(tmp_path, partitions)
    assert found.late == 0
    assert found.counts == {start: [rows] for start, rows in wanted.items()}
    # The partition that is an hour behind holds windows back by an hour, the idle one by no more than that.
    assert found.early >= len(wanted) - 60 / 10 - 2
