"""driftflow generate: the data, and a configuration that fits them."""

from pathlib import Path

import pytest

from flows.commands.dataset_config import WANTED_ROWS, WANTED_WINDOWS, window_size
from flows.config import load_config
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.registry import scenario, scenario_names
from flows.scenarios.truth_file import read_truth
from tests.command_line import Call, caller

HOUR, DAY = 3_600_000, 86_400_000
SMALL = ("--rows", 600, "--reference-rows", 300)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_list_shows_every_scenario_with_its_description(call: Call) -> None:
    told = call("generate", "--list")

    said = " ".join(told.out.split())
    for name in scenario_names():
        assert name in said
        assert scenario(name).description in said


def test_the_configuration_fits_the_data(call: Call, tmp_path: Path) -> None:
    told = call("generate", "demo", "--out", tmp_path, *SMALL, "--disorder", "90s", "--seed", 5)

    config = load_config(tmp_path / "driftflow.yaml")
    assert told.code == 0
    assert config.columns == scenario("demo").columns
    assert config.input == tmp_path / "events.jsonl"
    assert config.time is not None
    assert config.time.path == "ts"
    assert config.bounds.lateness == 90_000
    assert read_truth(tmp_path / "truth.json").seed == 5
    tumbling, sliding = config.grid.windows
    assert (tumbling.size, tumbling.slide) == (sliding.size, sliding.size)
    assert sliding.slide * 4 == sliding.size


def test_it_says_the_next_two_commands(call: Call, tmp_path: Path) -> None:
    told = call("generate", "demo", "--out", tmp_path, *SMALL)

    assert told.out == ""
    assert f"driftflow reference build {tmp_path}/driftflow.yaml {tmp_path}/reference.jsonl\n" in told.err
    assert f"driftflow run {tmp_path}/driftflow.yaml\n" in told.err


@pytest.mark.parametrize(
    ("options", "last"),
    [(("--format", "csv", "--files", 3, "--gzip"), "events/part-2.csv.gz"), (("--gzip",), "events.jsonl.gz")],
    ids=["csv, three files, gzip", "jsonl, gzip"],
)
def test_every_layout_can_be_built_and_run(
    call: Call, tmp_path: Path, options: tuple[object, ...], last: str
) -> None:
    assert call("generate", "demo", "--out", tmp_path, *SMALL, *options).code == 0
    assert (tmp_path / last).exists()
    config = tmp_path / "driftflow.yaml"
    (reference,) = tmp_path.glob("reference.*")

    assert call("reference", "build", config, reference).code == 0
    told = call("run", config, "--json")

    assert told.code == 0
    assert told.json()["rows"] == 600
    assert told.json()["late_rows"] == 0


def test_the_number_of_features_is_handed_on(call: Call, tmp_path: Path) -> None:
    call("generate", "stationary", "--out", tmp_path, *SMALL, "--features", 5)

    assert len(load_config(tmp_path / "driftflow.yaml").columns) == 5


def test_a_configuration_that_was_changed_is_left_as_it_is(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, *SMALL)
    config = tmp_path / "driftflow.yaml"
    again = call("generate", "demo", "--out", tmp_path, *SMALL)
    assert "warning" not in again.err
    config.write_text(config.read_text() + "# mine\n")

    told = call("generate", "demo", "--out", tmp_path, *SMALL)

    assert config.read_text().endswith("# mine\n")
    assert "left as it is" in told.err


@pytest.mark.parametrize(
    ("rows", "step_ms", "size"),
    [
        # 35 days of 2,880 rows; 69 days; a year.
        (100_000, 30_000, DAY),
        (200_000, 30_000, DAY),
        (1_000_000, 30_000, DAY),
        # One week: 7 days are too few, 14 half days are enough.
        (20_160, 30_000, 12 * HOUR),
        # 24 rows a day: only four weeks hold 500 of them.
        (10_000, HOUR, 28 * DAY),
        # 1,000 rows a second, for a quarter of an hour: minutes hold 60,000 rows.
        (900_000, 1, HOUR // 60),
    ],
)
def test_window_size(rows: int, step_ms: int, size: int) -> None:
    options = ScenarioOptions(rows=rows, step_ms=step_ms)

    assert window_size(options) == size


def test_windows_hold_enough_rows_or_are_the_largest() -> None:
    for step_ms in (1, 250, 1_000, 30_000, 600_000, HOUR, DAY):
        options = ScenarioOptions(rows=20_000, reference_rows=10, step_ms=step_ms)
        size = window_size(options)
        assert size >= WANTED_ROWS * step_ms or size == 28 * DAY
        # Where both cannot be had, rows come first.
        if options.rows * step_ms < WANTED_WINDOWS * size:
            assert size == min(s for s in (HOUR // 60, HOUR // 12, DAY, 7 * DAY, 28 * DAY, size) if s >= size)
