"""driftflow demo: what is found next to what is true."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detectors.checks import Family
from detectors.verdicts import Severity
from flows.commands.demo_job import MARKER
from flows.render.checks import FoundViolation
from flows.render.findings import FoundEpisode
from flows.render.truth_table import hold_against, truth_lines
from flows.scenarios.base import START_MS, ScenarioOptions
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import TruthFile, build_truth
from tests.command_line import Call, caller

DAY = 86_400_000
DRIFTING = ("income", "country", "session_s", "amount", "distance_km")
STILL = ("items", "discount", "tenure_months", "device", "plan", "score", "prediction")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    return caller(capsys, monkeypatch)


@pytest.fixture
def truth() -> TruthFile:
    # 40 days of 2,880 rows, so that income jumps at midnight of day 20.
    options = ScenarioOptions(rows=40 * 2_880, disorder_ms=0)
    return build_truth(scenario("demo"), options, reference="reference.jsonl", events=("events.jsonl",))


def at(day: float) -> str:
    moment = datetime.fromtimestamp((START_MS + day * DAY) / 1_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def episode(feature: str, opened: float, window: str = "daily") -> FoundEpisode:
    return FoundEpisode(
        id=f"{feature} {opened}",
        feature=feature,
        window=window,
        since=at(opened - 1),
        opened=at(opened),
        closed=None,
        severity=Severity.HIGH,
        peak_effect=0.3,
        test="ks",
        p_value=1e-20,
        q_value=1e-19,
        direction="up",
        contributors=(),
        new_categories=(),
    )


def test_every_drift_and_every_still_feature_is_in_the_tables(call: Call) -> None:
    told = call("demo", "--rows", 40_000)

    tables, _, checks = told.out.partition("Checks that a drift violates:")
    lines = {line.split()[0]: line.split() for line in tables.splitlines() if line.strip()}
    assert told.code == 0
    for feature in DRIFTING:
        assert len(lines[feature]) >= 7, lines[feature]
    for feature in STILL:
        assert lines[feature][1:] == ["no"]
    assert "7 of 7 drifts seen, 0 false alarms." in told.out
    assert "new_share of country" in " ".join(checks.split())
    for command in ("compare", "explain", "reference show", "run"):
        assert f"   driftflow {command} driftflow-demo/" in told.out
    assert "driftflow-demo/out/events.jsonl" in told.out


def test_the_commands_it_names_work(call: Call) -> None:
    told = call("demo", "--rows", 20_000, "--folder", "here")

    commands = [line.split()[1:] for line in told.out.splitlines() if line.startswith("   driftflow ")]
    assert [command[0] for command in commands] == ["serve", "compare", "explain", "reference", "run"]
    # The first one ends with Ctrl-C only: tests/integration/test_serve.py calls it.
    for command in commands[1:]:
        assert call(*command).code == 0


@pytest.mark.parametrize("width", [80, 50])
def test_the_tables_fit_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int
) -> None:
    monkeypatch.chdir(tmp_path)

    told = caller(capsys, monkeypatch, width)("demo", "--rows", 20_000)

    tables = told.out[: told.out.index(" events ")]
    assert max(map(len, tables.splitlines())) <= width
    assert ("incremental" in tables) == (width == 80)


def test_it_may_run_again_with_another_seed(call: Call, tmp_path: Path) -> None:
    assert call("demo", "--rows", 5_000).code == 0
    first = (tmp_path / "driftflow-demo" / "out" / "events.jsonl").read_bytes()

    assert call("demo", "--rows", 9_000, "--seed", 2).code == 0

    folder = tmp_path / "driftflow-demo"
    assert (folder / "out" / "events.jsonl").read_bytes() != first
    assert len(call("reference", "list", folder / "driftflow.yaml", "--json").json()) == 1


def test_a_folder_of_others_is_refused_and_left_alone(call: Call, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "out").mkdir(parents=True)
    (mine / "out" / "thesis.txt").write_text("years of work")

    told = call("demo", "--folder", mine)

    assert told.code == 2
    assert str(mine) in told.err
    assert (mine / "out" / "thesis.txt").read_text() == "years of work"
    assert not (mine / MARKER).exists()


def test_an_empty_folder_is_taken(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert call("demo", "--folder", tmp_path / "empty", "--rows", 2_000).code == 0


@pytest.mark.parametrize(("opened", "delay"), [(20.25, 1), (21, 1), (22, 2), (25, 5)])
def test_the_delay_counts_windows_from_the_true_start(truth: TruthFile, opened: float, delay: int) -> None:
    held = hold_against(truth, [episode("income", opened)], window="daily", size_ms=DAY)

    match = next(each for each in held.matches if each.feature == "income")
    assert (match.began, match.detected, match.delay) == (at(20), at(opened), delay)
    assert held.false_alarms == ()


def violation(feature: str, opened: float) -> FoundViolation:
    return FoundViolation(
        id=f"{feature} {opened}",
        family=Family.QUALITY,
        feature=feature,
        check="new_share",
        window="daily",
        since=at(opened - 1),
        opened=at(opened),
        closed=None,
        worst=0.3,
        lower=None,
        upper=0.1,
    )


def test_a_check_is_a_false_alarm_where_nothing_has_drifted(truth: TruthFile) -> None:
    told = [violation("country", 25.0), violation("plan", 25.0), violation("", 25.0), violation("income", 20)]
    held = hold_against(truth, [], violations=told, window="daily", size_ms=DAY)

    assert held.checks == (("new_share", "country"),)
    assert [alarm.feature for alarm in held.false_alarms] == ["plan", "(records)", "income"]


def test_an_episode_before_the_drift_is_a_false_alarm(truth: TruthFile) -> None:
    # The window that ends as income jumps holds nothing of the new law.
    held = hold_against(truth, [episode("income", 20)], window="daily", size_ms=DAY)

    assert next(each for each in held.matches if each.feature == "income").detected is None
    assert [(alarm.feature, alarm.detected) for alarm in held.false_alarms] == [("income", at(20))]


def test_every_return_is_held_against_its_own_episode(truth: TruthFile) -> None:
    # distance_km moves away on days 8 to 12, 20 to 24 and 32 to 36.
    found = [episode("distance_km", 9), episode("distance_km", 33)]

    held = hold_against(truth, found, window="daily", size_ms=DAY)

    matches = [each.detected for each in held.matches if each.feature == "distance_km"]
    assert matches == [at(9), None, at(33)]


def test_alarms_of_all_windows_count_and_are_shown(truth: TruthFile) -> None:
    found = [episode("items", 3, window="sliding"), episode("income", 5)]

    held = hold_against(truth, found, window="daily", size_ms=DAY)
    said = "\n".join(line.plain for line in truth_lines(held, "daily", 80))

    assert [alarm.feature for alarm in held.false_alarms] == ["items", "income"]
    assert "sliding at 01-08 00:00" in said
    assert "Alarms before or after the drift: income: daily at 01-10 00:00" in said
    assert said.count("not seen") == 7
