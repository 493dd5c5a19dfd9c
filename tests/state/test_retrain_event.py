import json

import msgspec
import pytest
from jsonschema import ValidationError

from detectors.verdicts import Severity
from flows.render.tailing import Widths, event_line
from state.durations import Axis
from state.events import EventType, retrain_event
from state.retrain_data import RetrainData, RetrainEpisode, RetrainLoss, RetrainSpan
from tests.state.test_events import validator


def an_episode(name: str) -> RetrainEpisode:
    return RetrainEpisode(
        id=name,
        kind="drift",
        window="daily",
        feature="income",
        check="",
        severity=Severity.HIGH,
        since="2026-03-01T00:00:00.000Z",
        told="mean up",
    )


REQUEST = RetrainData(
    model="credit",
    model_version="7",
    rule="shift",
    reason="income drifts",
    reference="3bd4",
    episodes=(an_episode("e1"), an_episode("e2")),
    losses=(RetrainLoss(metric="roc_auc", window="daily", value=0.7, expected=0.75, loss=0.05),),
    drift_share=0.5,
    labelled=1_200,
    span=RetrainSpan(
        axis=Axis.MILLISECONDS, start="2026-03-01T00:00:00.000Z", end="2026-03-05T00:00:00.000Z"
    ),
    attempt=1,
    requested="2026-03-05T01:00:00.000Z",
)


def test_a_request_keeps_to_the_schema_and_tells_of_model_and_version() -> None:
    identity, body = retrain_event(REQUEST)
    found = json.loads(body)
    validator("#/$defs/Event").validate(found)
    validator().validate(found["data"])
    assert (found["id"], found["type"]) == (identity, EventType.RETRAIN)
    assert (found["subject"], found["time"]) == ("credit/7", REQUEST.requested)
    with pytest.raises(ValidationError):
        validator("#/$defs/Event").validate({**found, "data": {**found["data"], "episodes": []}})


def test_the_id_is_that_of_the_reasons_and_not_of_the_moment() -> None:
    replace = msgspec.structs.replace
    same = [
        REQUEST,
        replace(REQUEST, requested="2026-03-06T01:00:00.000Z", labelled=9_000),
        replace(REQUEST, episodes=REQUEST.episodes[::-1]),
    ]
    others = [
        replace(REQUEST, attempt=2),
        replace(REQUEST, reference="9f00"),
        replace(REQUEST, rule="loss"),
        replace(REQUEST, episodes=REQUEST.episodes[:1]),
        replace(REQUEST, model_version="8"),
    ]
    assert len({retrain_event(each)[0] for each in same}) == 1
    assert len({retrain_event(each)[0] for each in (REQUEST, *others)}) == 6


def test_tail_writes_a_request_on_one_line() -> None:
    line = event_line(EventType.RETRAIN, retrain_event(REQUEST)[1], Widths(feature=8, window=8))
    assert line.plain == "2026-03-05 00:00  requested  train again: income drifts"
