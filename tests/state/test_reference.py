from dataclasses import replace

import numpy as np
import pytest

from detectors.base import Kind
from state.codec import DamagedError, UnknownVersionError, pack, unpack
from state.columns import Column, Role
from state.reference import BadReferenceError, FeatureReference, Reference, load
from state.sketches.numeric import NumericBins
from state.stores.base import ReferenceInfo, StoredReference
from tests.conftest import Golden
from tests.evidence import build

GOLDEN_VERSION = "79add2030edb"
"""What the golden file of version 1 calls its content; it was written by the first release."""


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
    payload = unpack(stored.body, kind="reference", versions=(1,), fingerprint=None).payload
    with pytest.raises(UnknownVersionError, match="reference has version 2"):
        load(StoredReference(info=stored.info, body=pack("reference", 2, bytes(16), payload)))


def test_references_of_the_first_release_still_load(golden: Golden) -> None:
    body = golden("reference.v1.bin", lambda: build(sources=("golden.csv",)).stored().body)
    info = replace(build().stored().info, version=GOLDEN_VERSION)
    read = load(StoredReference(info=info, body=body))
    assert read.provenance.sources == ("golden.csv",)
    assert [f.column.name for f in read.features] == ["x", "y", "c"]
    assert [f.summary.n for f in read.features] == [2_000, 2_000, 1_898]
    assert read.stored().body == body


def test_columns_are_held_against_a_configuration() -> None:
    one = build()
    one.check_columns([f.column for f in one.features])
    # Where a column stands in a record may change without a new reference.
    one.check_columns([Column(name="x", path="elsewhere", kind=Kind.NUMERIC)])
    with pytest.raises(BadReferenceError, match="has no column 'age'; it has x, y, c"):
        one.check_columns([Column(name="age", path="age", kind=Kind.NUMERIC)])
    with pytest.raises(BadReferenceError, match="'x' is categorical in the configuration and numeric in"):
        one.check_columns([Column(name="x", path="x", kind=Kind.CATEGORICAL)])
