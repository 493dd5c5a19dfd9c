import msgspec
import pytest
from jsonschema import ValidationError

from state.event_data import MissingReferenceData
from state.events import EventType, missing_reference_event
from tests.evidence import FAMILY
from tests.state.test_events import parsed, validator


def test_a_missing_reference_keeps_to_the_schema_and_has_one_id() -> None:
    data = MissingReferenceData(model="credit", model_version="7", columns=FAMILY)
    event = missing_reference_event(data, fingerprint="f0")
    found = parsed(event)
    validator("#/$defs/Event").validate(found)
    validator().validate(found["data"])
    assert found["subject"] == "credit/7"
    assert found["source"] == "/driftflow/credit"
    assert "time" not in found
    assert (event.type, event.window, event.feature, event.episode) == (EventType.MISSING, "", None, None)
    assert missing_reference_event(data, fingerprint="f0") == event
    ids = {
        missing_reference_event(changed, fingerprint=fingerprint).id
        for changed in (data, msgspec.structs.replace(data, model_version="8"))
        for fingerprint in ("f0", "f1")
    }
    assert len(ids) == 4
    with pytest.raises(ValidationError):
        validator("#/$defs/Event").validate({**found, "data": {"model": "credit"}})
