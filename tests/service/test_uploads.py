"""How early a file that was sent is given up."""

import gzip
import io

import numpy as np
import pytest

from service.problems import ProblemError
from service.uploads import UploadLimits, Workspace

MIB = 1 << 20
LIMITS = UploadLimits()


def kept(data: io.BytesIO, limits: UploadLimits = LIMITS) -> int:
    workspace = Workspace(limits)
    try:
        return workspace.keep("baseline", "rows.csv.gz", data).stat().st_size
    finally:
        workspace.remove()


def test_a_small_file_that_holds_a_very_large_one_is_given_up_at_its_beginning() -> None:
    # A member of zeros shrinks to about a thousandth: 4 MiB that hold 4 GiB.
    bomb = io.BytesIO(gzip.compress(b"0" * MIB) * 4_000)
    assert bomb.getbuffer().nbytes > 4 * MIB
    with pytest.raises(ProblemError, match="more than 100 times the bytes that were sent") as error:
        kept(bomb)
    assert error.value.status == 413
    # Of what was sent no more was read than one chunk.
    assert bomb.tell() == MIB


@pytest.mark.parametrize(("zeros", "taken"), [(MIB, True), (MIB + 1, False)])
def test_few_bytes_may_shrink_as_they_will(zeros: int, *, taken: bool) -> None:
    limits = UploadLimits(small_bytes=MIB)
    data = gzip.compress(b"0" * zeros)
    if taken:
        assert kept(io.BytesIO(data), limits) == len(data)
    else:
        with pytest.raises(ProblemError, match="100 times"):
            kept(io.BytesIO(data), limits)


def test_events_are_taken() -> None:
    bits = np.random.default_rng(1).integers(0, 2, 100_000)
    rows = b"".join(b"%d,%d,DE\n" % (1_767_225_600_000 + i, bit) for i, bit in enumerate(bits))
    data = gzip.compress(rows)
    # As repetitive as columns of events get, and still far from the bound.
    assert 3 < len(rows) / len(data) < 50
    assert kept(io.BytesIO(data), UploadLimits(small_bytes=MIB)) == len(data)


def test_zeros_behind_much_that_does_not_shrink_are_counted_with_it() -> None:
    noise = np.random.default_rng(1).bytes(MIB)
    limits = UploadLimits(small_bytes=MIB, ratio=10, unpacked_bytes=1 << 40)
    assert kept(io.BytesIO(gzip.compress(noise) + gzip.compress(b"0" * (8 * MIB))), limits)
    with pytest.raises(ProblemError, match="10 times"):
        kept(io.BytesIO(gzip.compress(noise) + gzip.compress(b"0" * (11 * MIB))), limits)
