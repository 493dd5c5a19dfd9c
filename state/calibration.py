"""The stored form of what a reference knows of its own scatter."""

from collections.abc import Mapping

import msgspec
import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.calibration import Calibration, Fault, Tails
from detectors.nulls import NullTable


class PackedTails(msgspec.Struct, frozen=True):
    """`Tails`; the array as little-endian float64."""

    skewness: float
    excess_kurtosis: float
    bin_deviations: bytes


class PackedTable(msgspec.Struct, frozen=True):
    """`NullTable` under its detector's name; arrays as little-endian int64 and float64."""

    detector: str
    grid: bytes
    levels: bytes
    quantiles: bytes
    scale: str


class PackedCalibration(msgspec.Struct, frozen=True, omit_defaults=True):
    """`Calibration`; what is unknown takes no room, so it changes neither bytes nor version.

    Attributes
    ----------
    chunks
        Numbers and not an array: most are small, and small numbers are a byte or two.
    tables
        Sorted by name.
    """

    chunks: tuple[tuple[int, ...], ...] | None = None
    tables: tuple[PackedTable, ...] = ()
    tails: PackedTails | None = None
    # Not in version 2; sorted by name.
    faults: tuple[tuple[str, tuple[int, ...]], ...] = ()


def pack_calibration(found: Calibration) -> PackedCalibration:
    """Pack; equal content gives equal bytes."""
    tails = found.tails
    return PackedCalibration(
        chunks=None if found.chunks is None else tuple(tuple(row) for row in found.chunks.tolist()),
        tables=tuple(_packed_table(name, found.tables[name]) for name in sorted(found.tables)),
        tails=None
        if tails is None
        else PackedTails(tails.skewness, tails.excess_kurtosis, _float_bytes(tails.bin_deviations)),
        faults=tuple((fault.value, tuple(found.faults[fault].tolist())) for fault in sorted(found.faults)),
    )


def unpack_calibration(packed: PackedCalibration, *, groups: int, ordered: bool) -> Calibration:
    """Read what `pack_calibration` wrote.

    Parameters
    ----------
    groups, ordered
        Coarse groups of the column, and whether they have an order.
    """
    chunks, tails = packed.chunks, packed.tails
    return Calibration(
        chunks=None if chunks is None else np.array(chunks, dtype=np.int64).reshape(len(chunks), groups),
        tables=_tables(packed.tables),
        tails=None
        if tails is None
        else Tails(
            skewness=tails.skewness,
            excess_kurtosis=tails.excess_kurtosis,
            bin_deviations=_floats(tails.bin_deviations),
        ),
        ordered=ordered,
        faults={Fault(name): np.array(counts, dtype=np.int64) for name, counts in packed.faults},
    )


def _packed_table(detector: str, table: NullTable) -> PackedTable:
    return PackedTable(
        detector=detector,
        grid=table.grid.astype("<i8").tobytes(),
        levels=_float_bytes(table.levels),
        quantiles=_float_bytes(table.quantiles),
        scale=table.scale,
    )


def _tables(packed: tuple[PackedTable, ...]) -> Mapping[str, NullTable]:
    return {
        each.detector: NullTable(
            grid=_integers(each.grid),
            levels=_floats(each.levels),
            quantiles=_floats(each.quantiles).reshape(len(each.grid) // 8, -1),
            scale=each.scale,
        )
        for each in packed
    }


def _float_bytes(values: FloatArray) -> bytes:
    return values.astype("<f8").tobytes()


def _floats(data: bytes) -> FloatArray:
    return np.frombuffer(data, dtype="<f8").astype(np.float64)


def _integers(data: bytes) -> IntArray:
    return np.frombuffer(data, dtype="<i8").astype(np.int64)
