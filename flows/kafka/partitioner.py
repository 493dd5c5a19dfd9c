"""Which partition a key belongs to, as Kafka's own producers have it."""

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_SHIFT = 24
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """Hash bytes to 32 bits, unsigned.

    References
    ----------
    Appleby, MurmurHash2 (public domain), with the seed of ``org.apache.kafka.common.utils.Utils.murmur2``.

    Examples
    --------
    >>> murmur2(b"foobar") - 2**32
    -790332482
    """
    mixed = (_SEED ^ len(data)) & _MASK
    whole = len(data) - len(data) % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MIX & _MASK
        word = (word ^ word >> _SHIFT) * _MIX & _MASK
        mixed = mixed * _MIX & _MASK ^ word
    if whole < len(data):
        mixed = (mixed ^ int.from_bytes(data[whole:], "little")) * _MIX & _MASK
    mixed = (mixed ^ mixed >> 13) * _MIX & _MASK
    return mixed ^ mixed >> 15


def partition_hash(key: bytes) -> int:
    """Return what is to be taken modulo the number of partitions.

    The default partitioner of the Java client, of kafka-python and of librdkafka's ``murmur2_random`` clears
    the sign bit first, so other producers put the same key into the same partition.
    """
    return murmur2(key) & _POSITIVE
