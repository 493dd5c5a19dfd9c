"""What every store keeps to in keeping who has seen an episode."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from state.stores.base import Keeping, Store, StoreError
from tests.contracts.opened_store import OpenedStore
from tests.contracts.store_values import an_acknowledgement, an_episode, an_event


class AcknowledgementStoreContract(OpenedStore):
    """Who was first stays, as long as the episode does."""

    def test_first_acknowledgement_stays(self, store: Store) -> None:
        first = an_acknowledgement("e1", by="ann", note="on it")
        assert store.acknowledge(first)
        assert not store.acknowledge(replace(first, by="bob", at_ms=0, note="me too"))
        assert not store.acknowledge(first)
        assert store.acknowledgements("fraud") == [first]

    def test_they_come_by_time_then_by_episode(self, store: Store) -> None:
        made = [an_acknowledgement(id_, at_ms=at) for id_, at in (("b", 5), ("é", 5), ("a", 5), ("z", -1))]
        for each in made:
            assert store.acknowledge(each)
        assert [each.episode for each in store.acknowledgements("fraud")] == ["z", "a", "b", "é"]
        found = store.acknowledgements("fraud", ["é", "nobody", "a"])
        assert [each.episode for each in found] == ["a", "é"]
        assert store.acknowledgements("fraud", []) == []

    def test_models_have_their_own(self, store: Store) -> None:
        assert store.acknowledge(an_acknowledgement("e1"))
        assert store.acknowledge(an_acknowledgement("e1", model="churn"))
        assert store.acknowledgements("churn") == [an_acknowledgement("e1", model="churn")]
        assert store.acknowledgements("nobody") == []

    def test_what_cannot_be_kept_is_refused(self, store: Store) -> None:
        for bad in (an_acknowledgement("e1", by="\ud800"), an_acknowledgement("e1", at_ms=2**63)):
            with pytest.raises(StoreError, match="acknowledgement of 'e1'"):
                store.acknowledge(bad)
        assert store.acknowledgements("fraud") == []

    def test_they_go_with_their_episodes(self, tmp_path: Path) -> None:
        with closing(self.open_store(tmp_path, Keeping(retention=5))) as store:
            store.put_episodes(
                [
                    an_episode("closed", opened=1, updated=9, is_open=False),
                    an_episode("open", opened=1, updated=1),
                    an_episode("late", opened=1, updated=10, is_open=False),
                    an_episode("closed", model="churn", opened=1, updated=9, is_open=False),
                ]
            )
            for episode in ("closed", "open", "late"):
                store.acknowledge(an_acknowledgement(episode))
            store.acknowledge(an_acknowledgement("closed", model="churn"))
            store.add_events([an_event("a", end=15)])
            assert [each.episode for each in store.acknowledgements("fraud")] == ["late", "open"]
            assert [each.episode for each in store.acknowledgements("churn")] == ["closed"]
            # An episode that is too old when it is written again takes its own with it as well.
            store.acknowledge(an_acknowledgement("closed"))
            store.put_episodes([an_episode("closed", opened=1, updated=9, is_open=False)])
            assert [each.episode for each in store.acknowledgements("fraud")] == ["late", "open"]

    def test_they_outlive_a_change_of_their_episode(self, store: Store) -> None:
        store.put_episodes([an_episode("e1")])
        store.acknowledge(an_acknowledgement("e1"))
        store.put_episodes([an_episode("e1", updated=30, is_open=False)])
        assert store.acknowledgements("fraud") == [an_acknowledgement("e1")]
