"""How many fetched records one poll may return."""

from collections.abc import Sequence
from itertools import accumulate

from flows.kafka.base import KafkaRecord


def fitting(records: Sequence[KafkaRecord], max_records: int, max_bytes: int) -> int:
    """Return how many of the first records have `max_bytes` bytes of values together; one at least.

    Examples
    --------
    >>> ten = [KafkaRecord(0, offset, 0, None, b"12345", ()) for offset in range(10)]
    >>> fitting(ten, 8, 21), fitting(ten, 3, 21), fitting(ten, 8, 1), fitting([], 8, 1)
    (4, 3, 1, 0)
    """
    sizes = [0 if record.value is None else len(record.value) for record in records[:max_records]]
    if sum(sizes) <= max_bytes:
        return len(sizes)
    return max(1, sum(total <= max_bytes for total in accumulate(sizes)))
