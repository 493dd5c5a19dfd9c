import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis.crc import key_slot

from state.stores.alerts import Delivery
from state.stores.base import SeriesKey, StoreError
from state.stores.redis_keys import RedisKeys, escaped, labels, time_of, time_text, unescaped
from tests.contracts.store_values import a_key

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    ":%{}(),=\x00 3A", max_size=6
)
_TIMES = st.integers(-(2**63), 2**63 - 1)
_KEYS = st.builds(
    SeriesKey,
    model=_NAMES,
    model_version=_NAMES,
    window=_NAMES,
    feature=_NAMES,
    segment=_NAMES,
    metric=_NAMES,
)
KEYS = RedisKeys("driftflow")


@given(_NAMES)
@example("")
@example("%")
@example("%25")
def test_names_come_back_and_hold_nothing_that_separates(name: str) -> None:
    part = escaped(name)
    assert unescaped(part) == name
    assert part
    assert not set(part) & set(":{}(), \x00\n")


@given(_KEYS)
def test_names_of_series_come_back(key: SeriesKey) -> None:
    assert KEYS.series_key(KEYS.series(key)) == key


def test_colons_do_not_collide() -> None:
    one, two = a_key("a:b", segment="c"), a_key("a", segment="b:c")
    assert KEYS.series(one) == "driftflow:{fraud}:1:series:1h:a%3Ab:c:psi"
    assert KEYS.series(two) == "driftflow:{fraud}:1:series:1h:a:b%3Ac:psi"


@given(_KEYS, _NAMES, _NAMES)
def test_keys_of_a_model_are_different_and_in_one_slot(key: SeriesKey, version: str, id_: str) -> None:
    model = key.model
    names = [
        KEYS.references(model),
        KEYS.reference(model, version),
        KEYS.active(model),
        KEYS.activations(model),
        KEYS.event(model, id_),
        KEYS.events(model),
        KEYS.event_counter(model),
        KEYS.episode(model, id_),
        KEYS.episodes(model),
        KEYS.open_episodes(model),
        KEYS.newest_events(model),
        KEYS.dropped_events(model),
        KEYS.closed_episodes(model, version),
        KEYS.pane_index(model, version),
        KEYS.panes(model, version, key.feature),
        KEYS.alert_claim(model),
        KEYS.alert_progress(model),
        KEYS.notice(model, id_),
        KEYS.notices(model),
        *(KEYS.notices(model, delivery) for delivery in Delivery),
        KEYS.notice_counter(model),
        KEYS.acknowledgements(model),
        KEYS.series_index(model),
        KEYS.series(key),
        f"{KEYS.series(key)}:1h:avg",
    ]
    assert len({*names, KEYS.models}) == len(names) + 1
    # redis-py's own computation of CRC16 over the hash tag.
    assert len({key_slot(name.encode()) for name in names}) == 1


@pytest.mark.parametrize("name", ["driftflow:{m}:1:series:1h:a", "driftflow:{m}:1:sketch:1h:a:%:psi"])
def test_what_is_no_series_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="is no key of a series"):
        KEYS.series_key(name)


@given(_TIMES, _TIMES)
@example(-(2**63), 2**63 - 1)
@example(-1, 0)
def test_texts_of_times_sort_like_them(one: int, two: int) -> None:
    assert (time_text(one) < time_text(two)) == (one < two)
    assert time_of(time_text(one)) == one
    assert len(time_text(one)) == 20


def test_labels_leave_out_what_is_empty() -> None:
    assert labels(a_key("a,b")) == [
        *("model", "fraud", "model_version", "1", "window", "1h"),
        *("feature", "a%2Cb", "metric", "psi"),
    ]
