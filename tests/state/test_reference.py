from dataclasses import replace

import numpy as np
import pytest

from detectors.base import Kind
from detectors.calibration import Calibration, Fault, Tails
from detectors.nulls import NullTable
from detectors.performance.base import Task
from state.codec import DamagedError, UnknownVersionError, pack, unpack
from state.columns import Column, Role
from state.outcome_layout import ReferenceOutcomes
from state.outcomes import OutcomeLayout
from state.reference import BadReferenceError, FeatureReference, Reference, load
from state.segments import SegmentColumn, Segments
from state.sketches.base import HEADER, Sketch
from state.sketches.numeric import NumericBins, Oddities
from state.stores.base import ReferenceInfo, StoredReference
from tests.conftest import Golden
from tests.evidence import build

GOLDEN_VERSION = "79add2030edb"
"""What the golden file of version 1 calls its content; it was written by the first release."""

GOLDEN_CALIBRATED_VERSION = "f59140e78332"
"""The same for version 2, which keeps calibrations."""

GOLDEN_SEGMENTED_VERSION = "329ea888e490"
"""The same for version 3, which keeps segments."""

GOLDEN_MEASURED_VERSION = "62d3c1eb5cd6"
"""The same for one that has measured its own performance."""


def calibration(groups: int) -> Calibration:
    return Calibration(
        chunks=np.arange(3 * groups).reshape(3, groups) * 1_000,
        tables={
            name: NullTable(
                grid=np.array([50, 500]),
                levels=np.array([0.1, 0.05, 0.01]),
                quantiles=np.array([[0.1, 0.2, 0.3], [0.15, 0.25, 0.35]]),
                scale="v",
            )
            for name in ("psi", "js")
        },
        tails=Tails(skewness=-0.5, excess_kurtosis=1.5, bin_deviations=np.array([0.0, 0.25, 1e-300])),
    )


def calibrated(*, sources: tuple[str, ...] = ("rows.csv",)) -> Reference:
    """The reference of `build` with a calibration on each column but the last."""
    plain = build(sources=sources)
    features = [
        replace(feature, calibration=calibration(int(feature.bins.groups.max()) + 1))
        for feature in plain.features[:-1]
    ]
    return Reference(plain.model, (*features, plain.features[-1]), plain.provenance)


def measured(*, sources: tuple[str, ...] = ("rows.csv",)) -> Reference:
    """The reference of `build` with outcomes of two classes, scored."""
    plain = build(sources=sources)
    layout = OutcomeLayout(task=Task.BINARY, classes=("no", "yes"), positive=1, scored=True, threshold=0.4)
    counters = np.arange(layout.width, dtype=np.int64)
    return replace(plain, outcomes=ReferenceOutcomes(layout, Sketch(counters)))


def segmented(*, sources: tuple[str, ...] = ("rows.csv",)) -> Reference:
    """The reference of `build` with two segment columns, every row counted in one segment of each."""
    plain = build(sources=sources)
    segments = Segments((SegmentColumn("country", ("DE", "FR")), SegmentColumn("device", ("phone",))))
    features = []
    for feature in plain.features:
        counted = np.zeros((segments.size, HEADER + feature.bins.bins), dtype=np.int64)
        counted[0] = counted[4] = feature.sketch.counters[: counted.shape[1]]
        features.append(replace(feature, sketch=replace(feature.sketch, segments=counted)))
    return Reference(plain.model, tuple(features), plain.provenance, segments)


def test_the_version_depends_on_the_content_alone() -> None:
    one = build()
    assert one.version == build(created_ms=77, sources=("elsewhere.csv", "b.csv")).version
    assert one.version != build(seed=6).version
    assert one.version != Reference("other", one.features, one.provenance).version
    assert one.version != Reference(one.model, one.features[:2], one.provenance).version
    assert one.version == Reference(one.model, one.features, replace(one.provenance, sha256="00")).version


def test_every_frozen_part_changes_the_version() -> None:
    one = build()
    first = one.features[0]
    bins = first.bins
    assert isinstance(bins, NumericBins)
    changed = [
        FeatureReference(replace(first.column, name="z"), bins, first.sketch),
        FeatureReference(replace(first.column, role=Role.LABEL), bins, first.sketch),
        FeatureReference(first.column, replace(bins, edges=bins.edges + 1e-9), first.sketch),
        FeatureReference(first.column, replace(bins, groups=bins.groups[::-1]), first.sketch),
        FeatureReference(first.column, replace(bins, continuous=False), first.sketch),
        FeatureReference(first.column, replace(bins, center=0.5), first.sketch),
        FeatureReference(first.column, replace(bins, unit=16.0), first.sketch),
        FeatureReference(first.column, bins, first.sketch.merge(first.sketch)),
    ]
    versions = {Reference(one.model, (f, *one.features[1:]), one.provenance).version for f in changed}
    assert len(versions | {one.version}) == len(changed) + 1


def test_every_part_of_a_calibration_changes_the_version() -> None:
    one = build()
    first = one.features[0]
    whole = calibration(int(first.bins.groups.max()) + 1)
    assert whole.chunks is not None
    assert whole.tails is not None
    table = whole.tables["js"]
    parts = [
        Calibration(),
        whole,
        replace(whole, chunks=None),
        replace(whole, chunks=whole.chunks + 1),
        replace(whole, tables={"psi": table}),
        replace(whole, tables={"js": table, "ks": table}),
        *(
            replace(whole, tables={"js": changed, "psi": table})
            for changed in (
                replace(table, grid=table.grid + 1),
                replace(table, levels=table.levels / 2),
                replace(table, quantiles=table.quantiles / 2),
                replace(table, scale="sqrt(v)"),
            )
        ),
        replace(whole, tails=None),
        replace(whole, tails=replace(whole.tails, skewness=0.5)),
        replace(whole, tails=replace(whole.tails, excess_kurtosis=0.5)),
        replace(whole, tails=replace(whole.tails, bin_deviations=np.zeros(3))),
    ]
    versions = {
        Reference(one.model, (replace(first, calibration=part), *one.features[1:]), one.provenance).version
        for part in parts
    }
    assert len(versions | {one.version}) == len(parts) + 1


def test_the_order_in_which_tables_were_made_does_not_change_the_version() -> None:
    one = calibrated()
    first = one.features[0]
    assert first.calibration is not None
    turned = dict(reversed(list(first.calibration.tables.items())))
    other = replace(first, calibration=replace(first.calibration, tables=turned))
    assert Reference(one.model, (other, *one.features[1:]), one.provenance).stored() == one.stored()


def test_a_stored_calibration_comes_back() -> None:
    one = calibrated()
    read = load(one.stored())
    assert read.version == one.version
    assert read.stored() == one.stored()
    for mine, theirs in zip(one.features[:-1], read.features[:-1], strict=True):
        before, after = mine.summary.calibration, theirs.summary.calibration
        assert before is not None
        assert after is not None
        _assert_same(before, after)
    assert read.features[-1].summary.calibration is None


def ranged() -> Reference:
    """The reference of `build` whose first column knows its range and where its faults are."""
    plain = build()
    first = plain.features[0]
    assert isinstance(first.bins, NumericBins)
    bins = replace(first.bins, extent=(-3.5, 4.25))
    counters = np.append(first.sketch.counters, [3, 0, 1])
    known = calibration(int(bins.groups.max()) + 1)
    faults = {Fault.ZERO: np.array([0, 3, 0]), Fault.MISSING: np.array([9, 0, 300])}
    feature = replace(
        first,
        bins=bins,
        sketch=replace(first.sketch, counters=counters),
        calibration=replace(known, faults=faults),
    )
    return replace(plain, features=(feature, *plain.features[1:]))


def test_a_range_and_faults_come_back_and_are_part_of_the_version() -> None:
    one = ranged()
    read = load(one.stored())
    assert read.version == one.version
    assert read.stored() == one.stored()
    first = read.features[0]
    assert isinstance(first.bins, NumericBins)
    assert first.bins.extent == (-3.5, 4.25)
    assert first.bins.oddities(first.sketch) == Oddities(zeros=3, below=0, above=1)
    assert first.calibration is not None
    assert {f: c.tolist() for f, c in first.calibration.faults.items()} == {
        Fault.MISSING: [9, 0, 300],
        Fault.ZERO: [0, 3, 0],
    }
    assert len({one.version, build().version, calibrated().version}) == 3


def _assert_same(before: Calibration, after: Calibration) -> None:
    assert before.chunks is not None
    assert after.chunks is not None
    assert np.array_equal(before.chunks, after.chunks)
    assert before.tails is not None
    assert after.tails is not None
    assert (before.tails.skewness, before.tails.excess_kurtosis) == (
        after.tails.skewness,
        after.tails.excess_kurtosis,
    )
    assert np.array_equal(before.tails.bin_deviations, after.tails.bin_deviations)
    assert set(before.tables) == set(after.tables)
    for name, table in before.tables.items():
        other = after.tables[name]
        assert table.scale == other.scale
        for array in ("grid", "levels", "quantiles"):
            assert np.array_equal(getattr(table, array), getattr(other, array))


def test_what_was_stored_comes_back() -> None:
    one = build()
    read = load(one.stored())
    assert (read.model, read.version, read.provenance) == (one.model, one.version, one.provenance)
    assert read.stored() == one.stored()
    for mine, theirs in zip(one.features, read.features, strict=True):
        assert mine.column == theirs.column
        assert mine.sketch.to_bytes() == theirs.sketch.to_bytes()
        assert np.array_equal(mine.summary.counts, theirs.summary.counts)
        assert np.array_equal(mine.summary.groups, theirs.summary.groups)
        assert mine.summary.continuous == theirs.summary.continuous


def test_the_list_of_a_store_tells_where_it_comes_from() -> None:
    one = build(created_ms=5, sources=("a.csv", "b.csv"))
    assert one.stored().info == ReferenceInfo(
        model="credit",
        version=one.version,
        created_ms=5,
        rows=2_000,
        start_ms=0,
        end_ms=9,
        source="a.csv, b.csv",
    )


def test_a_flipped_bit_is_found() -> None:
    stored = build().stored()
    body = bytearray(stored.body)
    body[len(body) // 2] ^= 1
    with pytest.raises(DamagedError):
        load(StoredReference(info=stored.info, body=bytes(body)))


def test_content_under_another_version_is_refused() -> None:
    stored, other = build().stored(), build(seed=6).stored()
    with pytest.raises(BadReferenceError, match=f"{stored.info.version} .* holds the content of"):
        load(StoredReference(info=stored.info, body=other.body))


def test_a_version_of_the_layout_that_is_not_known_is_refused() -> None:
    stored = build().stored()
    payload = unpack(stored.body, kind="reference", versions=(3,), fingerprint=None).payload
    with pytest.raises(UnknownVersionError, match="reference has version 4; this program reads 1, 2, 3"):
        load(StoredReference(info=stored.info, body=pack("reference", 4, bytes(16), payload)))


def test_references_of_the_first_release_still_load(golden: Golden) -> None:
    body = golden("reference.v1.bin", lambda: pytest.fail("the first release wrote it"))
    info = replace(build().stored().info, version=GOLDEN_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert read.provenance.sources == ("golden.csv",)
    assert [f.column.name for f in read.features] == ["x", "y", "c"]
    assert [f.summary.n for f in read.features] == [2_000, 2_000, 1_898]
    assert all(f.summary.calibration is None for f in read.features)
    # Written again it has the envelope of today, the same content and so the same name.
    assert load(read.stored()).version == GOLDEN_VERSION


def test_references_with_a_calibration_still_load(golden: Golden) -> None:
    wanted = calibrated(sources=("golden.csv",))
    body = golden("reference.v2.bin", lambda: wanted.stored().body)
    info = replace(wanted.stored().info, version=GOLDEN_CALIBRATED_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert load(read.stored()).version == GOLDEN_CALIBRATED_VERSION
    assert not read.segments.columns
    for mine, theirs in zip(wanted.features[:-1], read.features[:-1], strict=True):
        assert mine.calibration is not None
        assert theirs.calibration is not None
        _assert_same(mine.calibration, theirs.calibration)


def test_references_with_segments_still_load(golden: Golden) -> None:
    wanted = segmented(sources=("golden.csv",))
    body = golden("reference.v3.bin", lambda: wanted.stored().body)
    info = replace(wanted.stored().info, version=GOLDEN_SEGMENTED_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert read.stored().body == body
    assert [(c.name, c.values) for c in read.segments.columns] == [
        ("country", ("DE", "FR")),
        ("device", ("phone",)),
    ]
    for mine, theirs in zip(wanted.features, read.features, strict=True):
        assert mine.sketch.to_bytes() == theirs.sketch.to_bytes()
        assert np.array_equal(mine.summary.counts, theirs.summary.counts)


def test_segments_are_part_of_the_version() -> None:
    one = segmented()
    country = SegmentColumn("country", ("DE", "FR"))
    others = [
        Reference(one.model, one.features, one.provenance, Segments(columns))
        for columns in ((country, SegmentColumn("device", ("tv",))), (country,), ())
    ]
    first = one.features[0]
    assert first.sketch.segments is not None
    moved = replace(first, sketch=replace(first.sketch, segments=first.sketch.segments[::-1]))
    others.append(Reference(one.model, (moved, *one.features[1:]), one.provenance, one.segments))
    assert len({one.version, *(other.version for other in others)}) == 5


def test_segments_that_a_reference_was_built_without_are_refused() -> None:
    one = segmented()
    assert one.segments_of(["device"]).names == ("device",)
    with pytest.raises(BadReferenceError, match=r"`segments\.columns`.* knows no segments of age; build"):
        one.segments_of(["country", "age"])
    with pytest.raises(BadReferenceError, match="knows no segments of country"):
        build().segments_of(["country"])


def test_columns_are_held_against_a_configuration() -> None:
    one = build()
    one.check_columns([f.column for f in one.features])
    # Where a column stands in a record may change without a new reference.
    one.check_columns([Column(name="x", path="elsewhere", kind=Kind.NUMERIC)])
    with pytest.raises(BadReferenceError, match="has no column 'age'; it has x, y, c"):
        one.check_columns([Column(name="age", path="age", kind=Kind.NUMERIC)])
    with pytest.raises(BadReferenceError, match="'x' is categorical in the configuration and numeric in"):
        one.check_columns([Column(name="x", path="x", kind=Kind.CATEGORICAL)])


def test_references_that_measured_their_performance_still_load(golden: Golden) -> None:
    wanted = measured(sources=("golden.csv",))
    body = golden("reference.v3.measured.bin", lambda: wanted.stored().body)
    info = replace(wanted.stored().info, version=GOLDEN_MEASURED_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert load(read.stored()).version == GOLDEN_MEASURED_VERSION
    assert read.outcomes is not None
    assert wanted.outcomes is not None
    assert read.outcomes.layout == wanted.outcomes.layout
    assert np.array_equal(read.outcomes.sketch.counters, wanted.outcomes.sketch.counters)
