import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.codec import (
    CodecError,
    DamagedError,
    FingerprintMismatchError,
    KindMismatchError,
    NotOursError,
    UnknownVersionError,
    Unpacked,
    fingerprint_of,
    pack,
    unpack,
)

PRINT = bytes(range(16))
KINDS = st.text(st.characters(max_codepoint=127), min_size=1, max_size=32)
VERSIONS = st.integers(0, 65535)
PRINTS = st.binary(min_size=16, max_size=16)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(kind=KINDS, version=VERSIONS, fingerprint=PRINTS, payload=st.binary(max_size=300))
def test_what_was_packed_comes_back(kind: str, version: int, fingerprint: bytes, payload: bytes) -> None:
    data = pack(kind, version, fingerprint, payload)
    wanted = Unpacked(version=version, fingerprint=fingerprint, payload=payload)
    assert unpack(data, kind=kind, versions={version}, fingerprint=fingerprint) == wanted
    assert unpack(data, kind=kind, versions=[version], fingerprint=None) == wanted


@given(payload=st.binary(max_size=40), place=st.integers(0), flip=st.integers(1, 255))
def test_any_changed_byte_is_found(payload: bytes, place: int, flip: int) -> None:
    data = bytearray(pack("panes", 1, PRINT, payload))
    place %= len(data)
    data[place] ^= flip
    # CRC-32 finds every burst of up to 32 bits (Peterson & Brown, 1961).
    with pytest.raises(NotOursError if place < 2 else DamagedError):
        unpack(bytes(data), kind="panes", versions={1}, fingerprint=PRINT)


@given(payload=st.binary(max_size=40), kept=st.integers(0))
def test_any_truncation_is_found(payload: bytes, kept: int) -> None:
    data = pack("panes", 1, PRINT, payload)
    kept %= len(data)
    with pytest.raises(NotOursError if kept < 2 else DamagedError):
        unpack(data[:kept], kind="panes", versions={1}, fingerprint=None)


@given(more=st.binary(min_size=1, max_size=40))
def test_anything_appended_is_found(more: bytes) -> None:
    with pytest.raises(DamagedError):
        unpack(pack("panes", 1, PRINT, b"x") + more, kind="panes", versions={1}, fingerprint=None)


@given(data=st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"DF" + tail))
def test_foreign_bytes_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(CodecError):
        unpack(data, kind="panes", versions={1}, fingerprint=None)


@given(middle=st.binary(max_size=80))
def test_wrong_lengths_under_a_right_checksum_are_refused(middle: bytes) -> None:
    # Nothing that `pack` wrote: its header would end in the payload's true length.
    body = b"DF\x20" + middle + b"\xff"
    with pytest.raises(CodecError):
        unpack(body + struct.pack(">I", zlib.crc32(body)), kind="panes", versions={1}, fingerprint=None)


@pytest.mark.parametrize("length", [0, 2, 4, 2**64 - 1])
def test_wrong_length_of_the_payload_is_named(length: int) -> None:
    body = b"DF" + b"\x05panes" + b"\x00\x01" + PRINT + struct.pack(">Q", length) + b"abc"
    with pytest.raises(DamagedError, match=f"its payload has 3 bytes and should have {length}"):
        unpack(body + struct.pack(">I", zlib.crc32(body)), kind="panes", versions={1}, fingerprint=None)


def test_layout_is_frozen() -> None:
    # Written out by hand from the layout in the docstring of `pack`.
    body = b"DF" + b"\x05panes" + b"\x01\x02" + PRINT + b"\x00" * 7 + b"\x03" + b"abc"
    data = pack("panes", 0x0102, PRINT, b"abc")
    assert data == body + struct.pack(">I", zlib.crc32(body))


def test_foreign_beginning_is_shown() -> None:
    with pytest.raises(NotOursError, match=r"panes begins with b'\{\"' where b'DF' is wanted"):
        unpack(b'{"a":1}', kind="panes", versions={1}, fingerprint=None)


def test_other_kind_is_named() -> None:
    data = pack("panes", 1, PRINT, b"")
    with pytest.raises(KindMismatchError, match="kind 'panes' where 'reference' is wanted"):
        unpack(data, kind="reference", versions={2}, fingerprint=bytes(16))


def test_other_version_is_named_with_the_readable_ones() -> None:
    data = pack("panes", 7, PRINT, b"")
    with pytest.raises(UnknownVersionError, match="panes has version 7; this program reads 1, 2, 10"):
        unpack(data, kind="panes", versions={10, 2, 1}, fingerprint=bytes(16))


def test_other_fingerprint_is_named() -> None:
    data = pack("panes", 1, PRINT, b"")
    with pytest.raises(FingerprintMismatchError, match=f"{PRINT.hex()}; the present ones have {'00' * 16}"):
        unpack(data, kind="panes", versions={1}, fingerprint=bytes(16))


@pytest.mark.parametrize(
    ("kind", "version", "fingerprint", "message"),
    [
        ("", 1, PRINT, "kind is ''"),
        ("x" * 33, 1, PRINT, "kind is"),
        ("größe", 1, PRINT, "kind is 'größe'"),
        ("panes", -1, PRINT, "version is -1"),
        ("panes", 65536, PRINT, "version is 65536"),
        ("panes", 1, PRINT[:-1], "fingerprint has 15 bytes"),
    ],
)
def test_wrong_arguments_are_refused(kind: str, version: int, fingerprint: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack(kind, version, fingerprint, b"")


@given(value=st.dictionaries(st.text(), PLAIN, min_size=2, max_size=5))
def test_fingerprint_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert fingerprint_of(turned) == fingerprint_of(value)
    assert len(fingerprint_of(value)) == 16


def test_fingerprint_is_frozen() -> None:
    # BLAKE2b-128 of `{"bins":64,"edges":[0.5,1e-9],"name":"ä"}` by coreutils: b2sum -l 128.
    value = {"name": "ä", "edges": (0.5, 1e-9), "bins": 64}
    assert fingerprint_of(value).hex() == "7c2c2f5c35cebc8c96068306b26d61e3"


def test_different_values_have_different_fingerprints() -> None:
    values: list[object] = [
        None,
        False,
        0,
        0.0,
        "",
        "0",
        [],
        {},
        [0],
        [[0]],
        {"a": 0},
        {"a": [0]},
        {"b": 0},
        [0, 0],
    ]
    assert len({fingerprint_of(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [1.0, [float("-inf")]], {"a": {"b": (float("nan"),)}}]
)
def test_fingerprint_of_what_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="has no fingerprint"):
        fingerprint_of(value)


@pytest.mark.parametrize(
    "value", [b"x", {1: 2}, {"a": object()}, {1, 2}, 2**64, Unpacked(version=1, fingerprint=b"", payload=b"")]
)
def test_fingerprint_of_what_is_no_plain_data_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="only plain data has a fingerprint"):
        fingerprint_of(value)
