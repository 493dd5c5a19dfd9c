"""The short form of bench/alerts: services that misbehave, and a real sender that is killed."""

from pathlib import Path

import pytest

from bench.alert_plans import QUICK, SHORT, Plan
from bench.alerts import LAST, run


@pytest.mark.parametrize(
    "plan",
    # Two starts of a process take most of the time of the short one; nothing else kills a real one.
    [pytest.param(SHORT, id="short"), pytest.param(QUICK, id="quick", marks=pytest.mark.slow)],
)
def test_every_alert_arrives_and_what_comes_twice_has_the_same_id(plan: Plan, tmp_path: Path) -> None:
    outcome = run(plan, tmp_path)
    assert outcome.faults == []
    assert outcome.kills == plan.kills
    # The service that is well is told of every opening and every end by itself; caps hold others back.
    assert outcome.notices >= 2 * plan.episodes - LAST
