"""The scoring service of the examples logs to a real broker, and driftflow finds the drift in its topic."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.services import NewTopic

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "scoring_service"


def test_what_the_service_logs_to_kafka_is_watched(
    tmp_path: Path, kafka_bootstrap: str, new_topic: NewTopic
) -> None:
    topic = new_topic(3)
    folder = tmp_path / "service"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "out*", "__pycache__"))
    config = folder / "kafka.yaml"
    # A run that ends where the topic ends now.
    config.write_text(config.read_text().replace("\ninput:\n", "\ninput:\n  until_end: true\n"))
    environment = {**os.environ, "KAFKA_BOOTSTRAP": kafka_bootstrap, "SCORING_TOPIC": topic}

    def call(*command: object) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, command)], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    call(folder / "make_data.py")
    call("-m", "flows.cli", "reference", "build", config, folder / "data" / "reference.jsonl")
    call(folder / "produce.py", "--rows", 8_000)
    told = json.loads(call("-m", "flows.cli", "run", config, "--json"))

    assert (told["rows"], told["refused"], told["late_rows"]) == (8_000, {}, 0)
    assert not (folder / "data" / "events.jsonl").exists()
    found = {episode["feature"] for episode in told["episodes"]}
    # Charges rise at 35 % of the rows, and the other two follow; at 8,000 rows not all of them in time.
    assert {"monthly_charges"} <= found <= {"monthly_charges", "total_charges", "score", "prediction"}
