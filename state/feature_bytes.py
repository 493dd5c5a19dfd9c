"""The stored form of one column of a reference."""

import msgspec
import numpy as np

from detectors.base import Kind
from detectors.calibration import Calibration
from state.calibration import PackedCalibration, pack_calibration, unpack_calibration
from state.columns import Column, Role
from state.sketches.base import Sketch, from_bytes
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins

_Bins = NumericBins | Categories


class _Column(msgspec.Struct, frozen=True):
    name: str
    path: str
    kind: Kind
    role: Role


class _Numeric(msgspec.Struct, frozen=True, omit_defaults=True, tag="numeric"):
    edges: bytes
    groups: bytes
    continuous: bool
    center: float
    unit: float
    # Not in version 2.
    extent: tuple[float, float] | None = None


class _Categorical(msgspec.Struct, frozen=True, tag="categorical"):
    names: tuple[str, ...]
    rare: tuple[str, ...]
    complete: bool
    groups: bytes


class PackedFeature(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column with its bins, its own rows over them, and what was measured of their scatter.

    Without a calibration these are the bytes of version 1, so references of that version keep their name.
    """

    column: _Column
    bins: _Numeric | _Categorical
    sketch: bytes
    calibration: PackedCalibration | None = None


def pack_feature(
    column: Column, bins: _Bins, sketch: Sketch, calibration: Calibration | None
) -> PackedFeature:
    """Pack; equal content gives equal bytes."""
    groups = bins.groups.astype("<i8").tobytes()
    return PackedFeature(
        column=_Column(column.name, column.path, column.kind, column.role),
        bins=_Numeric(
            bins.edges.astype("<f8").tobytes(), groups, bins.continuous, bins.center, bins.unit, bins.extent
        )
        if isinstance(bins, NumericBins)
        else _Categorical(bins.names, bins.rare, bins.complete, groups),
        sketch=sketch.to_bytes(),
        calibration=None if calibration is None else pack_calibration(calibration),
    )


def unpack_feature(packed: PackedFeature) -> tuple[Column, _Bins, Sketch, Calibration | None]:
    """Read what `pack_feature` wrote."""
    column, bins = packed.column, packed.bins
    groups = np.frombuffer(bins.groups, dtype="<i8").astype(np.int64)
    read: _Bins = (
        NumericBins(
            edges=np.frombuffer(bins.edges, dtype="<f8").astype(np.float64),
            groups=groups,
            continuous=bins.continuous,
            center=bins.center,
            unit=bins.unit,
            extent=bins.extent,
        )
        if isinstance(bins, _Numeric)
        else Categories(names=bins.names, rare=bins.rare, complete=bins.complete, groups=groups)
    )
    calibration = packed.calibration
    return (
        Column(name=column.name, path=column.path, kind=column.kind, role=column.role),
        read,
        from_bytes(packed.sketch),
        None
        if calibration is None
        else unpack_calibration(
            calibration, groups=int(groups.max()) + 1, ordered=isinstance(bins, _Numeric)
        ),
    )
