"""The versioned envelope around everything that outlives the process."""

import hashlib
import math
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

import orjson

from detectors.base import DriftflowError

FINGERPRINT_BYTES = 16
"""Length of a fingerprint."""

_MAGIC = b"DF"
_KIND_LENGTH = struct.Struct(">B")
_HEAD = struct.Struct(f">H{FINGERPRINT_BYTES}sQ")
_CHECKSUM = struct.Struct(">I")
_MAX_KIND = 32
_MAX_VERSION = 0xFFFF


class CodecError(DriftflowError):
    """Stored bytes cannot be read."""


class NotOursError(CodecError):
    """The bytes were not written by driftflow."""


class DamagedError(CodecError):
    """The bytes are cut off or changed."""


class KindMismatchError(CodecError):
    """The bytes are of another kind than the one asked for."""


class UnknownVersionError(CodecError):
    """The bytes are of a version that this program does not read."""


class FingerprintMismatchError(CodecError):
    """The bytes were written under other parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What an envelope held."""

    version: int
    fingerprint: bytes
    payload: bytes


def fingerprint_of(value: object) -> bytes:
    """Fingerprint of plain data: 16 bytes of BLAKE2b (RFC 7693) over its JSON with sorted keys.

    Parameters
    ----------
    value
        Dicts with text keys, lists, tuples, texts, whole numbers of 64 bits, finite floats, booleans, None.
        The order of keys does not matter; 1 and 1.0 differ, a list and a tuple do not.

    Raises
    ------
    TypeError
        Something in it is none of these.
    ValueError
        A float is not finite: JSON would write it as null, and so two different values would look equal.

    Examples
    --------
    >>> fingerprint_of({"bins": 64, "edges": [0.5]}).hex()
    'da683b8eceb23f330f8d1e412377aeeb'
    """
    _require_finite(value)
    options = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    try:
        canonical = orjson.dumps(value, option=options)
    except orjson.JSONEncodeError as error:
        raise TypeError(f"only plain data has a fingerprint: {error}") from error
    return hashlib.blake2b(canonical, digest_size=FINGERPRINT_BYTES).digest()


def pack(kind: str, version: int, fingerprint: bytes, payload: bytes) -> bytes:
    """Wrap a payload.

    Layout, big endian: ``"DF" · u8 length of kind · kind (ASCII) · u16 version · fingerprint (16) ·
    u64 length of payload · payload · u32 CRC-32 of all that precedes``.

    Parameters
    ----------
    kind
        What the payload is, 1 to 32 ASCII characters.
    version
        Version of the payload's own layout, 0 to 65535.
    fingerprint
        Of the parameters the payload depends on, 16 bytes; see `fingerprint_of`.

    Raises
    ------
    ValueError
        An argument is out of its range.
    """
    if not (kind.isascii() and 1 <= len(kind) <= _MAX_KIND):
        raise ValueError(f"kind is {kind!r}; it must have 1 to {_MAX_KIND} ASCII characters")
    if not 0 <= version <= _MAX_VERSION:
        raise ValueError(f"version is {version}; it must lie between 0 and {_MAX_VERSION}")
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError(f"fingerprint has {len(fingerprint)} bytes; it must have {FINGERPRINT_BYTES}")
    head = _MAGIC + _KIND_LENGTH.pack(len(kind)) + kind.encode("ascii")
    body = head + _HEAD.pack(version, fingerprint, len(payload)) + payload
    return body + _CHECKSUM.pack(zlib.crc32(body))


def unpack(data: bytes, *, kind: str, versions: Collection[int], fingerprint: bytes | None) -> Unpacked:
    """Unwrap a payload, or refuse it by name.

    Damage is looked for before kind, version and fingerprint, so a flipped bit is never taken for a change
    of configuration.

    Parameters
    ----------
    data
        What `pack` returned.
    kind, versions
        What the caller reads.
    fingerprint
        The one the payload must have; None takes any.

    Raises
    ------
    NotOursError, DamagedError, KindMismatchError, UnknownVersionError, FingerprintMismatchError
        In this order; all are `CodecError`.
    """
    found_kind, found = _open(data, kind)
    if found_kind != kind:
        raise KindMismatchError(
            f"found data of kind {found_kind!r} where {kind!r} is wanted: "
            "check that the right file or key is read"
        )
    if found.version not in versions:
        readable = ", ".join(str(version) for version in sorted(versions))
        raise UnknownVersionError(
            f"{kind} has version {found.version}; this program reads {readable}: "
            "use the release that wrote it, or build it anew"
        )
    if fingerprint is not None and found.fingerprint != fingerprint:
        raise FingerprintMismatchError(
            f"{kind} was written under parameters with fingerprint {found.fingerprint.hex()}; "
            f"the present ones have {fingerprint.hex()}: restore the old configuration, or build it anew"
        )
    return found


def _open(data: bytes, wanted: str) -> tuple[str, Unpacked]:
    """Check magic, lengths and checksum; return the kind and the rest."""
    if not data.startswith(_MAGIC):
        raise NotOursError(
            f"{wanted} begins with {data[: len(_MAGIC)]!r} where {_MAGIC!r} is wanted: "
            "driftflow did not write it"
        )
    start_kind = len(_MAGIC) + _KIND_LENGTH.size
    shortest = start_kind + _HEAD.size + _CHECKSUM.size
    if len(data) < shortest:
        raise DamagedError(_damage(wanted, f"it has {len(data)} bytes and needs at least {shortest}"))
    body = memoryview(data)[: -_CHECKSUM.size]
    (checksum,) = _CHECKSUM.unpack(data[-_CHECKSUM.size :])
    if zlib.crc32(body) != checksum:
        raise DamagedError(_damage(wanted, "its checksum is wrong"))
    start_head = start_kind + data[len(_MAGIC)]
    start = start_head + _HEAD.size
    if start > len(body):
        raise DamagedError(_damage(wanted, "its header is cut off"))
    version, fingerprint, length = _HEAD.unpack_from(body, start_head)
    if length != len(body) - start:
        raise DamagedError(
            _damage(wanted, f"its payload has {len(body) - start} bytes and should have {length}")
        )
    kind = data[start_kind:start_head].decode("ascii", "backslashreplace")
    return kind, Unpacked(version=version, fingerprint=fingerprint, payload=bytes(body[start:]))


def _damage(wanted: str, reason: str) -> str:
    return f"{wanted} is damaged ({reason}): restore it from a copy, or build it anew"


def _require_finite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} has no fingerprint: JSON knows finite numbers only")
    if isinstance(value, dict):
        for item in value.values():
            _require_finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _require_finite(item)
