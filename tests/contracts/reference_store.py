"""What every store keeps to in keeping references."""

from collections.abc import Callable

import numpy as np
import pytest

from state.stores.base import NotFoundError, ReferenceInfo, Store, StoredReference, StoreError
from tests.contracts.opened_store import OpenedStore
from tests.contracts.store_values import a_reference, from_start, starting


class ReferenceStoreContract(OpenedStore):
    """References, and from when on each model version is compared with them."""

    def test_reference_comes_back_equal(self, store: Store) -> None:
        info = ReferenceInfo(
            model="fraud", version="v1", created_ms=3, rows=0, start_ms=-5, end_ms=7, source="s3://ü/Δ.csv"
        )
        stored = StoredReference(info=info, body=b"\x00\xff\n" * 1000)
        store.put_reference(stored)
        assert store.reference("fraud", "v1") == stored
        assert store.references() == [info]

    def test_first_content_of_a_version_stays(self, store: Store) -> None:
        store.put_reference(a_reference(body=b"first"))
        store.put_reference(a_reference(body=b"second", created_ms=99))
        assert store.reference("fraud", "v1") == a_reference(body=b"first")
        assert len(store.references()) == 1

    def test_references_are_listed_oldest_first_then_by_model_and_version(self, store: Store) -> None:
        wanted = [
            a_reference("z", model="zebra", created_ms=1),
            a_reference("b", model="ant", created_ms=2),
            a_reference("a", model="bee", created_ms=2),
            a_reference("b", model="bee", created_ms=2),
            a_reference("a", model="ant", created_ms=3),
        ]
        for index in (3, 0, 4, 2, 1):
            store.put_reference(wanted[index])
        assert store.references() == [reference.info for reference in wanted]
        assert store.references("bee") == [wanted[2].info, wanted[3].info]
        assert store.references("wasp") == []

    def test_missing_version_names_the_versions_there_are(self, store: Store) -> None:
        store.put_reference(a_reference("old", created_ms=1))
        store.put_reference(a_reference("new", created_ms=2))
        store.put_reference(a_reference("foreign", model="churn"))
        for call in (store.reference, activate_first(store)):
            with pytest.raises(
                NotFoundError, match=r"'fraud' has no reference 'v9'; it has old, new"
            ) as caught:
                call("fraud", "v9")
            assert "foreign" not in str(caught.value)

    def test_missing_model_names_the_models_there_are(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match=r"'spam'.*models with references: none"):
            store.reference("spam", "v1")
        store.put_reference(a_reference(model="fraud"))
        store.put_reference(a_reference(model="churn"))
        for call in (store.reference, activate_first(store)):
            with pytest.raises(NotFoundError, match=r"'spam'.*models with references: churn, fraud"):
                call("spam", "v1")

    def test_activations_belong_to_one_model_version(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        store.put_reference(a_reference("v2"))
        store.put_reference(a_reference("v1", model="churn"))
        assert store.activations("fraud", "1") == ()
        store.activate("fraud", "1", from_start("v1"))
        store.activate("fraud", "2", from_start("v2"))
        assert store.activations("fraud", "1") == (from_start("v1"),)
        assert store.activations("fraud", "2") == (from_start("v2"),)
        assert store.activations("churn", "1") == ()

    def test_model_versions_with_activations_are_sorted(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        assert store.activated_versions("fraud") == []
        for model_version in ("2", "10", "é", "", "B"):
            store.activate("fraud", model_version, from_start("v1"))
        store.activate("fraud", "2", starting("v1", 5))
        assert store.activated_versions("fraud") == ["", "10", "2", "B", "é"]
        assert store.activated_versions("churn") == []

    def test_activations_with_a_start_follow_the_first(self, store: Store) -> None:
        for version in ("v1", "v2", "v3"):
            store.put_reference(a_reference(version))
        wanted = (from_start("v1"), starting("v2", -5), starting("v3", 0), starting("v1", 2**63 - 1))
        for activation in wanted:
            store.activate("fraud", "1", activation)
        assert store.activations("fraud", "1") == wanted

    def test_activation_that_is_there_changes_nothing(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        wanted = (from_start("v1"), starting("v1", 5), starting("v1", 9))
        for activation in (*wanted, *wanted[1:]):
            store.activate("fraud", "1", activation)
        assert store.activations("fraud", "1") == wanted

    def test_activation_without_a_start_replaces_all(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        store.put_reference(a_reference("v2"))
        for activation in (from_start("v1"), starting("v2", 5), starting("v1", 9)):
            store.activate("fraud", "1", activation)
        store.activate("fraud", "1", from_start("v1"))
        assert store.activations("fraud", "1") == (from_start("v1"),)
        store.activate("fraud", "1", starting("v2", 3))
        assert store.activations("fraud", "1") == (from_start("v1"), starting("v2", 3))

    @pytest.mark.parametrize("start", [5, 4, -1])
    def test_activation_must_begin_after_the_last(self, store: Store, start: int) -> None:
        store.put_reference(a_reference("v1"))
        store.put_reference(a_reference("v2"))
        wanted = (from_start("v1"), starting("v2", 5))
        for activation in wanted:
            store.activate("fraud", "1", activation)
        with pytest.raises(StoreError, match=rf"cannot begin at {start}: 'v2' begins at 5; choose a later"):
            store.activate("fraud", "1", starting("v1", start))
        assert store.activations("fraud", "1") == wanted

    def test_activation_with_a_start_needs_one_before_it(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        store.activate("fraud", "2", from_start("v1"))
        with pytest.raises(StoreError, match="nothing comes before it; first activate a reference without"):
            store.activate("fraud", "1", starting("v1", 5))
        assert store.activations("fraud", "1") == ()

    def test_refused_activation_leaves_what_is_there(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        store.activate("fraud", "1", from_start("v1"))
        with pytest.raises(NotFoundError):
            store.activate("fraud", "1", from_start("v9"))
        assert store.activations("fraud", "1") == (from_start("v1"),)

    @pytest.mark.parametrize("start", [2**63, -(2**63), 1.5, "1"])
    def test_activation_with_a_bad_start_is_refused(self, store: Store, start: int) -> None:
        store.put_reference(a_reference("v1"))
        store.activate("fraud", "1", from_start("v1"))
        with pytest.raises(StoreError, match=r"^activation of 'v1' for version '1' of .*: start is"):
            store.activate("fraud", "1", starting("v1", start))
        assert store.activations("fraud", "1") == (from_start("v1"),)

    def test_start_of_numpy_comes_back_plain(self, store: Store) -> None:
        store.put_reference(a_reference("v1"))
        store.activate("fraud", "1", from_start("v1"))
        store.activate("fraud", "1", starting("v1", np.int64(7)))  # type: ignore[arg-type]  # meant so
        assert type(store.activations("fraud", "1")[1].effective_from) is int


def activate_first(store: Store) -> Callable[[str, str], None]:
    """Return what activates a reference for model version 1, from the beginning."""
    return lambda model, version: store.activate(model, "1", from_start(version))
