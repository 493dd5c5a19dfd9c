"""What every store keeps to in keeping episodes."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from state.stores.base import Store, StoreError
from state.stores.episodes import StoredEpisode
from tests.contracts.opened_store import OpenedStore
from tests.contracts.store_values import an_episode


class EpisodeStoreContract(OpenedStore):
    """Episodes as their last change left them."""

    def test_episodes_come_back_equal_by_opening_then_by_id(self, store: Store) -> None:
        wanted = [
            an_episode("é", opened=-(2**62), updated=2**63 - 1),
            an_episode("B", opened=3, feature="ü:Δ"),
            # The neighbour of one (IEEE 754-2019, 3.4).
            an_episode("a", opened=3, is_open=False, peak=math.nextafter(1, 2)),
            an_episode("A", opened=4),
        ]
        for index in (3, 1, 0, 2):
            store.put_episodes([wanted[index]])
        assert store.episodes("fraud") == wanted

    def test_last_state_under_an_id_is_kept(self, store: Store) -> None:
        opened = an_episode("a", updated=10)
        closed = replace(opened, updated=30, is_open=False, severity="high", peak=0.5, windows=7)
        store.put_episodes([opened])
        store.put_episodes([closed])
        assert store.episodes("fraud") == [closed]
        assert store.episodes("fraud", open_only=True) == []
        # As a replay writes it again.
        again = replace(opened, windows=3)
        store.put_episodes([opened, closed, again])
        assert store.episodes("fraud") == store.episodes("fraud", open_only=True) == [again]

    def test_ids_are_a_models_own(self, store: Store) -> None:
        store.put_episodes([an_episode("a"), an_episode("a", model="churn", is_open=False)])
        assert store.episodes("fraud") == [an_episode("a")]
        assert store.episodes("churn") == [an_episode("a", model="churn", is_open=False)]
        assert store.episodes("nobody") == []

    def test_episode_filters_hold_together(self, store: Store) -> None:
        store.put_episodes(
            [
                an_episode("a"),
                an_episode("b", model_version="2"),
                an_episode("c", window="1d"),
                an_episode("d", feature="country"),
                an_episode("e", is_open=False),
            ]
        )
        assert names(store.episodes("fraud", model_version="2")) == ["b"]
        assert names(store.episodes("fraud", window="1d")) == ["c"]
        assert names(store.episodes("fraud", feature="country")) == ["d"]
        assert names(store.episodes("fraud", open_only=True)) == ["a", "b", "c", "d"]
        assert names(store.episodes("fraud", model_version="1", window="1h", feature="amount")) == ["a", "e"]

    def test_span_finds_what_was_open_in_it(self, store: Store) -> None:
        store.put_episodes(
            [
                an_episode("closed", opened=2, updated=5, is_open=False),
                an_episode("open", opened=3, updated=3),
            ]
        )
        for start, end, wanted in (
            (None, 2, []),
            (None, 3, ["closed"]),
            (None, 4, ["closed", "open"]),
            (5, None, ["closed", "open"]),
            (6, None, ["open"]),
            (100, 101, ["open"]),
            (3, 3, ["closed"]),
        ):
            assert names(store.episodes("fraud", start=start, end=end)) == wanted, (start, end)
        assert names(store.episodes("fraud", start=6, open_only=True)) == ["open"]

    def test_no_episodes_may_be_put(self, store: Store) -> None:
        store.put_episodes([])
        assert store.episodes("fraud") == []

    @pytest.mark.parametrize("field", ["since", "opened", "updated", "windows"])
    @pytest.mark.parametrize("value", [2**63, 1.5, None])
    def test_episode_with_a_bad_number_refuses_all(self, store: Store, field: str, value: float) -> None:
        bad = replace(an_episode("bad"), **{field: value})  # type: ignore[arg-type]  # meant so
        with pytest.raises(StoreError, match=f"episode 'bad': {field} is"):
            store.put_episodes([an_episode("good"), bad])
        assert store.episodes("fraud") == []

    @pytest.mark.parametrize("peak", [math.nan, math.inf, None])
    def test_episode_with_a_peak_that_is_no_number_refuses_all(self, store: Store, peak: float) -> None:
        with pytest.raises(StoreError, match=r"episode 'bad': the peak is .*finite"):
            store.put_episodes([an_episode("good"), an_episode("bad", peak=peak)])
        assert store.episodes("fraud") == []

    def test_failing_iterator_leaves_no_episode(self, store: Store) -> None:
        def episodes() -> Iterator[StoredEpisode]:
            yield an_episode("a")
            raise KeyError("broken")

        with pytest.raises(KeyError):
            store.put_episodes(episodes())
        assert store.episodes("fraud") == []

    def test_numbers_of_numpy_come_back_plain_in_an_episode(self, store: Store) -> None:
        opened, peak = np.int64(7), np.float32(0.5)
        store.put_episodes([an_episode("a", opened=opened, peak=peak)])  # type: ignore[arg-type]  # meant so
        (found,) = store.episodes("fraud")
        assert (type(found.opened), type(found.peak), type(found.is_open)) == (int, float, bool)


def names(episodes: list[StoredEpisode]) -> list[str]:
    return [episode.id for episode in episodes]
