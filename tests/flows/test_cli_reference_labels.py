import json
from pathlib import Path

import numpy as np
import pytest

from flows.config import load_config
from flows.render.joining import joining_lines
from state.generations import Generations
from state.reference import load
from state.stores.sqlite import SqliteStore
from tests.command_line import Call, caller

CONFIG = """
model: {name: price}
input: {path: events.jsonl}
time: {rows: true}
windows: {w: {size: 500 rows}}
columns:
  guess: {kind: numeric, role: prediction}
  request: {kind: categorical, role: id}
performance: {}
labels: {path: labels.csv, label: truth}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.mark.parametrize("labelled", [300, 0])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_reference_has_the_labels_that_events_have_not(
    call: Call, tmp_path: Path, ending: str, labelled: int
) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(300):
        row = {"guess": round(float(rng.normal()), 6)}
        rows.append(row | ({"truth": row["guess"] + 0.5} if labelled else {}))
    lines = [json.dumps(row) for row in rows]
    if ending == "csv":
        lines = [",".join([*rows[0], "request"])] + [",".join([*map(str, row.values()), "x"]) for row in rows]
    (tmp_path / f"reference.{ending}").write_text("\n".join(lines) + "\n")
    (tmp_path / "driftflow.yaml").write_text(CONFIG)
    built = call("reference", "build", tmp_path / "driftflow.yaml", tmp_path / f"reference.{ending}")
    assert built.code == 0, built.err
    store = SqliteStore(tmp_path / "out" / "driftflow.sqlite")
    (info,) = store.references("price")
    reference = load(store.reference("price", info.version))
    found, columns = reference.outcomes, [feature.column.name for feature in reference.features]
    store.close()
    config = load_config(tmp_path / "driftflow.yaml")
    said = list(joining_lines(config, Generations((reference,)), 1))
    if not labelled:
        assert found is None
        assert columns == ["guess"]
        assert said[1] == (
            f"Errors of predictions are not watched: reference {info.version} was built of rows without "
            "labels, or before errors were."
        )
        return
    assert columns == ["guess", "error"]
    assert len(said) == 1
    assert found is not None
    assert found.rows == labelled
    # Every guess is half a unit too low.
    (bias,) = [metric for metric in found.metrics if metric.name == "mae"]
    assert bias.value == pytest.approx(0.5, abs=1e-9)
