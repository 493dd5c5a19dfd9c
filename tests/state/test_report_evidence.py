import json
from collections.abc import Iterable
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.verdicts import Rule, Rules, Verdict
from state.alarms import BlockEvidence
from state.events import EventType
from state.report import Output, Report
from state.report_context import ReportContext
from state.scoring import Checked, Evidence
from state.stores.base import StoredEvent
from tests.evidence import FAMILY, LEVEL, context, judged, reference, scored

RULES = Rules(rule=Rule.EVIDENCE, false_discovery_rate=LEVEL)


def of_evidence() -> ReportContext:
    return context(rules=RULES)


def block(column: str, k: int, log_e: float) -> BlockEvidence:
    """Two panes, as long as a tumbling window."""
    size = len(of_evidence().evidence[reference().version][column].questions.names)
    packed = np.full(size, log_e).astype("<f8").tobytes()
    return BlockEvidence(
        feature=column, reference=reference().version, start=2 * k, end=2 * k + 2, log_e=packed
    )


def window(column: str, k: int, mood: str) -> Evidence:
    (said,) = judged([scored(column, mood, spec=0, start=2 * k, end=2 * k + 2)])
    return said


def stream(steps: Iterable[tuple[float, str]]) -> list[Evidence | BlockEvidence]:
    """Blocks and tumbling windows in which x moves, the others do not; e-value and mood of each step."""
    said = list[Evidence | BlockEvidence]()
    for k, (log_e, mood) in enumerate(steps):
        said += [block(name, k, log_e if name == "x" else -1.0) for name in FAMILY]
        said += [window(name, k, mood if name == "x" else "calm") for name in FAMILY]
    return said


def results(outputs: Iterable[Output], column: str = "x") -> list[dict[str, object]]:
    reports = [
        json.loads(o.body)["data"]
        for o in outputs
        if isinstance(o, StoredEvent) and o.type == EventType.REPORT
    ]
    return [next(f for f in report["features"] if f["feature"] == column) for report in reports]


def episodes(outputs: Iterable[Output]) -> list[StoredEvent]:
    return [o for o in outputs if isinstance(o, StoredEvent) and o.type != EventType.REPORT]


def test_a_window_without_an_alarm_is_suspect_however_unlikely() -> None:
    outputs = Report(of_evidence()).add(stream([(0.0, "large")] * 3))
    assert [found["verdict"] for found in results(outputs)] == [Verdict.SUSPECT] * 3
    assert episodes(outputs) == []


def test_an_alarm_with_an_effect_that_matters_opens_an_episode() -> None:
    # c = 1000 blocks and three columns: a lone one needs ln 3000, about 8.
    outputs = Report(of_evidence()).add(
        stream([(0.5, "large"), (9.0, "large"), (-1.0, "calm"), (-1.0, "calm")])
    )
    told = episodes(outputs)
    assert [(e.type, e.feature) for e in told] == [
        (EventType.OPENED, "x"),
        (EventType.CLOSED, "x"),
    ]
    opened = json.loads(told[0].body)["data"]
    decision = opened["result"]["decision"]
    assert (decision["rule"], decision["statistic"], decision["fired"]) == ("evidence", "e-sr", True)
    # (e^.5 + 1) e^9 in every component.
    assert decision["value"] == pytest.approx((log(np.exp(0.5) + 1) + 9) / log(10))
    assert decision["limit"] == pytest.approx(log(3_000) / log(10))
    assert decision["source"] == "budget: a test's"
    # The evidence begins with the block of the first e-value above 1, the first one here.
    assert decision["since"] == opened["episode"]["since"] == "1970-01-05T00:00:00.000Z"
    # Its window is calm, but the alarm's span of one more block is not over before the last.
    assert [found["verdict"] for found in results(outputs)] == ["suspect", "drift", "suspect", "ok"]


def test_an_alarm_without_an_effect_that_matters_is_suspect() -> None:
    outputs = Report(of_evidence()).add(stream([(9.0, "calm")]))
    (found,) = results(outputs)
    assert found["verdict"] == Verdict.SUSPECT
    decision = found["decision"]
    assert isinstance(decision, dict)
    assert decision["p_min_effect"] > RULES.effect_level
    assert episodes(outputs) == []


steps = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 2.0, 9.0]), st.sampled_from(["calm", "slight", "large", "few"])),
    max_size=6,
)


@settings(max_examples=60)
@given(plot=steps, drawn=st.data())
def test_how_columns_interleave_and_where_the_report_restarts_makes_no_difference(
    plot: list[tuple[float, str]], drawn: st.DataObject
) -> None:
    said = stream(plot)
    queues = {name: [s for s in said if _column(s) == name] for name in FAMILY}
    report, found = Report(of_evidence()), list[Output]()
    while any(queues.values()):
        name = drawn.draw(st.sampled_from([name for name, items in queues.items() if items]))
        many = drawn.draw(st.integers(1, 4))
        found += report.add(queues[name][:many])
        del queues[name][:many]
        if drawn.draw(st.booleans()):
            report = Report(of_evidence(), report.snapshot())
    assert found == Report(of_evidence()).add(said)


def _column(said: Evidence | BlockEvidence) -> str:
    return said.feature if isinstance(said, BlockEvidence) else said.found.feature


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 40))
def test_a_track_that_lags_behind_the_columns_changes_nothing(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    said = stream(
        [(float(rng.choice([-1.0, 3.0, 9.0])), str(rng.choice(["calm", "large"]))) for _ in range(8)]
    )
    checked = [
        Evidence(
            found=Checked(
                feature="v",
                spec=0,
                start=2 * k,
                end=2 * k + 2,
                reference=reference().version,
                partial=False,
                incomplete=False,
                rows=100,
                late=0,
                checks=(),
            ),
            streak=0,
            since=2 * k,
        )
        for k in range(8)
    ]
    watched = replace(of_evidence(), other_tracks=("v",))
    columns = len(FAMILY)
    together, lagging = Report(watched), Report(watched)
    wanted = [
        output
        for k in range(8)
        for output in together.add([*said[2 * columns * k : 2 * columns * (k + 1)], checked[k]])
    ]
    found = lagging.add(said[:cut])
    lagging = Report(watched, lagging.snapshot())
    found += lagging.add(said[cut:])
    assert found == []
    found += lagging.add(checked)
    assert found == wanted
    assert wanted == Report(of_evidence()).add(said)
