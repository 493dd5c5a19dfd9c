"""The frozen, versioned distribution that windows are compared with."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b

import msgspec

from detectors.base import DriftflowError, Summary
from detectors.calibration import Calibration
from state.codec import pack, unpack
from state.columns import Column
from state.feature_bytes import PackedFeature, pack_feature, unpack_feature
from state.outcome_bytes import PackedOutcomes, pack_outcomes, unpack_outcomes
from state.outcome_layout import ReferenceOutcomes
from state.record_facts import PackedRecords, RecordFacts, pack_records, unpack_records
from state.segments import SegmentColumn, Segments
from state.sketches.base import Sketch
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins
from state.stores.base import ReferenceInfo, StoredReference

Bins = NumericBins | Categories
"""How a column is summarized."""

_KIND, _VERSION = "reference", 3
_READABLE = (1, 2, 3)
_NO_PARAMETERS = bytes(16)


class BadReferenceError(DriftflowError):
    """A reference cannot be built or used."""


@dataclass(frozen=True)
class FeatureReference:
    """One column of a reference.

    Attributes
    ----------
    bins
        Frozen with the reference.
    sketch
        The reference's own rows over them.
    calibration
        What was measured of those rows' scatter; None where nothing was, as in references of version 1.
    """

    column: Column
    bins: Bins
    sketch: Sketch
    calibration: Calibration | None = None

    @cached_property
    def summary(self) -> Summary:
        """What detectors see of the reference."""
        return replace(self.bins.summary(self.sketch), calibration=self.calibration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a reference comes from.

    Attributes
    ----------
    rows
        Rows it was built from.
    refused
        Records that were passed over.
    start_ms, end_ms
        Smallest and largest event time, None without timestamps.
    sources
        Names of the files.
    sha256
        Hash of the records' bytes in order, hex.
    created_ms
        When it was built.
    """

    rows: int
    refused: int
    start_ms: int | None
    end_ms: int | None
    sources: tuple[str, ...]
    sha256: str
    created_ms: int


_Segments = tuple[tuple[str, tuple[str, ...]], ...]
"""Each segment column with its values."""


class _Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    model: str
    provenance: Provenance
    features: tuple[PackedFeature, ...]
    # Not in version 2.
    segments: _Segments = ()
    outcomes: PackedOutcomes | None = None
    records: PackedRecords | None = None


@dataclass(frozen=True)
class Reference:
    """The reference distributions of a model's columns.

    Attributes
    ----------
    segments
        By what the rows of every column are counted apart as well, in `Sketch.segments`.
    outcomes
        What its rows say of the model's performance; None where they have no labels.
    records
        What is known of its records as a whole; None where nothing is.
    """

    model: str
    features: tuple[FeatureReference, ...]
    provenance: Provenance
    segments: Segments = field(default_factory=Segments)
    outcomes: ReferenceOutcomes | None = None
    records: RecordFacts | None = None

    @cached_property
    def version(self) -> str:
        """Hash of all that was measured: the same rows give the same version, whenever it was built."""
        features, segments = tuple(_packed(f) for f in self.features), _packed_segments(self.segments)
        # What a reference does not have is not in its name: so those of earlier versions keep theirs.
        extra: list[object] = [segments] if segments else []
        extra += [] if self.outcomes is None else [("outcomes", pack_outcomes(self.outcomes))]
        extra += [] if self.records is None else [("records", pack_records(self.records))]
        content = msgspec.msgpack.encode((self.model, features, *extra))
        return blake2b(content, digest_size=6).hexdigest()

    @cached_property
    def _by_name(self) -> dict[str, FeatureReference]:
        return {feature.column.name: feature for feature in self.features}

    def feature(self, name: str) -> FeatureReference:
        """Return one column.

        Raises
        ------
        BadReferenceError
            The reference does not have it.
        """
        found = self._by_name.get(name)
        if found is not None:
            return found
        raise BadReferenceError(
            f"reference {self.version} of model {self.model!r} has no column {name!r}; "
            f"it has {', '.join(f.column.name for f in self.features)}"
        )

    def check_columns(self, wanted: Collection[Column]) -> None:
        """Hold a configuration's columns against the reference's.

        Raises
        ------
        BadReferenceError
            A column is missing here, has another kind, or was derived by another formula.
        """
        for column in wanted:
            found = self.feature(column.name).column
            if found.formula != column.formula:
                raise BadReferenceError(
                    f"column {column.name!r} is {_origin(column)} in the configuration and "
                    f"{_origin(found)} in reference {self.version}; build a new one with "
                    "'driftflow reference build'"
                )
            if found.kind is not column.kind:
                raise BadReferenceError(
                    f"column {column.name!r} is {column.kind} in the configuration and {found.kind} in "
                    f"reference {self.version}; build a new one with 'driftflow reference build'"
                )

    def segments_of(self, names: Sequence[str]) -> Segments:
        """Return the segments of some fields, in the order of the names.

        Raises
        ------
        BadReferenceError
            The reference was built without one of them.
        """
        lacking = [name for name in names if name not in self.segments.names]
        if lacking:
            raise BadReferenceError(
                f"`segments.columns`: reference {self.version} of model {self.model!r} knows no segments of "
                f"{', '.join(lacking)}; build a new one with 'driftflow reference build'"
            )
        return self.segments.picked(names)

    def stored(self) -> StoredReference:
        """Pack for a store; `load` reads it."""
        body = msgspec.msgpack.encode(
            _Reference(
                model=self.model,
                provenance=self.provenance,
                features=tuple(_packed(feature) for feature in self.features),
                segments=_packed_segments(self.segments),
                outcomes=None if self.outcomes is None else pack_outcomes(self.outcomes),
                records=None if self.records is None else pack_records(self.records),
            )
        )
        made = self.provenance
        info = ReferenceInfo(
            model=self.model,
            version=self.version,
            created_ms=made.created_ms,
            rows=made.rows,
            start_ms=made.start_ms,
            end_ms=made.end_ms,
            source=", ".join(made.sources),
        )
        return StoredReference(info=info, body=pack(_KIND, _VERSION, _NO_PARAMETERS, body))


def load(stored: StoredReference) -> Reference:
    """Read a stored reference.

    Raises
    ------
    CodecError
        The bytes are damaged, or written by a version of driftflow that this one cannot read.
    BadReferenceError
        The content is not what its version says.
    """
    payload = unpack(stored.body, kind=_KIND, versions=_READABLE, fingerprint=None).payload
    read = msgspec.msgpack.decode(payload, type=_Reference)
    segments = Segments(tuple(SegmentColumn(name, values) for name, values in read.segments))
    outcomes = None if read.outcomes is None else unpack_outcomes(read.outcomes)
    records = None if read.records is None else unpack_records(read.records)
    features = tuple(map(_unpacked, read.features))
    reference = Reference(read.model, features, read.provenance, segments, outcomes, records)
    if reference.version != stored.info.version:
        raise BadReferenceError(
            f"reference {stored.info.version} of model {read.model!r} holds the content of "
            f"{reference.version}: the store was changed; build it again with 'driftflow reference build'"
        )
    return reference


def _origin(column: Column) -> str:
    return "a field of the record" if column.formula is None else f"derived by {column.formula!r}"


def _packed_segments(segments: Segments) -> _Segments:
    return tuple((column.name, column.values) for column in segments.columns)


def _packed(feature: FeatureReference) -> PackedFeature:
    return pack_feature(feature.column, feature.bins, feature.sketch, feature.calibration)


def _unpacked(packed: PackedFeature) -> FeatureReference:
    return FeatureReference(*unpack_feature(packed))
