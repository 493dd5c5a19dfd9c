"""The report of errors tells what any report tells of a column, and nothing of windows as a whole."""

from state.error_report import ErrorReport
from state.events import EventType
from state.report import Report
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from tests.evidence import FAMILY, Plot, context, evidence

CALM, LARGE = (dict.fromkeys(FAMILY, mood) for mood in ("calm", "large"))
PLOT: Plot = [(0, 0, CALM), (0, 1, LARGE), (0, 2, CALM), (0, 3, None), (0, 4, CALM)]


def test_it_leaves_out_what_is_told_of_windows_as_a_whole() -> None:
    said = evidence(PLOT, context())
    items = [item for found in zip(*said.values(), strict=True) for item in found]
    whole, found = Report(context()).add(items), ErrorReport(context()).add(items)
    left_out = [item for item in whole if item not in found]
    assert {item.type for item in left_out if isinstance(item, StoredEvent)} == {EventType.REPORT}
    assert {item.key.metric for item in left_out if isinstance(item, Point)} == {
        "drift_share",
        "rows",
        "late_rows",
    }
    assert not any(isinstance(item, StoredEpisode) for item in left_out)
    assert [item for item in whole if item not in left_out] == found
    assert {item.type for item in found if isinstance(item, StoredEvent)} == {
        EventType.OPENED,
        EventType.CLOSED,
    }
