from pathlib import Path

import pytest

from bench.memory import MIB, WINDOWS, peak_bytes, write_input

ROWS = 10_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_input(tmp_path_factory.mktemp("many"), 10 * ROWS)


@pytest.fixture(scope="module")
def peak_of_many(many: Path) -> int:
    return peak_bytes(many, WINDOWS["30 d"])


def test_memory_does_not_grow_with_the_rows(peak_of_many: int, tmp_path: Path) -> None:
    peak_of_few = peak_bytes(write_input(tmp_path, ROWS), WINDOWS["30 d"])
    # A process with the libraries in it has tens of MiB; less would mean that nothing ran.
    assert peak_of_few > 30 * MIB
    assert peak_of_many <= 1.1 * peak_of_few


@pytest.mark.slow
def test_memory_does_not_grow_with_the_windows(peak_of_many: int, many: Path) -> None:
    # 100,000 rows at two a minute are 34 days: the long window holds 86,400 rows, the short one 120.
    assert peak_of_many <= 1.1 * peak_bytes(many, WINDOWS["1 h"])
